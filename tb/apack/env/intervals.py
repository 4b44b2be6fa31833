# SPDX-License-Identifier: Apache-2.0
"""Intervals of the coder, at random or all of them, and slices of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from model.apack import SymbolTable

EXHAUSTIVE = 8  # bits of the bounds up to which every interval is tried


def any_slice(count_w: int) -> tuple[SymbolTable, int]:
    """A table and the symbol to narrow to; the symbol has any count at any place."""
    total = 1 << count_w
    start = random.choice((0, total - 1, random.randrange(total)))
    end = random.choice((start + 1, total, random.randint(start + 1, total)))
    cum = sorted({0, start, end, total})
    return SymbolTable(2, count_w, list(range(len(cum) - 1)), cum), cum.index(start)


def bounds(code_w: int) -> Iterator[tuple[int, int]]:
    """Intervals: all of them for short bounds, else with leading bits and runs of any length."""
    full = 1 << code_w
    if code_w <= EXHAUSTIVE:
        yield from ((low, high) for high in range(full) for low in range(high + 1))
        return
    yield from ((0, full - 1), (0, 0), (full - 1, full - 1), (full // 2 - 1, full // 2))
    for _ in range(3000):
        lead = random.randint(0, code_w)
        run = random.randint(0, max(code_w - lead - 1, 0))
        prefix = "".join(random.choices("01", k=lead))
        low, high = f"{prefix}0{'1' * run}", f"{prefix}1{'0' * run}"
        rest = [random.choices("01", k=code_w) for _ in range(2)]
        pair = [int("".join([a, *b])[:code_w], 2) for a, b in zip((low, high), rest, strict=True)]
        yield min(pair), max(pair)
