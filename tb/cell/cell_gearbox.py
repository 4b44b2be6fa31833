# SPDX-License-Identifier: Apache-2.0
"""cell_gearbox: pieces of any size to words, in order, each bit string padded at its end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("IN_W", "OUT_W", "UNIT_W")
SETS = {
    "default": (64, 64, 1),
    "narrower": (128, 64, 64),
    "wider": (12, 16, 4),
    "bits": (5, 1, 1),
    "small-words": (40, 16, 8),
    "words": (64, 64, 64),
}
MUTATED = "wider"
ILLEGAL = {
    "UNIT_W": (24, 128),
}

CYCLES = 2500
STRETCH = 60  # cycles at one pace at most
RATES = (0.1, 0.5, 0.9, 1.0)  # of cycles in which an end of the gearbox is willing


@dataclass
class Held:
    """What the gearbox holds: some bits, and whether the bit string ends with them."""

    bits: str = ""
    ended: bool = False

    def word(self, width: int) -> tuple[int, int] | None:
        """The word that it shows and whether it is the last, or None."""
        if len(self.bits) < width and not self.ended:
            return None
        last = self.ended and len(self.bits) <= width
        return int(self.bits[:width].ljust(width, "0"), 2), int(last)

    def without_word(self, width: int) -> Held:
        """What is left when the word is gone."""
        left = self.bits[width:]
        return Held(left, self.ended and bool(left))

    def has_room(self, width: int) -> bool:
        """Whether a piece fits behind what is held."""
        return not self.ended and len(self.bits) < width


def any_piece(width: int, unit: int) -> tuple[str, int]:
    """The bits of a piece, whole units of them, and whether a bit string ends with it."""
    most = width // unit
    count = random.choice((most, 1, random.randint(1, most)))
    return "".join(random.choices("01", k=count * unit)), int(random.random() < 0.25)


def noise(width: int, unit: int) -> dict[str, int]:
    """What stands on the input while nothing is offered."""
    names = {"s_data": width, "s_count": (width // unit).bit_length(), "s_last": 1}
    return {name: random.getrandbits(bits) for name, bits in names.items()} | {"s_valid": 0}


def rates() -> Iterator[tuple[float, float]]:
    """How willing both ends are, for each cycle."""
    while True:
        pair = random.choice(RATES), random.choice(RATES)
        for _ in range(random.randint(1, STRETCH)):
            yield pair


async def reset(dut) -> None:
    """Empty the gearbox."""
    dut.rst.value = 1
    dut.s_valid.value = 0
    for _ in range(2):
        await FallingEdge(dut.clk)
    dut.rst.value = 0


@cocotb.test()
async def takes_and_gives_the_bits_it_should_in_every_cycle(dut):
    """At any pace of both ends, with resets in between."""
    in_w, out_w, unit = parameter("IN_W"), parameter("OUT_W"), parameter("UNIT_W")
    start_clock(dut)
    await reset(dut)
    held, offered = Held(), None
    for _, (fed, taken) in zip(range(CYCLES), rates(), strict=False):
        offered = offered or (any_piece(in_w, unit) if random.random() < fed else None)
        inputs = noise(in_w, unit)
        if offered:
            bits, last = offered
            data = int(bits.ljust(in_w, "0"), 2)
            inputs = {"s_data": data, "s_count": len(bits) // unit, "s_last": last, "s_valid": 1}
        inputs |= {"m_ready": int(random.random() < taken), "rst": int(random.random() < 0.02)}
        ready, valid, *word = await outputs_for(
            dut, inputs, "s_ready", "m_valid", "m_data", "m_last"
        )
        story = f"{held}, m_ready {inputs['m_ready']}; test seed {cocotb.RANDOM_SEED}"
        wanted = held.word(out_w)
        assert valid == (wanted is not None), f"m_valid is {valid} with {story}"
        assert wanted in (None, tuple(word)), f"word {word}, expected {wanted}, with {story}"
        if valid and inputs["m_ready"]:
            held = held.without_word(out_w)
        assert ready == held.has_room(out_w), f"s_ready is {ready} with {story}"
        if offered and ready:
            held, offered = Held(held.bits + offered[0], bool(offered[1])), None
        if inputs["rst"]:
            held, offered = Held(), None
        await FallingEdge(dut.clk)


@cocotb.test()
@cocotb.skipif(parameter("IN_W") < parameter("OUT_W"), reason="no piece is a whole word")
async def passes_whole_words_every_cycle(dut):
    in_w, units = parameter("IN_W"), parameter("OUT_W") // parameter("UNIT_W")
    start_clock(dut)
    await reset(dut)
    for word in range(20):
        inputs = {"s_data": 1 << (in_w - 1), "s_count": units, "s_last": word % 3 == 0}
        (ready,) = await outputs_for(dut, inputs | {"s_valid": 1, "m_ready": 1}, "s_ready")
        assert ready == 1, f"word {word} has to wait"
        await FallingEdge(dut.clk)
        (valid,) = await outputs_for(dut, {}, "m_valid")
        assert valid == 1, f"word {word} does not show in the next cycle"
