# SPDX-License-Identifier: Apache-2.0
"""apack_piece_fetch: the pieces of every block on both ports, read in turn, zeros behind them."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "PIECE_W", "PIECES", "PIECES_AHEAD", "REGION_WORDS")
SETS = {
    "three": (3, 4, 4, 4, 5),
    "one": (1, 16, 1, 2, 3),
    "two-deep": (2, 8, 8, 4, 16),
    "eight": (8, 5, 2, 2, 7),
}
ILLEGAL = {
    "PIECES": (0, 3),
    "PIECES_AHEAD": (1, 3),
}

RUNS = 9
CYCLES = 250
SIDES = ("code", "offset")
BEGIN_TO_TURN = 2  # cycles from s_begin to the first turn to read that counts
TURN_TO_PIECE = 3  # cycles from a stream's turn to the cycle its piece is at hand
SOONEST_CLEAR = 2  # cycles after s_begin
CLEARS_APART = 2  # cycles, at least, between two of a stream


@dataclass
class Lane:
    """One bit stream of a stream: where it reads, and the pieces at hand or under way."""

    opens: int | None = None  # the cycle from which on it reads
    address: int = 0  # of its next piece, in pieces
    left: int = 0  # pieces
    pieces: deque[tuple[int, int]] = field(default_factory=deque)  # cycle from which on, piece
    cleared: int = -CLEARS_APART  # the cycle of the latest CLEAR

    def wants(self, cycle: int, depth: int) -> bool:
        """Whether it is to read in this cycle, if it is its stream's turn."""
        return self.opens is not None and cycle >= self.opens and len(self.pieces) < depth


@dataclass
class Pace:
    """Parts of the cycles in which a port is ready, and in which a stream begins or is cleared."""

    ready: dict[str, float]
    begin: float
    clear: float


def any_pace() -> Pace:
    """Any pace; the two ports may be as fast as they like."""
    ready = {side: random.choice((0.1, 0.5, 0.9, 1.0)) for side in SIDES}
    return Pace(ready, random.choice((0.1, 0.9)), random.choice((0.005, 0.05)))


class FetchBench:
    """The memory, the two ports of an engine and a scheduler of blocks, compared every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.streams, self.piece_w = parameter("STREAMS"), parameter("PIECE_W")
        self.per_word, self.depth = parameter("PIECES"), parameter("PIECES_AHEAD")
        self.region_words = parameter("REGION_WORDS")
        words = (self.streams + 1) * self.region_words
        self.memory = [[self._any_piece() for _ in range(self.per_word)] for _ in range(words)]
        self.ahead = int(self.streams > 1)  # cycles that a port chooses ahead
        self.forget()

    def _any_piece(self) -> int:
        return random.getrandbits(self.piece_w)

    def forget(self) -> None:
        """As after a reset."""
        self.cycle = 0
        self.lanes = {side: [Lane() for _ in range(self.streams)] for side in SIDES}
        self.begun: list[int | None] = [None] * self.streams  # the cycle of s_begin
        self.to_clear: dict[str, set[int]] = {side: set() for side in SIDES}
        self.phase = {side: random.randrange(self.streams) for side in SIDES}
        self.read: int | None = None  # address of the read due in this cycle; -1 for any
        self.answer: int | None = None  # address of the read of the cycle before

    async def reset(self) -> None:
        """Reset in the middle of whatever goes on."""
        for _ in range(random.choice((1, 2))):
            await FallingEdge(self.dut.clk)
            inputs = {"rst": 1, "s_begin": random.getrandbits(1), "read_data": 0}
            await outputs_for(self.dut, inputs | {f"{side}_clear": 0 for side in SIDES})
        self.forget()

    def _begin(self, pace: Pace) -> dict[str, int]:
        """A block for a stream that has none, or nothing."""
        stream = random.randrange(self.streams)
        region = random.randint(0, self.streams)
        code = random.choice((0, 1, random.randint(0, self.region_words)))
        offset = random.choice((0, 1, self.region_words - code))
        offset = min(offset, self.region_words - code)
        clearing = any(stream in streams for streams in self.to_clear.values())
        begin = self.begun[stream] is None and not clearing and random.random() < pace.begin
        if begin:
            self.begun[stream] = self.cycle
            start = region * self.region_words
            for side, first, words in zip(
                SIDES, (start, start + code), (code, offset), strict=True
            ):
                lane = self.lanes[side][stream]
                lane.opens = self.cycle + BEGIN_TO_TURN
                lane.address, lane.left = first * self.per_word, words * self.per_word
        return {
            "s_begin": int(begin),
            "s_begin_stream": stream,
            "s_begin_region": region,
            "s_begin_code": code,
            "s_begin_offset": offset,
        }

    def _choose_clears(self, pace: Pace) -> None:
        """Clear a stream on both ports, each at its turn; one without a block, too."""
        for stream, begun in enumerate(self.begun):
            old = begun is None or self.cycle - begun >= SOONEST_CLEAR
            if old and random.random() < pace.clear:
                for streams in self.to_clear.values():
                    streams.add(stream)

    def _may_clear(self, side: str, stream: int) -> bool:
        """Whether the CLEAR of a stream may come on a port now."""
        lane = self.lanes[side][stream]
        return stream in self.to_clear[side] and self.cycle - lane.cleared >= CLEARS_APART

    def _read_of_turn(self) -> None:
        """The read that the stream at turn starts in this cycle, due on the port in the next."""
        self.answer, self.read = self.read, None
        stream = self.cycle % self.streams
        code, offset = (self.lanes[side][stream] for side in SIDES)
        wanting = [lane for lane in (code, offset) if lane.wants(self.cycle, self.depth)]
        if not wanting:
            return
        lane = min(wanting, key=lambda lane: len(lane.pieces))  # code, when it has as few
        piece, self.read = 0, -1
        if lane.left:
            self.read, place = divmod(lane.address, self.per_word)
            piece = self.memory[self.read][place]
            lane.address, lane.left = lane.address + 1, lane.left - 1
        lane.pieces.append((self.cycle + TURN_TO_PIECE, piece))

    def _read_data(self) -> int:
        """The word that was read in the cycle before; anything when there was none."""
        word = [self._any_piece() for _ in range(self.per_word)]
        if self.answer not in (None, -1):
            word = self.memory[self.answer]
        return sum(piece << self.piece_w * place for place, piece in enumerate(reversed(word)))

    async def step(self, pace: Pace) -> None:
        """One cycle, compared."""
        await FallingEdge(self.dut.clk)
        self._choose_clears(pace)
        turns = {side: (self.cycle + phase) % self.streams for side, phase in self.phase.items()}
        inputs = {"rst": 0, "read_data": self._read_data()} | self._begin(pace)
        for side, turn in turns.items():
            inputs[f"{side}_stream"] = turn
            inputs[f"{side}_clear"] = int(self._may_clear(side, turn) and random.random() < 0.7)
            inputs[f"{side}_ready"] = int(random.random() < pace.ready[side])
        names = ("read_enable", *(f"{side}_valid" for side in SIDES))
        enable, *valid = await outputs_for(self.dut, inputs, *names)
        story = f"cycle {self.cycle} since the reset, inputs {inputs}"
        await self._compare_read(enable, story)
        taken = [
            await self._compare_port(side, turns[side], found, inputs, story)
            for side, found in zip(SIDES, valid, strict=True)
        ]
        self._read_of_turn()
        for side, take in zip(SIDES, taken, strict=True):
            self._after(side, turns[side], take, bool(inputs[f"{side}_clear"]))
        self.cycle += 1

    async def _compare_read(self, enable: int, story: str) -> None:
        wanted = int(self.read is not None)
        assert enable == wanted, f"read_enable is {enable}, not {wanted}: {story}"
        if self.read not in (None, -1):
            (address,) = await outputs_for(self.dut, {}, "read_address")
            assert address == self.read, f"word {address} is read, not {self.read}: {story}"

    async def _compare_port(
        self, side: str, stream: int, valid: int, inputs: dict[str, int], story: str
    ) -> bool:
        """Check what a port shows; whether it is taken."""
        pieces = self.lanes[side][stream].pieces
        there = bool(pieces) and pieces[0][0] <= self.cycle - self.ahead
        story = f"{side} of stream {stream}, pieces {list(pieces)}: {story}"
        assert valid == there, f"{side}_valid is {valid}, not {int(there)}: {story}"
        if there:
            (data,) = await outputs_for(self.dut, {}, f"{side}_data")
            assert data == pieces[0][1], f"{data:#x} is offered, not {pieces[0][1]:#x}: {story}"
        return there and bool(inputs[f"{side}_ready"])

    def _after(self, side: str, stream: int, take: bool, clear: bool) -> None:
        """What the ports did, as it is in the next cycle."""
        lane = self.lanes[side][stream]
        if take:
            lane.pieces.popleft()
        if clear:
            lane.opens = None
            lane.pieces.clear()
            lane.cleared = self.cycle
            self.to_clear[side].discard(stream)
            if not any(stream in streams for streams in self.to_clear.values()):
                self.begun[stream] = None


@cocotb.test()
async def fetches_the_pieces_of_every_block_in_turn(dut):
    bench = FetchBench(dut)
    start_clock(dut)
    for _ in range(RUNS):
        await bench.reset()
        for _ in range(random.choice((1, 3))):
            pace = any_pace()
            for _ in range(random.randint(1, CYCLES)):
                await bench.step(pace)
