"""apack_interval: the slice of a symbol within the interval."""

from __future__ import annotations

import random

import cocotb

from model.apack import Interval, SymbolTable
from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("COUNT_W", "CODE_W")
SETS = {
    "default": (10, 16),
    "smallest": (1, 3),
    "narrow": (6, 8),
    "long-code": (16, 20),
}


def any_interval(code_w: int) -> Interval:
    """An interval as renormalisation leaves it: more than a quarter, at random or at an edge."""
    interval = Interval(code_w)
    size = random.choice(
        (
            interval.quarter + 1,
            2 * interval.half,
            random.randint(interval.quarter + 1, 2 * interval.half),
        )
    )
    space = 2 * interval.half - size
    interval.low = random.choice((0, space, random.randint(0, space)))
    interval.high = interval.low + size - 1
    return interval


def any_slice(count_w: int) -> tuple[SymbolTable, int]:
    """A table and the symbol to narrow to; the symbol has any count at any place."""
    total = 1 << count_w
    start = random.choice((0, total - 1, random.randrange(total)))
    end = random.choice((start + 1, total, random.randint(start + 1, total)))
    cum = sorted({0, start, end, total})
    return SymbolTable(2, count_w, list(range(len(cum) - 1)), cum), cum.index(start)


@cocotb.test()
async def narrows_any_interval_to_any_slice(dut):
    count_w, code_w = parameter("COUNT_W"), parameter("CODE_W")
    for _ in range(1500):
        interval, (table, symbol) = any_interval(code_w), any_slice(count_w)
        inputs = {
            "low": interval.low,
            "high": interval.high,
            "cum_lo": table.cum[symbol],
            "cum_hi": table.cum[symbol + 1],
        }
        found = await outputs_for(dut, inputs, "next_low", "next_high")
        interval.narrow(table, symbol)
        wanted = [interval.low, interval.high]
        assert found == wanted, f"{inputs}: {found}, expected {wanted}"
