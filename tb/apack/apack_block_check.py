# SPDX-License-Identifier: Apache-2.0
"""apack_block_check."""

PARAMETERS = ("VALUE_W",)
SETS = {"four": (8,)}
