# SPDX-License-Identifier: Apache-2.0
"""apack_block_queue: blocks in order, each with its stream and its region."""

from __future__ import annotations

import random
from collections import deque

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "DATA_W")
SETS = {
    "one": (1, 3),
    "three": (3, 9),
    "eight": (8, 16),
}
MUTATED = "three"

OUTPUTS = ("m_data", "m_region", "m_stream")


@cocotb.test()
async def gives_each_block_its_stream_and_region_in_order(dut):
    start_clock(dut)
    streams, data_w = parameter("STREAMS"), parameter("DATA_W")
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    waiting: deque[tuple[int, int]] = deque()  # number and data of each block
    brought = since = 0  # blocks that came; cycles since the block before was taken, or came
    for cycle in range(4000):
        await FallingEdge(dut.clk)
        crowded = cycle % 1000 < 500
        inputs = {
            "s_valid": int(len(waiting) <= streams and random.random() < (0.9 if crowded else 0.3)),
            "s_data": random.getrandbits(data_w),
            "m_take": 0,
            "rst": int(random.random() < 0.005),
        }
        valid, region = await outputs_for(dut, inputs, "m_valid", "s_region")
        assert region == brought % (streams + 1), f"cycle {cycle}: {region} for block {brought}"
        assert valid == (bool(waiting) and since > 1), f"cycle {cycle}: {valid} with {waiting}"
        if valid:
            block, data = waiting[0]
            wanted = [data, block % (streams + 1), block % streams]
            found = await outputs_for(dut, {}, *OUTPUTS)
            assert found == wanted, f"cycle {cycle}, block {block}: {found}, expected {wanted}"
            inputs["m_take"] = int(random.random() < (0.3 if crowded else 0.9))
            await outputs_for(dut, inputs)
        since += 1
        if inputs["s_valid"]:
            since = since if waiting else 1
            waiting.append((brought, inputs["s_data"]))
            brought += 1
        if inputs["m_take"]:
            waiting.popleft()
            since = 1
        if inputs["rst"]:
            waiting.clear()
            brought = 0
