# SPDX-License-Identifier: Apache-2.0
"""cell_turn_packer: bits of streams that take turns, into each stream's words."""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import reset, start_clock

PARAMETERS = ("STREAMS", "WORD_W")
SETS = {
    "four": (4, 16),
    "one-smallest": (1, 2),
    "three": (3, 8),
    "eight-wide": (8, 32),
}
ILLEGAL = {
    "WORD_W": (1, 12),
}
MUTATED = "three"

ROUNDS = int(os.environ.get("ROUNDS") or 12)


class PackerBench:
    """Appends bits to the stream at turn, and checks in each cycle whether they complete a word."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.streams, self.word_w = map(parameter, ("STREAMS", "WORD_W"))
        self.forget()

    def forget(self) -> None:
        """Begin with nothing that waits."""
        self.waiting = [""] * self.streams
        self.turn = 0

    @classmethod
    async def started(cls, dut) -> PackerBench:
        """A bench after reset."""
        bench = cls(dut)
        dut.enable.value = 0
        start_clock(dut)
        await reset(dut)
        return bench

    async def cycle(self, bits: str, enable: bool, turn: bool, clear: bool) -> None:
        """Show bits to the stream at turn in one cycle."""
        padding = self.word_w - len(bits)
        inputs = {
            "s_bits": int(bits or "0", 2) << padding | random.getrandbits(padding),
            "s_count": len(bits),
            "s_turn": int(turn),
            "s_clear": int(clear),
            "enable": int(enable),
        }
        await FallingEdge(self.dut.clk)
        valid, data = await outputs_for(self.dut, inputs, "m_valid", "m_data")
        before = self.waiting[self.turn]
        story = f"stream {self.turn}: {bits!r} after {before!r}"
        if not enable:
            assert not valid, f"{story}: a word without enable"
            return
        joined = before + bits
        assert valid == (len(joined) >= self.word_w), f"{story}: valid {valid}"
        if valid:
            wanted, joined = joined[: self.word_w], joined[self.word_w :]
            assert data == int(wanted, 2), f"{story}: {data:b}, expected {wanted}"
        self.waiting[self.turn] = "" if clear else joined
        self.turn = (self.turn + turn) % self.streams

    def any_bits(self) -> str:
        """Bits of any number."""
        size = random.choice((0, self.word_w, random.randint(0, self.word_w)))
        return "".join(random.choices("01", k=size))


@cocotb.test()
async def packs_any_bits_of_any_stream(dut):
    bench = await PackerBench.started(dut)
    for _ in range(4 * ROUNDS):
        enabled, stays, clears = (random.choice((0.0, 0.1, 0.5)) for _ in range(3))
        for _ in range(100):
            bits = bench.any_bits()
            chances = (random.random() >= part for part in (enabled, stays))
            await bench.cycle(bits, *chances, random.random() < clears)


@cocotb.test()
async def a_reset_forgets_the_bits_so_far(dut):
    bench = await PackerBench.started(dut)
    for _ in range(3 * ROUNDS):
        for _ in range(random.randint(1, 30)):
            await bench.cycle(bench.any_bits(), True, random.random() < 0.7, False)
        dut.rst.value = 1
        await reset(dut, 1)
        bench.forget()
        for _ in range(3 * bench.streams):
            await bench.cycle(bench.any_bits(), True, True, False)
