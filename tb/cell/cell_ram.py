# SPDX-License-Identifier: Apache-2.0
"""cell_ram: lanes are written apart, a read word shows from the next cycle on and stays."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("DEPTH", "PARTS", "PART_W")
SETS = {
    "one-word": (1, 1, 3),
    "four-lanes": (24, 4, 16),
}
MUTATED = "four-lanes"


@cocotb.test()
async def holds_what_each_lane_was_given(dut):
    start_clock(dut)
    depth, lanes, lane_w = (parameter(name) for name in ("DEPTH", "PARTS", "PART_W"))
    words: dict[tuple[int, int], int] = {}
    read: list[int | None] = [None] * lanes
    for _ in range(2000):
        await FallingEdge(dut.clk)
        address, other = random.randrange(depth), random.randrange(depth)
        data = [random.getrandbits(lane_w) for _ in range(lanes)]
        enable = random.getrandbits(lanes)
        reads = int(random.random() < 0.6 and not (enable and other == address))
        inputs = {
            "write_enable": enable,
            "write_address": address,
            "write_data": sum(lane << (place * lane_w) for place, lane in enumerate(data)),
            "read_enable": reads,
            "read_address": other,
        }
        await outputs_for(dut, inputs)
        found = dut.read_data.value
        for lane, wanted in enumerate(read):
            if wanted is not None:
                got = int(found[(lane + 1) * lane_w - 1 : lane * lane_w])
                assert got == wanted, f"lane {lane}: {got:#x}, expected {wanted:#x}"
        if reads:
            read = [words.get((other, lane)) for lane in range(lanes)]
        for lane in range(lanes):
            if enable >> lane & 1:
                words[address, lane] = data[lane]
