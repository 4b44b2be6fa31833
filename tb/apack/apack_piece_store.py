# SPDX-License-Identifier: Apache-2.0
"""apack_piece_store: pieces where they were taken, and which blocks are raw."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import FallingEdge, Timer

from tb.bus.combinational import parameter
from tb.bus.cycles import reset, start_clock

PARAMETERS = ("STREAMS", "VALUE_W", "CODE_W", "PIECE_W", "WORD_W", "BLOCK_VALUES")
SETS = {
    "four": (4, 8, 16, 16, 64, 64),
    "one-smallest": (1, 2, 3, 16, 16, 8),
    "two-long-code": (2, 16, 32, 16, 32, 32),
    "four-odd-words": (4, 7, 16, 16, 64, 32),
    "eight-long-pieces": (8, 16, 17, 32, 64, 64),
}
ILLEGAL = {
    "STREAMS": (0, 3, 16),
    "VALUE_W": (1, 17),
    "PIECE_W": (24,),
    "WORD_W": (8, 48),
}
MUTATED = "two-long-code"

ROUNDS = int(os.environ.get("ROUNDS") or 12)

MOST_AHEAD = 8  # after a value; the take of a value may come before the piece that it completes
OFFSETS = -1
SIGNALS = (
    "s_code_take", "s_offset_take", "s_code_valid", "s_far", "s_end", "s_offset_valid", "m_taken",
    "read_enable",
)  # fmt: skip


@dataclass
class Block:
    """A block on its way: owner and value of each piece in the order of the takes."""

    values: int
    owners: list[int]
    pieces: list[int | None] = field(default_factory=list)
    far: bool = False

    def open_places(self, owner: int) -> list[int]:
        """Places of an owner that wait for their pieces."""
        places = enumerate(self.owners)
        return [at for at, its in places if its == owner and self.pieces[at] is None]


class StoreBench:
    """Plays the engine: takes and completes pieces of one block after the other."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("STREAMS", "VALUE_W", "PIECE_W", "WORD_W", "BLOCK_VALUES")
        self.streams, self.value_w, self.piece_w, self.word_w, self.most = map(parameter, names)
        self.first = -(-parameter("CODE_W") // self.piece_w)
        self.parts = self.word_w // self.piece_w
        self.region = 0
        self.coded = 0  # whether the cycle before had a code piece
        self.offset: tuple[int, int] | None = None  # what waits on s_offset_*: piece, last

    @classmethod
    async def started(cls, dut) -> StoreBench:
        """A bench after reset."""
        bench = cls(dut)
        for name in SIGNALS:
            getattr(dut, name).value = 0
        start_clock(dut)
        await reset(dut)
        return bench

    def block(self, values: int) -> Block:
        """A block with its first pieces taken."""
        owners = [k for k in range(self.streams) for _ in range(self.first)]
        return Block(values, owners, [None] * len(owners))

    async def cycle(self, **signals: int) -> dict[str, int]:
        """One cycle with these signals high; returns what is seen in it."""
        dut = self.dut
        await FallingEdge(dut.clk)
        noise = {
            "s_stream": random.randrange(self.streams),
            "s_take_number": random.getrandbits(4),
            "s_code_number": random.getrandbits(4),
            "s_code_first": random.getrandbits(1),
            "s_code_data": random.getrandbits(self.piece_w),
            "s_offset_data": random.getrandbits(self.piece_w),
            "s_offset_last": random.getrandbits(1),
            "read_word": random.getrandbits(len(dut.read_word)),
            "read_region": random.getrandbits(1),
        }
        if self.offset:
            noise |= {"s_offset_data": self.offset[0], "s_offset_last": self.offset[1]}
        quiet = dict.fromkeys(SIGNALS, 0) | {"s_offset_valid": int(self.offset is not None)}
        for name, value in {**noise, **quiet, **signals}.items():
            getattr(dut, name).value = value
        await Timer(1, "ns")
        assert dut.s_offset_ready.value == 1 - self.coded, "one write port, and code comes first"
        self.coded = signals.get("s_code_valid", 0)
        last = self.offset is not None and self.offset[1]
        assert not (last and dut.m_valid.value == 1), "the block shows, its last piece waits"
        if self.offset and dut.s_offset_ready.value == 1:
            self.offset = None
        names = ("m_valid", "m_raw", "m_pieces", "read_data")
        return {name: getattr(dut, name).value for name in names}

    async def fill(self, block: Block, takes: int, pace: float) -> None:
        """Take so many places and complete what may be; the offset stream is one piece behind."""
        self.dut.s_values.value = block.values
        held: int | None = None  # place of the offset piece that is filled
        while takes:
            stream = random.randrange(self.streams)
            signals: dict[str, int] = {"s_stream": stream}
            waiting = block.open_places(stream)
            if waiting and random.random() < pace and len(waiting) > 1:
                signals |= self._complete(block, stream, waiting[0])
            if takes and random.random() < 0.5 and len(waiting) <= MOST_AHEAD:
                signals |= {"s_code_take": 1, "s_take_number": block.owners.count(stream) % 16}
                block.owners.append(stream)
                block.pieces.append(None)
                takes -= 1
            leaves: int | None = None
            if takes and self.offset is None and random.random() < 0.5:
                signals["s_offset_take"] = 1
                leaves, held = held, len(block.owners)
                block.owners.append(OFFSETS)
                block.pieces.append(None)
                takes -= 1
            await self.cycle(**signals)
            if leaves is not None:
                self._offset(block, leaves, 0)
        await self._end(block, held)

    def _complete(self, block: Block, stream: int, place: int) -> dict[str, int]:
        """The signals of a code piece that is complete."""
        number = block.owners[:place].count(stream)
        block.pieces[place] = random.getrandbits(self.piece_w)
        return {
            "s_stream": stream,
            "s_code_valid": 1,
            "s_code_data": block.pieces[place],
            "s_code_number": number % 16,
            "s_code_first": int(number < self.first),
        }

    def _offset(self, block: Block, place: int, last: int) -> None:
        block.pieces[place] = random.getrandbits(self.piece_w)
        self.offset = (block.pieces[place], last)

    async def _end(self, block: Block, held: int | None) -> None:
        """Complete all streams, the last piece with the block's end."""
        while self.offset:
            await self.cycle()
        left = [
            (stream, place)
            for stream in random.sample(range(self.streams), self.streams)
            for place in block.open_places(stream)
        ]
        if block.far:
            await self.cycle(s_far=1)
        for at, (stream, place) in enumerate(left):
            while random.random() < 0.2:
                await self.cycle()
            end = int(at == len(left) - 1)
            await self.cycle(**self._complete(block, stream, place), s_end=end)
        if held is not None:
            self._offset(block, held, 1)

    def raw(self, block: Block) -> bool:
        """Whether the block is stored raw."""
        return block.far or self._words(len(block.owners)) > self._words(self._raw_pieces(block))

    def _raw_pieces(self, block: Block) -> int:
        return -(-block.values * self.value_w // self.piece_w)

    def _words(self, pieces: int) -> int:
        return -(-pieces // self.parts)

    async def expect(self, block: Block) -> None:
        """Check what is said of a block that has ended, then its words."""
        for _ in range(12):
            seen = await self.cycle()
            if seen["m_valid"] == 1:
                break
        else:
            raise AssertionError("hang: an ended block does not show")
        raw = self.raw(block)
        pieces = self._raw_pieces(block) if raw else len(block.owners)
        story = f"{block.values} values, {len(block.owners)} pieces, far {block.far}"
        found = (seen["m_raw"] == 1, int(seen["m_pieces"]))
        assert found == (raw, pieces), f"{found}, expected {(raw, pieces)}: {story}"
        for _ in range(random.randint(0, 3)):
            held = await self.cycle()
            assert (held["m_valid"] == 1, int(held["m_pieces"])) == (True, pieces), story
        await self.cycle(m_taken=1)
        assert (await self.cycle())["m_valid"] == 0, f"taken and shown again: {story}"
        if not raw:
            await self.read(block, story)
        self.region ^= 1

    async def read(self, block: Block, story: str) -> None:
        """Check all words of a coded block, in any order."""
        words = range(self._words(len(block.owners)))
        for word in random.sample(words, len(words)):
            await self.cycle(read_enable=1, read_word=word, read_region=self.region)
            for _ in range(random.randint(0, 2)):
                await self.cycle()
            data = str((await self.cycle())["read_data"])
            for part, piece in enumerate(block.pieces[word * self.parts :][: self.parts]):
                found = data[part * self.piece_w : (part + 1) * self.piece_w]
                assert found == f"{piece:0{self.piece_w}b}", f"piece {part} of word {word}: {story}"

    def any_takes(self, values: int, near: bool) -> int:
        """Takes of a block of so many values, near the number from which on it is raw or any."""
        firsts = self.streams * self.first
        limit = self._words(-(-values * self.value_w // self.piece_w)) * self.parts - firsts
        takes = limit + random.randint(-2, 2) if near else random.randint(0, 2 * values)
        return min(max(takes, 0), 2 * values)


@cocotb.test()
async def places_pieces_and_says_which_blocks_are_raw(dut):
    bench = await StoreBench.started(dut)
    for _ in range(6 * ROUNDS):
        values = random.choice((bench.most, random.randint(1, bench.most)))
        block = bench.block(values)
        block.far = random.random() < 0.1
        takes = bench.any_takes(values, random.random() < 0.6)
        await bench.fill(block, takes, random.choice((0.9, 0.4)))
        await bench.expect(block)


@cocotb.test()
async def keeps_a_block_while_the_next_one_is_written(dut):
    bench = await StoreBench.started(dut)
    before: Block | None = None
    for _ in range(3 * ROUNDS):
        block = bench.block(bench.most)
        takes = bench.any_takes(bench.most, True)
        await bench.fill(block, takes, 0.9)
        await bench.expect(block)
        if before and not bench.raw(before):
            await bench.read(before, "the block before")
        before = block


@cocotb.test()
async def begins_anew_after_a_reset(dut):
    bench = await StoreBench.started(dut)
    for _ in range(2 * ROUNDS):
        block = bench.block(bench.most)
        block.far = random.random() < 0.5
        await bench.fill(block, random.randint(0, bench.most), 0.5)
        for _ in range(random.randint(0, 4)):
            await bench.cycle()
        dut.rst.value = 1
        await reset(dut, 1)
        bench.region, bench.offset, bench.coded = 0, None, 0
        block = bench.block(bench.most)
        await bench.fill(block, bench.any_takes(bench.most, False), 0.9)
        await bench.expect(block)
