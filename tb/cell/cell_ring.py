# SPDX-License-Identifier: Apache-2.0
"""cell_ring: the state of streams that take turns."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "STATE_W")
SETS = {
    "one": (1, 5),
    "two-smallest": (2, 1),
    "five": (5, 8),
}
MUTATED = "five"


@cocotb.test()
async def keeps_the_state_of_each_stream_until_its_turn(dut):
    start_clock(dut)
    streams, state_w = parameter("STREAMS"), parameter("STATE_W")
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    states, at_head = [0] * streams, 0
    for _ in range(1500):
        await FallingEdge(dut.clk)
        inputs = {name: int(random.random() < 0.7) for name in ("enable", "turn")}
        inputs |= {"next": random.getrandbits(state_w), "rst": int(random.random() < 0.02)}
        (found,) = await outputs_for(dut, inputs, "head")
        assert found == states[at_head], f"stream {at_head}: {found}, expected {states}"
        if inputs["rst"]:
            states, at_head = [0] * streams, 0
        elif inputs["enable"]:
            states[at_head] = inputs["next"]
            at_head = (at_head + inputs["turn"]) % streams
