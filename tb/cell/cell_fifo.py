# SPDX-License-Identifier: Apache-2.0
"""cell_fifo: beats pass in order, none is lost or doubled, no side follows the other at once."""

from __future__ import annotations

import random
from collections import deque

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("DATA_W", "FIFO_W")
SETS = {
    "four": (9, 2),
    "two": (1, 1),
    "thirty-two": (40, 5),
}
ILLEGAL = {"FIFO_W": (0,)}


async def emptied(dut) -> None:
    """A running clock, and a reset that has passed."""
    start_clock(dut)
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0


@cocotb.test()
async def keeps_beats_and_their_order(dut):
    data_w, room = parameter("DATA_W"), 1 << parameter("FIFO_W")
    await emptied(dut)
    held: deque[int] = deque()
    fills = set()
    for cycle in range(400 * room):
        filling = cycle // (20 * room) % 2 == 0
        inputs = {
            "s_data": random.getrandbits(data_w),
            "s_valid": int(random.random() < (0.9 if filling else 0.2)),
            "m_ready": int(random.random() < (0.2 if filling else 0.9)),
            "rst": int(random.random() < 0.002),
        }
        ready, valid = await outputs_for(dut, inputs, "s_ready", "m_valid")
        fills.add(len(held))
        assert ready == (len(held) < room), f"cycle {cycle}: ready {ready} with {len(held)} beats"
        assert valid == bool(held), f"cycle {cycle}: valid {valid} with {len(held)} beats"
        if held:
            (data,) = await outputs_for(dut, {}, "m_data")
            assert data == held[0], f"cycle {cycle}: {data}, expected {held[0]}"
        if valid and inputs["m_ready"]:
            held.popleft()
        if ready and inputs["s_valid"]:
            held.append(inputs["s_data"])
        if inputs["rst"]:
            held.clear()
        await FallingEdge(dut.clk)
    assert fills == set(range(room + 1)), f"only {sorted(fills)} beats were held"


@cocotb.test()
async def passes_a_beat_every_cycle(dut):
    await emptied(dut)
    await outputs_for(dut, {"s_valid": 1, "m_ready": 1})
    await FallingEdge(dut.clk)
    for _ in range(20):
        assert await outputs_for(dut, {}, "s_ready", "m_valid") == [1, 1]
        await FallingEdge(dut.clk)


@cocotb.test()
async def neither_side_sees_the_other_within_a_cycle(dut):
    await emptied(dut)
    for _ in range(200):
        await FallingEdge(dut.clk)
        seen = set()
        for ready, valid in ((0, 0), (0, 1), (1, 0), (1, 1)):
            inputs = {"m_ready": ready, "s_valid": valid}
            seen.add(tuple(await outputs_for(dut, inputs, "s_ready", "m_valid")))
        assert len(seen) == 1, f"s_ready and m_valid follow the inputs: {seen}"
        await outputs_for(dut, {"m_ready": random.getrandbits(1), "s_valid": random.getrandbits(1)})
