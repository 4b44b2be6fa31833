# SPDX-License-Identifier: Apache-2.0
"""cell_ram_fifo: beats pass in order, none is lost or doubled, and it holds what it promises."""

from __future__ import annotations

import random
from collections import deque

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("DATA_W", "DEPTH")
SETS = {
    "sixteen": (9, 16),
    "two": (1, 2),
    "five": (66, 5),
    "seven": (4, 7),
}
ILLEGAL = {"DEPTH": (0, 1)}
MUTATED = "five"
MEANINGFUL = (("m_data", "m_valid"),)

BEHIND = 2  # beats that find room behind the RAM
LATENCY = 3  # cycles from a beat's entering to its showing


async def emptied(dut) -> None:
    """A running clock, and a reset that has passed."""
    start_clock(dut)
    dut.rst.value, dut.s_valid.value, dut.m_ready.value = 1, 0, 0
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0


@cocotb.test()
async def keeps_beats_and_their_order(dut):
    data_w, depth = parameter("DATA_W"), parameter("DEPTH")
    await emptied(dut)
    held: deque[tuple[int, int]] = deque()  # data, and the cycle of its entering
    most, shown = 0, False
    for cycle in range(600 * depth):
        filling = cycle // (20 * depth) % 2 == 0
        inputs = {
            "s_data": random.getrandbits(data_w),
            "s_valid": int(random.random() < (0.9 if filling else 0.2)),
            "m_ready": int(random.random() < (0.2 if filling else 0.9)),
            "rst": int(random.random() < 0.002),
        }
        ready, valid = await outputs_for(dut, inputs, "s_ready", "m_valid")
        where = f"cycle {cycle}, {len(held)} beats held"
        assert ready or len(held) >= depth, f"{where}: not ready"
        assert not ready or len(held) < depth + BEHIND, f"{where}: ready"
        late = bool(held) and cycle >= held[0][1] + LATENCY
        assert valid or not (late or shown), f"{where}: no beat shows"
        if valid:
            assert held, f"{where}: a beat that never entered"
            (data,) = await outputs_for(dut, {}, "m_data")
            assert data == held[0][0], f"{where}: {data}, expected {held[0][0]}"
        shown = bool(valid) and not inputs["m_ready"] and not inputs["rst"]
        if valid and inputs["m_ready"]:
            held.popleft()
        if ready and inputs["s_valid"]:
            held.append((inputs["s_data"], cycle))
        most = max(most, len(held))
        if inputs["rst"]:
            held.clear()
        await FallingEdge(dut.clk)
    assert most == depth + BEHIND, f"at most {most} beats were held"


@cocotb.test()
async def passes_a_beat_every_cycle(dut):
    await emptied(dut)
    depth = parameter("DEPTH")
    for filled in (0, depth + BEHIND):
        await outputs_for(dut, {"s_valid": int(filled > 0), "m_ready": 0})
        for _ in range(2 * filled):
            await FallingEdge(dut.clk)
        await outputs_for(dut, {"s_valid": 1, "m_ready": 1})
        for cycle in range(5 * depth):
            await FallingEdge(dut.clk)
            ready, valid = await outputs_for(dut, {}, "s_ready", "m_valid")
            assert valid or (not filled and cycle < LATENCY), (
                f"{filled} filled, cycle {cycle}: no beat"
            )
            assert ready or (filled and cycle < 2), f"{filled} filled, cycle {cycle}: not ready"
        await outputs_for(dut, {"s_valid": 0})
        for _ in range(2 * depth + 4):
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
