# SPDX-License-Identifier: Apache-2.0
"""apack_piece_window."""

PARAMETERS = ("PIECE_W", "WORD_W", "NEED")
SETS = {"four": (16, 64, 8)}
