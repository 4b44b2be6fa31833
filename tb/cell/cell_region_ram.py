# SPDX-License-Identifier: Apache-2.0
"""cell_region_ram: every word of every region is its own."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock
from tb.bus.frames import packed

PARAMETERS = ("REGIONS", "WORDS", "PARTS", "PART_W")
SETS = {
    "one-word": (1, 1, 1, 2),
    "five-regions": (5, 7, 3, 4),
}
MUTATED = "five-regions"


@cocotb.test()
async def keeps_all_words_of_all_regions_apart(dut):
    start_clock(dut)
    names = ("REGIONS", "WORDS", "PARTS", "PART_W")
    regions, words, parts, part_w = (parameter(name) for name in names)
    places = [(region, word) for region in range(regions) for word in range(words)]
    held = {place: random.getrandbits(parts * part_w) for place in places}
    dut.read_enable.value = 0
    for region, word in random.sample(places, len(places)):
        await FallingEdge(dut.clk)
        inputs = {"write_enable": (1 << parts) - 1, "write_region": region, "write_word": word}
        await outputs_for(dut, inputs | {"write_data": held[region, word]})
    await FallingEdge(dut.clk)
    await outputs_for(dut, {"write_enable": 0, "read_enable": 1})
    for region, word in random.sample(places, len(places)):
        await outputs_for(dut, {"read_region": region, "read_word": word})
        await FallingEdge(dut.clk)
        (found,) = await outputs_for(dut, {}, "read_data")
        wanted = held[region, word]
        assert found == wanted, f"region {region}, word {word}: {found:#x}, not {wanted:#x}"


@cocotb.test()
async def writes_the_enabled_parts_and_keeps_the_word_read(dut):
    start_clock(dut)
    names = ("REGIONS", "WORDS", "PARTS", "PART_W")
    regions, words, parts, part_w = (parameter(name) for name in names)
    places = [(region, word) for region in range(regions) for word in range(words)]
    held: dict[tuple[int, int], list[int]] = {}
    shown: list[int] | None = None
    for cycle in range(60 + 12 * len(places)):
        await FallingEdge(dut.clk)
        if shown is not None:
            (found,) = await outputs_for(dut, {}, "read_data")
            wanted = packed(shown, part_w)
            assert found == wanted, f"cycle {cycle}: {found:#x}, not {wanted:#x}"
        place = places[cycle] if cycle < len(places) else random.choice(places)
        data = [random.getrandbits(part_w) for _ in range(parts)]
        enable = (1 << parts) - 1 if place not in held else random.getrandbits(parts)
        wanted_place = random.choice([other for other in held if other != place] or [place])
        reads = wanted_place in held and random.random() < 0.6
        await outputs_for(
            dut,
            {
                "write_enable": enable,
                "write_region": place[0],
                "write_word": place[1],
                "write_data": packed(data, part_w),
                "read_enable": int(reads),
                "read_region": wanted_place[0],
                "read_word": wanted_place[1],
            },
        )
        shown = list(held[wanted_place]) if reads else shown
        parts_held = held.setdefault(place, list(data))
        for part in range(parts):
            if enable >> part & 1:
                parts_held[part] = data[part]
