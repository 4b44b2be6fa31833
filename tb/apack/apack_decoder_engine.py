# SPDX-License-Identifier: Apache-2.0
"""apack_decoder_engine."""

PARAMETERS = ("STREAMS",)
SETS = {"four": (4,)}
