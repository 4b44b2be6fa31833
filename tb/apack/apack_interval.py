# SPDX-License-Identifier: Apache-2.0
"""apack_interval: the slice of a symbol within the interval."""

from __future__ import annotations

import cocotb

from tb.apack.env.intervals import any_interval, any_slice
from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("COUNT_W", "CODE_W")
SETS = {
    "default": (10, 16),
    "smallest": (1, 3),
    "narrow": (6, 8),
    "long-code": (16, 20),
}


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
