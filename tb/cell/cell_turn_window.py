# SPDX-License-Identifier: Apache-2.0
"""cell_turn_window: the next bits of streams that take turns, and who has enough of them."""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "OUT_W", "WORD_W", "LEAST", "SHOW", "AHEAD")
SETS = {
    "four": (4, 16, 16, 12, 1, 4),
    "one": (1, 8, 8, 8, 0, 0),
    "three-smallest": (3, 2, 3, 1, 0, 1),
    "two-long-words": (2, 5, 16, 16, 1, 2),
    "five-ahead": (5, 12, 12, 12, 4, 3),
}
ILLEGAL = {
    "OUT_W": (17,),
    "LEAST": (0, 17),
    "SHOW": (-1, 4),
    "AHEAD": (-1, 5),
}

ROUNDS = int(os.environ.get("ROUNDS") or 12)


class WindowBench:
    """Plays all streams' turns, with the bits that each holds."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("STREAMS", "OUT_W", "WORD_W", "LEAST", "SHOW", "AHEAD")
        self.streams, self.out_w, self.word_w, self.least, self.show, self.ahead = map(
            parameter, names
        )
        self.held = [""] * self.streams  # the bits of each stream, as text
        self.turn = 0

    @classmethod
    async def started(cls, dut) -> WindowBench:
        """A bench in reset."""
        start_clock(dut)
        dut.rst.value = 1
        await FallingEdge(dut.clk)
        return cls(dut)

    async def cycle(self, feed: float, clear: float, rst: float = 0.0) -> None:
        """One turn: remove some bits, add a word if one is wanted, check everything that shows."""
        await FallingEdge(self.dut.clk)
        bits = self.held[self.turn]
        most = min(self.out_w, len(bits))
        removed = random.choice((0, most, random.randint(0, most)))
        clears = random.random() < clear
        word = random.getrandbits(self.word_w)
        inputs = {
            "s_remove": random.randint(0, most) if clears else removed,
            "s_clear": int(clears),
            "s_valid": int(random.random() < feed),
            "s_data": word,
            "rst": int(random.random() < rst),
        }
        outputs = ("m_bits", "s_ready", "m_full")
        shown, ready, full = await outputs_for(self.dut, inputs, *outputs)
        self._check_shown(shown)
        left = bits[removed:]
        wants = len(left) < self.least and not clears
        assert ready == wants, f"s_ready {ready} with {len(left)} bits left, clear {clears}"
        if wants and inputs["s_valid"]:
            left += f"{word:0{self.word_w}b}"
        before, self.held[self.turn] = self.held[:], "" if clears else left
        self._check_full(full, self.held if self.ahead == self.streams else before)
        self.turn = (self.turn + 1) % self.streams
        if inputs["rst"]:
            self.held, self.turn = [""] * self.streams, 0

    def _check_shown(self, shown: int) -> None:
        wanted = self.held[(self.turn + self.show) % self.streams][: self.out_w]
        found = f"{shown:0{self.out_w}b}"[: len(wanted)]
        assert found == wanted, f"shows {found}, expected {wanted}"

    def _check_full(self, full: int, held: list[str]) -> None:
        count = len(held[(self.turn + self.ahead) % self.streams])
        wanted = count >= self.least
        assert full == wanted, f"m_full {full} of a stream with {count} bits"


@cocotb.test()
async def shows_the_bits_of_any_stream_fed_at_any_pace(dut):
    bench = await WindowBench.started(dut)
    for _ in range(ROUNDS):
        feed, clear = random.choice((1.0, 0.5, 0.1)), random.choice((0.0, 0.1))
        for _ in range(150):
            await bench.cycle(feed, clear, rst=0.01)


@cocotb.test()
async def holds_enough_when_fed_in_time(dut):
    bench = await WindowBench.started(dut)
    for _ in range(bench.streams + 1):
        await bench.cycle(feed=1.0, clear=0.0)
    for _ in range(300):
        count = len(bench.held[bench.turn])
        assert count >= bench.least, f"{count} bits at the turn of a stream fed in time"
        await bench.cycle(feed=1.0, clear=0.0)
