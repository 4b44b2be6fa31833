# SPDX-License-Identifier: Apache-2.0
"""apack_region_track: the region of each stream's block, from its first to its latest."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS",)
SETS = {
    "one": (1,),
    "three": (3,),
    "eight": (8,),
}
MUTATED = "three"


@cocotb.test()
async def follows_each_stream_from_block_to_block(dut):
    start_clock(dut)
    streams = parameter("STREAMS")
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    blocks = list(range(streams))  # number of the block that each stream is at
    for cycle in range(1500):
        await FallingEdge(dut.clk)
        stream = random.randrange(streams)
        inputs = {
            "s_stream": stream,
            "s_advance": int(random.random() < 0.6),
            "rst": int(random.random() < 0.01),
        }
        (region,) = await outputs_for(dut, inputs, "m_region")
        wanted = blocks[stream] % (streams + 1)
        assert region == wanted, f"cycle {cycle}, stream {stream}: {region}, expected {wanted}"
        if inputs["s_advance"]:
            blocks[stream] += streams
        if inputs["rst"]:
            blocks = list(range(streams))
