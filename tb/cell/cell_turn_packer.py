# SPDX-License-Identifier: Apache-2.0
"""cell_turn_packer: pieces of streams that take turns, into each stream's words."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from model.bitstream.bits import Bits
from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import cycles, reset, start_clock
from tb.bus.frames import assert_frame
from tb.bus.pace import always, any_pace
from tb.bus.turns import TurnMonitor, turn_frame

PARAMETERS = ("STREAMS", "IN_W", "WORD_W")
SETS = {
    "four": (4, 8, 16),
    "one-whole-words": (1, 16, 16),
    "three-smallest": (3, 2, 3),
    "eight-odd": (8, 7, 20),
}
ILLEGAL = {
    "IN_W": (17,),
}

ROUNDS = int(os.environ.get("ROUNDS") or 12)

END = None  # the end of a bit string, among its pieces


class PackerBench:
    """Appends pieces to the stream at turn and checks the words of all streams."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.streams, self.in_w, self.word_w = map(parameter, ("STREAMS", "IN_W", "WORD_W"))
        self.words = TurnMonitor(dut, "m", self.streams)
        self.appended = [""] * self.streams
        self.ended: list[list[str]] = [[] for _ in range(self.streams)]
        self.turn = 0
        self.enabled = 1.0  # part of the cycles, where nothing waits

    @classmethod
    async def started(cls, dut) -> PackerBench:
        """A bench after reset."""
        bench = cls(dut)
        dut.enable.value = 0
        start_clock(dut)
        await reset(dut)
        return bench

    async def append(self, piece: str | None, passes: bool) -> None:
        """Show a piece to the stream at turn until a cycle of enable takes it."""
        count = len(piece or "")
        padding = self.in_w - count
        inputs = {
            "s_stream": self.turn,
            "s_bits": int(piece or "0", 2) << padding | random.getrandbits(padding),
            "s_count": count,
            "s_end": int(piece is END),
            "s_turn": int(passes),
        }
        taken = False
        while not taken:
            await FallingEdge(self.dut.clk)
            waits = self.dut.m_valid.value == 1 and self.dut.m_ready.value == 0
            taken = not waits and random.random() < self.enabled
            # a piece that is not taken yet may be any
            shown = inputs if taken else {name: random.getrandbits(1) for name in inputs}
            await outputs_for(self.dut, {**shown, "enable": int(taken)})
        self.appended[self.turn] += piece or ""
        if piece is END:
            self.ended[self.turn].append(self.appended[self.turn])
            self.appended[self.turn] = ""
        self.turn = (self.turn + passes) % self.streams

    async def rest(self) -> None:
        """No pieces for as long as a word takes to leave at any pace."""
        await FallingEdge(self.dut.clk)
        self.dut.enable.value = 0
        await RisingEdge(self.dut.clk)
        self.words.pace(always())
        await cycles(self.dut, 3)

    async def expect_all(self) -> None:
        """Compare the words of all bit strings that have ended."""
        await self.rest()
        for stream, texts in enumerate(self.ended):
            frames = self.words.of_stream[stream]
            assert len(frames) == len(texts), f"{len(frames)} ends of stream {stream}, not {texts}"
            for frame, text in zip(frames, texts, strict=True):
                wanted = turn_frame(Bits.from_bits(map(int, text)), self.word_w)
                assert_frame(frame, wanted, f"stream {stream}", f"bits {text[:200]}")
            frames.clear()
            texts.clear()

    async def end_all(self) -> None:
        """End the bit strings of all streams."""
        for _ in range(self.streams):
            await self.append(END, True)

    def any_piece(self) -> str:
        """A piece of any length."""
        size = random.choice((0, self.in_w, random.randint(0, self.in_w)))
        return "".join(random.choices("01", k=size))


@cocotb.test()
async def packs_any_pieces_at_any_pace(dut):
    bench = await PackerBench.started(dut)
    for _ in range(ROUNDS):
        bench.words.pace(any_pace())
        bench.enabled = random.choice((1.0, 0.5))
        stays, ends = random.choice((0.0, 0.5)), random.choice((0.02, 0.3))
        for _ in range(150):
            piece = END if random.random() < ends else bench.any_piece()
            await bench.append(piece, random.random() >= stays)
        await bench.end_all()
        await bench.expect_all()


@cocotb.test()
async def ends_a_bit_string_of_every_length(dut):
    bench = await PackerBench.started(dut)
    for length in range(2 * bench.word_w + 2):
        for _ in range(bench.streams):
            for piece in pieces_of(length, lambda: random.randint(1, bench.in_w)):
                await bench.append(piece, False)
            await bench.append(END, True)
    await bench.expect_all()


def pieces_of(length: int, size: Callable[[], int]) -> Iterable[str]:
    """Random bits, `length` in all, in pieces."""
    while length:
        count = min(size(), length)
        yield "".join(random.choices("01", k=count))
        length -= count


@cocotb.test()
async def a_reset_forgets_the_bits_so_far(dut):
    bench = await PackerBench.started(dut)
    for _ in range(2 * ROUNDS):
        bench.words.pace(any_pace())
        for _ in range(random.randint(0, 30)):
            await bench.append(random.choice((END, bench.any_piece())), random.random() < 0.7)
        dut.rst.value = 1
        await reset(dut, 1)
        bench.words.abort()
        bench.words.pace(always())
        bench.appended, bench.turn = [""] * bench.streams, 0
        bench.ended = [[] for _ in range(bench.streams)]
        for _ in range(3):
            await bench.append(bench.any_piece(), True)
        while bench.turn:
            await bench.append("", True)
        await bench.end_all()
        await bench.expect_all()
