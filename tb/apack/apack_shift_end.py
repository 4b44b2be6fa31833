# SPDX-License-Identifier: Apache-2.0
"""apack_shift_end: where the shifts end that renormalise an interval."""

from __future__ import annotations

import random
from collections.abc import Iterator

import cocotb

from model.apack import Interval
from tb.apack.env.intervals import EXHAUSTIVE, bounds
from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("CODE_W",)
SETS = {
    "default": (16,),
    "smallest": (3,),
    "narrow": (7,),
    "long-code": (20,),
}
MUTATED = "narrow"


def one_bit_apart(code_w: int) -> Iterator[tuple[int, int]]:
    """Bounds that differ in a single bit, for each bit."""
    for bit in range(code_w):
        for _ in range(8):
            low = random.getrandbits(code_w) & ~(1 << bit)
            yield low, low | 1 << bit


def any_bounds(code_w: int) -> Iterator[tuple[int, int]]:
    """Any two numbers: all pairs of short ones."""
    full = 1 << code_w
    if code_w < EXHAUSTIVE:
        yield from ((low, high) for low in range(full) for high in range(full))
        return
    for _ in range(3000):
        low = random.getrandbits(code_w)
        yield low, low ^ random.getrandbits(random.randint(1, code_w))


def bit_of_ends(bit: int, low: int, high: int) -> bool:
    """A bit of ends, as the header has it."""
    below = 1 << bit >> 1
    return low >> bit != high >> bit and not (low & below and not high & below)


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


@cocotb.test()
async def says_of_each_bit_whether_shifts_may_end_there(dut):
    code_w = parameter("CODE_W")
    for low, high in any_bounds(code_w):
        wanted = sum(bit_of_ends(bit, low, high) << bit for bit in range(code_w))
        (found,) = await outputs_for(dut, {"low": low, "high": high}, "ends")
        assert found == wanted, (
            f"{low:0{code_w}b}..{high:0{code_w}b}: {found:0{code_w}b}, expected {wanted:0{code_w}b}"
        )
