"""apack_row_select: the row that a one-hot vector points to."""

from __future__ import annotations

import random

import cocotb

from tb.bus.combinational import outputs_for, parameter
from tb.bus.frames import packed


@cocotb.test()
async def gives_the_row_that_is_hit(dut):
    count, width = parameter("ROWS"), parameter("ROW_W")
    for _ in range(20):
        rows = [random.getrandbits(width) for _ in range(count)]
        for hit in range(count):
            inputs = {"rows": packed(rows, width), "hit": 1 << hit}
            (found,) = await outputs_for(dut, inputs, "row")
            assert found == rows[hit], f"row {hit} of {rows}: {found}"


@cocotb.test()
async def gives_zero_without_a_hit_and_the_or_of_two(dut):
    count, width = parameter("ROWS"), parameter("ROW_W")
    for _ in range(100):
        rows = [random.getrandbits(width) for _ in range(count)]
        first, second = random.randrange(count), random.randrange(count)
        for hit, wanted in ((0, 0), (1 << first | 1 << second, rows[first] | rows[second])):
            (found,) = await outputs_for(dut, {"rows": packed(rows, width), "hit": hit}, "row")
            assert found == wanted, f"hit {hit:b} of {rows}: {found}, expected {wanted}"
