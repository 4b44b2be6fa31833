# SPDX-License-Identifier: Apache-2.0
"""cell_carry_save: as many rows as asked for, with the same sum."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import cocotb

from tb.bus.combinational import outputs_for, parameter
from tb.bus.frames import packed, unpacked

PARAMETERS = ("ROWS", "LEFT_ROWS", "DATA_W")
SETS = {
    "three-rows": (3, 2, 4),
    "nothing-to-add": (2, 2, 5),
    "one-step": (13, 2, 12),
    "to-six": (13, 6, 27),
    "many-rows": (19, 2, 37),
}
ILLEGAL = {
    "LEFT_ROWS": (1,),
    "passed-over": {"ROWS": 13, "LEFT_ROWS": 5},
}
MUTATED = "to-six"

EXHAUSTIVE = 12  # bits of all rows up to which every input is tried


def all_rows(rows: int, row_w: int) -> Iterator[tuple[int, ...]]:
    """Rows: all combinations of few and short ones, else random, empty, full and single bits."""
    full = (1 << row_w) - 1
    if rows * row_w <= EXHAUSTIVE:
        yield from product(range(full + 1), repeat=rows)
        return
    yield (full,) * rows
    for _ in range(1500):
        draws = (0, full, 1 << random.randrange(row_w), random.getrandbits(row_w))
        yield tuple(random.choice((*draws, random.getrandbits(row_w))) for _ in range(rows))


@cocotb.test()
async def keeps_the_sum_of_any_rows(dut):
    rows, left_rows, row_w = (parameter(name) for name in ("ROWS", "LEFT_ROWS", "DATA_W"))
    for given in all_rows(rows, row_w):
        (left,) = await outputs_for(dut, {"rows": packed(given, row_w)}, "left")
        found, wanted = sum(unpacked(left, row_w, left_rows)), sum(given)
        assert (found - wanted) % (1 << row_w) == 0, f"rows {given}: sum {found}"
