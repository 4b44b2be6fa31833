# SPDX-License-Identifier: Apache-2.0
"""toy_invert: what enters leaves inverted in the next cycle, and nothing else does."""

from __future__ import annotations

import random
from pathlib import Path

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock
from tb.uvm.points import PointSet, write_points

PARAMETERS = ("VALUE_W",)
SETS = {"byte": (8,), "bit": (1,)}


class Points(PointSet):
    """What is to be seen at the input."""

    def __init__(self) -> None:
        super().__init__("toy")
        self._names("input.valid", (0, 1))


@cocotb.test()
async def inverts_each_value(dut):
    start_clock(dut)
    points, width = Points(), parameter("VALUE_W")
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    for _ in range(300):
        inputs = {
            "s_value": random.getrandbits(width),
            "s_valid": random.getrandbits(1),
            "rst": int(random.random() < 0.1),
        }
        points.hit("input.valid", inputs["s_valid"])
        await outputs_for(dut, inputs)
        await FallingEdge(dut.clk)
        value, valid = await outputs_for(dut, {}, "m_value", "m_valid")
        assert valid == (inputs["s_valid"] and not inputs["rst"])
        assert value == inputs["s_value"] ^ ((1 << width) - 1)
    write_points(Path("coverage.json"), "toy_invert", {"VALUE_W": width})
