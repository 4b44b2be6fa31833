# SPDX-License-Identifier: Apache-2.0
"""apack_renorm: all shifts of one value in one step."""

from __future__ import annotations

import cocotb

from model.apack import Interval
from tb.apack.env.intervals import bounds
from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("CODE_W",)
SETS = {
    "default": (16,),
    "smallest": (3,),
    "narrow": (7,),
    "long-code": (20,),
}


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
