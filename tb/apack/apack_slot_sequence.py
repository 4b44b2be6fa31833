# SPDX-License-Identifier: Apache-2.0
"""apack_slot_sequence."""

PARAMETERS = ("STREAMS", "BLOCK_VALUES")
SETS = {"four": (4, 64)}
