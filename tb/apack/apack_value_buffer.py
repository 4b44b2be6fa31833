# SPDX-License-Identifier: Apache-2.0
"""apack_value_buffer."""

PARAMETERS = ("VALUE_W", "LANES", "DEPTH")
SETS = {"four": (8, 8, 4)}
