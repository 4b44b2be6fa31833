"""apack_renorm: all shifts of one value in one step."""

from __future__ import annotations

import random
from collections.abc import Iterator

import cocotb

from model.apack import Interval
from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("CODE_W",)
SETS = {
    "default": (16,),
    "smallest": (3,),
    "narrow": (7,),
    "long-code": (20,),
}

EXHAUSTIVE = 8  # bits of the bounds up to which every interval is tried


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


@cocotb.test()
async def makes_all_shifts_of_any_interval(dut):
    code_w = parameter("CODE_W")
    names = ("lead_count", "lead_bits", "under_count", "next_low", "next_high")
    for low, high in bounds(code_w):
        interval = Interval(code_w)
        interval.low, interval.high = low, high
        taken = list(interval.shifts())
        under = taken.count(interval.quarter)
        leads = "".join(str(int(bit != 0)) for bit in taken if bit != interval.quarter)
        found = await outputs_for(dut, {"low": low, "high": high}, *names)
        found[1] = f"{found[1]:0{code_w}b}"[: found[0]]
        wanted = [len(leads), leads, under, interval.low, interval.high]
        assert found == wanted, f"{low:0{code_w}b}..{high:0{code_w}b}: {found}, expected {wanted}"
