# SPDX-License-Identifier: Apache-2.0
"""A second encoder, written from the mathematics instead of the procedure.

The low end of the interval is one exact integer that grows with the stream, in units of the last
bit of the code register. There is no pending counter and nothing is emitted on the way: carries
run through the big integer, and the code stream is read off it at the end.
"""

from __future__ import annotations

import numpy as np

from model.apack import SymbolTable


def encode(values: np.ndarray, table: SymbolTable, code_w: int = 16) -> tuple[str, str]:
    """The code and the offset stream of a block, as text of 0 and 1."""
    quarter = 2 ** (code_w - 2)
    low, size, origin, shifts = 0, 4 * quarter, 0, 0
    offsets = ""
    for value in (int(v) for v in values):
        group = max(i for i in range(table.groups) if table.base[i] <= value)
        ends = [*table.base, 2**table.value_w]
        group_size = ends[group + 1] - ends[group]
        width = next(w for w in range(17) if 2**w >= group_size)
        if width:
            offsets += format(value - table.base[group], f"0{width}b")
        above = size * table.cum[group + 1] // 2**table.count_w
        below = size * table.cum[group] // 2**table.count_w
        low, size = low + below, above - below
        while (start := _half_around(low, size, origin, quarter)) is not None:
            low, size, origin, shifts = 2 * low, 2 * size, 2 * start, shifts + 1
    register = low - origin
    final = origin + (quarter if register < quarter else 2 * quarter)
    return format(final // quarter, f"0{shifts + 2}b"), offsets


def _half_around(low: int, size: int, origin: int, quarter: int) -> int | None:
    """The start of the lower, upper or middle half that holds the interval, if one does."""
    for start in (origin, origin + 2 * quarter, origin + quarter):
        if start <= low and low + size <= start + 2 * quarter:
            return start
    return None
