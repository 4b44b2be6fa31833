# SPDX-License-Identifier: Apache-2.0
"""cell_ram: parts are written apart, a read word shows from the next cycle on and stays."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("DEPTH", "PARTS", "PART_W")
SETS = {
    "one-word": (1, 1, 3),
    "four-parts": (24, 4, 16),
}
MUTATED = "four-parts"


@cocotb.test()
async def holds_what_each_part_was_given(dut):
    start_clock(dut)
    depth, parts, part_w = (parameter(name) for name in ("DEPTH", "PARTS", "PART_W"))
    words: dict[tuple[int, int], int] = {}
    read: list[int | None] = [None] * parts
    for _ in range(2000):
        await FallingEdge(dut.clk)
        address, other = random.randrange(depth), random.randrange(depth)
        data = [random.getrandbits(part_w) for _ in range(parts)]
        enable = random.getrandbits(parts)
        reads = int(random.random() < 0.6 and not (enable and other == address))
        inputs = {
            "write_enable": enable,
            "write_address": address,
            "write_data": sum(part << (place * part_w) for place, part in enumerate(data)),
            "read_enable": reads,
            "read_address": other,
        }
        await outputs_for(dut, inputs)
        found = dut.read_data.value
        for part, wanted in enumerate(read):
            if wanted is not None:
                got = int(found[(part + 1) * part_w - 1 : part * part_w])
                assert got == wanted, f"part {part}: {got:#x}, expected {wanted:#x}"
        if reads:
            read = [words.get((other, part)) for part in range(parts)]
        for part in range(parts):
            if enable >> part & 1:
                words[address, part] = data[part]
