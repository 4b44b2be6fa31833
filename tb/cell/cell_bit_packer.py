# SPDX-License-Identifier: Apache-2.0
"""cell_bit_packer: pieces of a bit stream into words."""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.triggers import Event

from model.bitstream.bits import Bits
from tb.bus.cycles import cycles, now, reset, start_clock, within
from tb.bus.frames import assert_frame, word_frame
from tb.bus.pace import any_pace, rarely
from tb.bus.streams import StreamDriver, StreamMonitor

PARAMETERS = ("IN_W", "WORD_W")
SETS = {
    "default": (8, 32),
    "whole-words": (32, 32),
    "smallest": (2, 3),
    "odd": (5, 7),
}
ILLEGAL = {
    "IN_W": (33,),
}
MUTATED = "odd"

ROUNDS = int(os.environ.get("ROUNDS") or 12)

Pieces = list[str]  # each piece's bits, as text


class PieceDriver(StreamDriver):
    """Sends pieces."""

    _signals = ("valid", "ready")
    _optional_signals = ("bits", "count", "last")


class PackerBench:
    """Sends streams of pieces and checks the words."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.in_w, self.word_w = int(dut.IN_W.value), int(dut.WORD_W.value)
        self.pieces_in = PieceDriver(dut, "s")
        self.words = StreamMonitor(dut, "m_axis")

    @classmethod
    async def started(cls, dut) -> PackerBench:
        """A bench after reset."""
        bench = cls(dut)
        start_clock(dut)
        await reset(dut)
        return bench

    def beat(self, piece: str, last: int) -> dict[str, int]:
        """One piece; what stands behind its bits is random."""
        padding = self.in_w - len(piece)
        bits = int(piece or "0", 2) << padding | random.getrandbits(padding)
        return {"bits": bits, "count": len(piece), "last": last}

    def send(self, pieces: Pieces) -> Event:
        """Send a stream; returns the event of its last piece being taken."""
        taken = Event()
        beats = [self.beat(piece, 0) for piece in pieces]
        beats[-1]["last"] = 1
        self.pieces_in.append(beats, event=taken)
        return taken

    async def expect(self, pieces: Pieces) -> None:
        """Wait for a stream and compare its words."""
        bits = Bits.from_bits(map(int, "".join(pieces)))
        frame = await self.words.next_frame(500 + 40 * len(pieces))
        story = f"pieces {pieces[:60]}"
        assert_frame(frame, word_frame(bits, self.word_w), "words", story)

    def random_pieces(self, count: int) -> Pieces:
        """Pieces of any length, among them empty and full ones."""
        sizes = [random.choice((0, self.in_w, random.randint(0, self.in_w))) for _ in range(count)]
        return ["".join(random.choices("01", k=size)) for size in sizes]

    def pieces_of(self, length: int) -> Pieces:
        """A stream of exactly `length` bits."""
        text, pieces = "".join(random.choices("01", k=length)), []
        while text:
            size = random.randint(1, self.in_w)
            pieces.append(text[:size])
            text = text[size:]
        return pieces or [""]


@cocotb.test()
async def packs_any_pieces_at_any_pace(dut):
    bench = await PackerBench.started(dut)
    for _ in range(2 * ROUNDS):
        bench.pieces_in.set_valid_generator(any_pace())
        bench.words.pace(any_pace())
        streams = [bench.random_pieces(random.choice((1, 2, 40))) for _ in range(5)]
        for pieces in streams:
            bench.send(pieces)
        for pieces in streams:
            await bench.expect(pieces)


@cocotb.test()
async def takes_pieces_while_no_word_may_leave(dut):
    bench = await PackerBench.started(dut)
    pieces = bench.pieces_of(3 * bench.word_w)
    bench.words.pace(rarely(1000))
    await cycles(dut, 5)
    bench.send(pieces)
    await cycles(dut, 20)
    held = sum(len(piece) for piece in pieces[: bench.pieces_in.sent])
    assert held >= bench.word_w, f"{held} bits taken"
    bench.words.pace(None)
    await bench.expect(pieces)


@cocotb.test()
async def ends_a_stream_of_every_length(dut):
    bench = await PackerBench.started(dut)
    for length in range(3 * bench.word_w + 2):
        for end in ([], [""]):
            pieces = bench.pieces_of(length) + end
            bench.send(pieces)
            await bench.expect(pieces)


@cocotb.test()
async def takes_a_piece_a_cycle(dut):
    bench = await PackerBench.started(dut)
    for _ in range(ROUNDS):
        streams = [bench.random_pieces(random.choice((1, 3, 50))) for _ in range(5)]
        begin = now()
        taken = [bench.send(pieces) for pieces in streams][-1]
        await within(5000, taken.wait(), "the last piece")
        spent = now() - begin - 1  # the driver starts at the next rising edge
        # the last stream's extra cycle comes after its last piece
        extra = sum(extra_cycles(pieces, bench.word_w) for pieces in streams[:-1])
        allowed = sum(map(len, streams)) + extra
        assert spent <= allowed, f"{spent} cycles for {streams}, expected {allowed}"
        for pieces in streams:
            await bench.expect(pieces)


def extra_cycles(pieces: Pieces, word_w: int) -> int:
    """1 where the last piece needs two words, else 0; a full word waits for what follows it."""
    before = len("".join(pieces[:-1]))
    waiting = (before - 1) % word_w + 1 if before else 0
    return int(waiting + len(pieces[-1]) > word_w)


@cocotb.test()
async def a_reset_forgets_the_bits_so_far(dut):
    bench = await PackerBench.started(dut)
    for _ in range(3 * ROUNDS):
        bench.words.pace(any_pace())
        bench.send(bench.random_pieces(30))
        bench.send(bench.random_pieces(3))
        await cycles(dut, random.randint(0, 45))
        dut.rst.value = 1
        bench.pieces_in.abort()
        await reset(dut, 1)
        bench.words.abort()
        pieces = bench.random_pieces(4)
        bench.send(pieces)
        await bench.expect(pieces)
