"""apack_shift_end: where the shifts end that renormalise an interval."""

from __future__ import annotations

import random
from collections.abc import Iterator

import cocotb

from model.apack import Interval
from tb.apack.apack_renorm import bounds
from tb.apack.combinational import outputs_for, parameter


def one_bit_apart(code_w: int) -> Iterator[tuple[int, int]]:
    """Bounds that differ in a single bit, for each bit."""
    for bit in range(code_w):
        for _ in range(8):
            low = random.getrandbits(code_w) & ~(1 << bit)
            yield low, low | 1 << bit


@cocotb.test()
async def counts_the_shifts_of_any_interval(dut):
    code_w = parameter("CODE_W")
    for low, high in (*bounds(code_w), *one_bit_apart(code_w)):
        interval = Interval(code_w)
        interval.low, interval.high = low, high
        wanted = len(list(interval.shifts()))
        (ends,) = await outputs_for(dut, {"low": low, "high": high}, "ends")
        found = code_w - ends.bit_length()
        assert found == wanted, f"{low:0{code_w}b}..{high:0{code_w}b}: {found}, expected {wanted}"
