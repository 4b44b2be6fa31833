"""apack_block_ram: every word of every region is its own."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.apack.combinational import outputs_for, parameter
from tb.apack.streams import start_clock


@cocotb.test()
async def keeps_all_words_of_all_regions_apart(dut):
    start_clock(dut)
    names = ("REGIONS", "WORDS", "LANES", "LANE_W")
    regions, words, lanes, lane_w = (parameter(name) for name in names)
    places = [(region, word) for region in range(regions) for word in range(words)]
    held = {place: random.getrandbits(lanes * lane_w) for place in places}
    dut.read_enable.value = 0
    for region, word in random.sample(places, len(places)):
        await FallingEdge(dut.clk)
        inputs = {"write_enable": (1 << lanes) - 1, "write_region": region, "write_word": word}
        await outputs_for(dut, inputs | {"write_data": held[region, word]})
    await FallingEdge(dut.clk)
    await outputs_for(dut, {"write_enable": 0, "read_enable": 1})
    for region, word in random.sample(places, len(places)):
        await outputs_for(dut, {"read_region": region, "read_word": word})
        await FallingEdge(dut.clk)
        (found,) = await outputs_for(dut, {}, "read_data")
        wanted = held[region, word]
        assert found == wanted, f"region {region}, word {word}: {found:#x}, not {wanted:#x}"
