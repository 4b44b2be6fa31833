# SPDX-License-Identifier: Apache-2.0
"""apack_search_loop."""

PARAMETERS = ("STREAMS",)
SETS = {"four": (4,)}
