# SPDX-License-Identifier: Apache-2.0
"""cell_read_buffer: what was asked for in a cycle with room finds a place."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("DATA_W",)
SETS = {
    "nine-bits": (9,),
}


@cocotb.test()
async def loses_nothing_that_was_asked_for_with_room(dut):
    start_clock(dut)
    data_w = parameter("DATA_W")
    dut.rst.value = 1
    dut.s_valid.value = 0
    await FallingEdge(dut.clk)
    held: list[int] = []
    asked = False
    for cycle in range(3000):
        await FallingEdge(dut.clk)
        eager = cycle % 1000 < 500
        inputs = {
            "s_valid": int(asked),
            "s_data": random.getrandbits(data_w),
            "m_ready": int(random.random() < (0.9 if eager else 0.4)),
            "rst": int(random.random() < 0.01),
        }
        room, valid = await outputs_for(dut, inputs, "room", "m_valid")
        assert valid == bool(held), f"cycle {cycle}: valid {valid} with {held}"
        if held:
            (data,) = await outputs_for(dut, {}, "m_data")
            assert data == held[0], f"cycle {cycle}: {data}, expected {held[0]}"
        left = len(held) + asked - bool(valid and inputs["m_ready"])
        assert room == (left < 2), f"cycle {cycle}: room {room} with {left} beats left"
        if valid and inputs["m_ready"]:
            held.pop(0)
        if asked:
            held.append(inputs["s_data"])
        asked = bool(room) and (eager or random.random() < 0.5)
        if inputs["rst"]:
            held, asked = [], False
