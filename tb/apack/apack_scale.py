# SPDX-License-Identifier: Apache-2.0
"""apack_scale: a cumulative count scaled to the interval."""

from __future__ import annotations

import random

import cocotb

from model.apack import Interval
from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("COUNT_W", "CODE_W")
SETS = {
    "default": (10, 16),
    "smallest": (1, 3),
    "narrow": (6, 8),
    "long-code": (16, 20),
}


@cocotb.test()
async def scales_any_count_to_any_interval(dut):
    count_w, code_w = parameter("COUNT_W"), parameter("CODE_W")
    full, total = 1 << code_w, 1 << count_w
    ranges = [1, 2, full // 4 + 1, full // 2, full - 1, full]
    cums = [0, 1, 2, total // 2, total - 1, total]
    cases = [(size, cum) for size in ranges for cum in cums]
    cases += [(random.randint(1, full), random.randint(0, total)) for _ in range(1500)]
    for size, cum in cases:
        interval = Interval(code_w)
        interval.high = size - 1
        (found,) = await outputs_for(dut, {"range": size, "cum": cum}, "slice")
        wanted = interval.slice_start(cum, count_w)
        assert found == wanted, f"range {size}, cum {cum}: {found}, expected {wanted}"
