# SPDX-License-Identifier: Apache-2.0
"""cell_skid: beats pass in order, every cycle, and no ready depends on another in its cycle."""

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
async def keeps_two_beats_and_their_order(dut):
    start_clock(dut)
    data_w = parameter("DATA_W")
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    held: list[int] = []
    closed = True  # nothing is taken in the cycle of a reset and in the next
    for cycle in range(3000):
        await FallingEdge(dut.clk)
        rushed = cycle % 1000 < 500
        inputs = {
            "s_data": random.getrandbits(data_w),
            "s_valid": int(rushed or random.random() < 0.6),
            "m_ready": int(random.random() < (0.9 if rushed else 0.5)),
            "rst": int(random.random() < 0.01),
        }
        ready, valid = await outputs_for(dut, inputs, "s_ready", "m_valid")
        assert valid == bool(held), f"cycle {cycle}: valid {valid} with {held}"
        assert ready == (not closed and len(held) < 2), f"cycle {cycle}: ready {ready} with {held}"
        if held:
            (data,) = await outputs_for(dut, {}, "m_data")
            assert data == held[0], f"cycle {cycle}: {data}, expected {held[0]}"
        if valid and inputs["m_ready"]:
            held.pop(0)
        if ready and inputs["s_valid"]:
            held.append(inputs["s_data"])
        closed = bool(inputs["rst"])
        if closed:
            held = []


@cocotb.test()
async def passes_a_beat_every_cycle(dut):
    start_clock(dut)
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    await outputs_for(dut, {"rst": 0, "s_valid": 1, "m_ready": 1})
    for _ in range(2):
        await FallingEdge(dut.clk)
    for _ in range(20):
        await FallingEdge(dut.clk)
        assert await outputs_for(dut, {}, "s_ready", "m_valid") == [1, 1]


@cocotb.test()
async def neither_side_sees_the_other_within_a_cycle(dut):
    start_clock(dut)
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    for _ in range(200):
        await FallingEdge(dut.clk)
        seen = set()
        for ready, valid in ((0, 0), (0, 1), (1, 0), (1, 1)):
            inputs = {"m_ready": ready, "s_valid": valid}
            seen.add(tuple(await outputs_for(dut, inputs, "s_ready", "m_valid")))
        assert len(seen) == 1, f"s_ready and m_valid follow the inputs: {seen}"
        await outputs_for(dut, {"m_ready": random.getrandbits(1), "s_valid": random.getrandbits(1)})
