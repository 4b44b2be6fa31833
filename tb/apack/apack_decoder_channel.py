# SPDX-License-Identifier: Apache-2.0
"""apack_decoder_channel: blocks in, checked values out in order, whatever the blocks hold."""

from __future__ import annotations

import os
import random
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntFlag

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from model.apack import Bits, EncodedBlock, Interval, SymbolTable, encode_block
from tb.apack.env.coder import describe, story_of
from tb.apack.env.expected import endless, flipped, number, resized, verbatim
from tb.apack.env.memory_image import first_difference
from tb.apack.env.rows import row_buses
from tb.apack.env.widths import EngineWidths
from tb.bus.cycles import cycles, now, reset, start_clock, until

PARAMETERS = (
    "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W", "PIECES", "LANES",
    "BLOCK_VALUES",
)  # fmt: skip
SETS = {
    "one": (1, 8, 16, 10, 16, 16, 4, 8, 128),
    "two-smallest": (2, 2, 2, 1, 3, 3, 1, 1, 8),
    "three-narrow": (3, 3, 3, 2, 4, 4, 2, 2, 8),
    "three-wide": (3, 16, 6, 14, 16, 32, 2, 4, 8),
    "four": (4, 8, 16, 10, 16, 16, 4, 8, 32),
    "five-narrow": (5, 4, 5, 6, 8, 8, 2, 2, 32),
    "six-one-row": (6, 12, 1, 4, 10, 16, 1, 8, 8),
    "seven-long-code": (7, 7, 11, 16, 20, 24, 1, 16, 16),
    "eight": (8, 8, 16, 10, 16, 16, 4, 8, 16),
}
ILLEGAL = {
    "STREAMS": (0, 9),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "PIECE_W": (15,),
    "short-piece": {"VALUE_W": 14, "CODE_W": 12, "PIECE_W": 13},
    "PIECES": (3,),
    "LANES": (6,),
    "BLOCK_VALUES": (0, 4, 96),
}
MUTATED = "three-narrow"
ICARUS_ROUNDS = {
    "one": 1, "two-smallest": 6, "three-narrow": 1, "three-wide": 1, "four": 1, "five-narrow":
    2, "six-one-row": 2, "seven-long-code": 1, "eight": 1,
}  # fmt: skip

ROUNDS = int(os.environ.get("ROUNDS") or 6)
SETTLING = 16  # cycles without room after a reset
BLOCK_FIELDS = ("count", "code_bits", "offset_bits", "code_words", "offset_words", "crc", "cause")
HELD = 3  # beats that may have left their region and wait at the output


class Cause(IntFlag):
    """What can be wrong with a block."""

    LENGTH = 1
    CODE = 2
    OFFSET = 4
    PADDING = 8
    CRC = 16
    TRUNCATED = 32


SKIPPED = Cause.LENGTH | Cause.TRUNCATED


@dataclass(frozen=True)
class ChannelWidths(EngineWidths):
    """The parameters of a channel; word_w is that of its memory words."""

    lanes: int
    most: int

    def beats(self, count: int) -> int:
        """Beats of so many values of a block."""
        return -(-count // self.lanes)

    @classmethod
    def of(cls, dut) -> ChannelWidths:
        """Those that `dut` was built with."""
        names = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W", "STREAMS")
        *coder, piece_w, streams = (int(getattr(dut, name).value) for name in names)
        names = ("PIECES", "LANES", "BLOCK_VALUES")
        pieces, lanes, most = (int(getattr(dut, name).value) for name in names)
        return cls(*coder, piece_w * pieces, 16, streams, lanes, most)


@dataclass(frozen=True)
class Stored:
    """A block as it is brought, and what must come of it.

    words: as many as are brought, which may be fewer than the lengths say in a truncated block.
    given: what the bringer says is wrong with it.
    """

    count: int
    code: Bits
    offsets: Bits
    words: list[int]
    crc: int
    given: Cause
    cause: Cause
    values: list[int]
    story: str


def crc_of(values: Sequence[int], value_w: int) -> int:
    """The CRC of a block's values (docs/apack/format.md, section 4)."""
    return zlib.crc32(np.array(values, "<u1" if value_w <= 8 else "<u2").tobytes())


def decoded(block: EncodedBlock, table: SymbolTable, code_w: int) -> tuple[list[int], Cause]:
    """All values of a coded block, sound or not, by the model's interval; and what is wrong.

    Where the model's decode_block stops at the first fault, this goes on to the last value.
    """
    interval, bits, offset_bits = Interval(code_w), endless(block.code), endless(block.offsets)
    code, shifts, widths, cause = number(bits, code_w), 0, 0, Cause(0)
    values = []
    for _ in range(block.count):
        distance = code - interval.low
        symbol = next(
            s
            for s in range(table.groups)
            if distance < interval.slice_start(table.cum[s + 1], table.count_w)
        )
        offset = number(offset_bits, table.offset_w[symbol])
        widths += table.offset_w[symbol]
        if offset >= table.sizes[symbol]:
            cause |= Cause.OFFSET
        values.append((table.base[symbol] + offset) % (1 << table.value_w))
        interval.narrow(table, symbol)
        for taken in interval.shifts():
            code = 2 * (code - taken) + next(bits)
            shifts += 1
    if shifts + 2 != block.code.bits:
        cause |= Cause.CODE
    if widths != block.offsets.bits:
        cause |= Cause.OFFSET
    return values, cause


@dataclass
class Beats:
    """The beats of the block that is coming out."""

    data: list[int] = field(default_factory=list)
    causes: set[int] = field(default_factory=set)


class DecoderChannelBench:
    """Brings blocks, takes beats at a pace, compares each block with the model."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.widths = ChannelWidths.of(dut)
        self.table = self.widths.random_table()
        self.pause = 0.0  # part of the cycles in which the bringer does nothing
        self.taken = 1.0  # part of the cycles in which a beat is taken
        self.to_bring: deque[Stored] = deque()
        self.awaited: deque[Stored] = deque()
        self.brought = 0  # blocks that are in
        self.compared = 0  # blocks that came out
        self._room = False
        self._settled = 0  # cycles since the reset
        self._bringing: list[int] | None = None  # words left of the block that is being brought
        self._beats = Beats()
        self._waiting: tuple[int, ...] | None = None

    @classmethod
    async def started(cls, dut) -> DecoderChannelBench:
        """A bench after reset."""
        bench = cls(dut)
        bench.show(bench.table)
        start_clock(dut)
        dut.rst.value = 1
        cocotb.start_soon(bench._run())
        await reset(dut)
        return bench

    def show(self, table: SymbolTable) -> None:
        """Put a table on the row buses."""
        self.table = table
        for name, rows in row_buses(table, self.widths.symbols).items():
            getattr(self.dut, name).value = rows

    async def restart(self) -> None:
        """Reset in the middle of whatever goes on, and forget it."""
        self.dut.rst.value = 1
        self.forget()
        await reset(self.dut, 1)

    def forget(self) -> None:
        """Begin anew."""
        self.to_bring.clear()
        self.awaited.clear()
        self.brought = self.compared = 0
        self._bringing, self._beats, self._waiting = None, Beats(), None

    # ---- blocks

    def stored(self, block: EncodedBlock, crc: int, given: Cause, story: str) -> Stored:
        """A block of these streams, coded unless it has no code bits, with what must come of it."""
        width = self.widths.value_w
        if block.code.bits:
            values, cause = decoded(block, self.table, self.widths.code_w)
        else:
            stream = endless(block.offsets)
            values, cause = [number(stream, width) for _ in range(block.count)], Cause(0)
        if crc_of(values, width) != crc:
            cause |= Cause.CRC
        cause = given if given & SKIPPED else cause | given
        words = [int(w) for b in (block.code, block.offsets) for w in b.words(self.widths.word_w)]
        story = f"{story}; {describe(block)}; table {self.table.to_json()}"
        values = [0] * block.count if cause else values
        return Stored(
            block.count, block.code, block.offsets, words, crc, given, cause, values, story
        )

    def encoded(self, values: Sequence[int]) -> EncodedBlock:
        """The values coded, or raw if that takes fewer bits or words."""
        values = [int(value) for value in values]
        raw = EncodedBlock(len(values), Bits.from_bits(()), verbatim(values, self.widths.value_w))
        coded = encode_block(np.array(values, np.uint16), self.table, self.widths.code_w)
        return coded if coded.bits <= raw.bits and self.fits(coded) else raw

    def fits(self, block: EncodedBlock) -> bool:
        """Whether a block takes no more words than it would raw."""
        word_w = self.widths.word_w
        words = -(-block.code.bits // word_w) - (-block.offsets.bits // word_w)
        return words <= -(-block.count * self.widths.value_w // word_w)

    def sound(self, length: int) -> Stored:
        """A sound block of any values."""
        values = self.widths.any_values(self.table, length)
        crc = crc_of(values, self.widths.value_w)
        return self.stored(self.encoded(values), crc, Cause(0), story_of(self.table, values, 0))

    def raw(self, length: int) -> Stored:
        """A sound raw block."""
        values = [int(value) for value in self.widths.any_values(self.table, length)]
        block = EncodedBlock(length, Bits.from_bits(()), verbatim(values, self.widths.value_w))
        return self.stored(block, crc_of(values, self.widths.value_w), Cause(0), "raw")

    def damaged(self, length: int) -> Stored:
        """A block with something wrong, which may turn out to be harmless."""
        values = self.widths.any_values(self.table, length)
        block, crc = self.encoded(values), crc_of(values, self.widths.value_w)
        kinds = (
            self._bit,
            self._length,
            self._crc,
            self._given,
            self._noise,
            self.cut,
            self.beyond,
        )
        return random.choice(kinds)(block, crc)

    def missing(self, length: int, given: Cause) -> Stored:
        """A block without words, of which it is known that it has no values."""
        block = EncodedBlock(length, Bits.from_bits((1,) * length), Bits.from_bits((1,)))
        values = [0] * length
        return Stored(
            length, block.code, block.offsets, [], 0, given, given, values, f"given {given!r}"
        )

    async def latency(self, block: Stored) -> int:
        """Cycles that a block takes in an idle channel, with what it costs to see its end."""
        await cycles(self.dut, SETTLING + 1)
        begin = now()
        self.send(block)
        await self.expect_all()
        return now() - begin

    def unsound(self, length: int) -> Stored:
        """A block of any values with another CRC."""
        values = self.widths.any_values(self.table, length)
        return self._crc(self.encoded(values), crc_of(values, self.widths.value_w))

    def _bit(self, block: EncodedBlock, crc: int) -> Stored:
        """Some bits of a stream inverted."""
        name = random.choice([n for n in ("code", "offsets") if getattr(block, n).bits] or [""])
        if name:
            bits = getattr(block, name)
            places = random.sample(range(bits.bits), random.randint(1, min(3, bits.bits)))
            block = replace(block, **{name: flipped(bits, places)})
        return self.stored(block, crc, Cause(0), f"bits of {name} inverted")

    def _length(self, block: EncodedBlock, crc: int) -> Stored:
        """A stream a little longer or shorter, the words that it needs with it."""
        name = random.choice(("code", "offsets") if block.code.bits else ("offsets",))
        bits = getattr(block, name)
        least = 1 if name == "code" else 0
        changed = resized(bits, max(least, bits.bits + random.choice((-9, -2, -1, 1, 2, 9))))
        other = replace(block, **{name: changed})
        if not block.code.bits or not self.fits(other):
            return self._crc(block, crc)
        return self.stored(other, crc, Cause(0), f"{name} of {bits.bits} bits before")

    def _crc(self, block: EncodedBlock, crc: int) -> Stored:
        return self.stored(block, crc ^ 1 << random.randrange(32), Cause(0), "another CRC")

    def _given(self, block: EncodedBlock, crc: int) -> Stored:
        """A block of which is known that it is damaged."""
        given = random.choice((Cause.PADDING, Cause.LENGTH, Cause.TRUNCATED, SKIPPED))
        stored = self.stored(block, crc, given, f"given {given!r}")
        if not given & SKIPPED:
            return stored
        words = stored.words[: random.randint(0, len(stored.words))]
        return replace(stored, words=words)

    def _noise(self, block: EncodedBlock, crc: int) -> Stored:
        """Random bits in both streams."""
        code, offsets = (
            Bits.from_bits(random.choices((0, 1), k=bits.bits))
            for bits in (block.code, block.offsets)
        )
        return self.stored(replace(block, code=code, offsets=offsets), crc, Cause(0), "noise")

    def cut(self, block: EncodedBlock, crc: int) -> Stored:
        """Both streams without their ends, and the CRC of what they hold then: zeros go on."""
        if not block.code.bits:
            return self._crc(block, crc)
        code = resized(block.code, random.choice((1, 2, random.randint(1, block.code.bits))))
        offsets = resized(block.offsets, random.randint(0, block.offsets.bits))
        short = replace(block, code=code, offsets=offsets)
        if not self.fits(short):
            return self.raw(block.count)
        values, _ = decoded(short, self.table, self.widths.code_w)
        return self.stored(short, crc_of(values, self.widths.value_w), Cause(0), "cut")

    def beyond(self, block: EncodedBlock, crc: int) -> Stored:
        """Any or high offsets up to a random place, and the CRC of what they make."""
        if not block.code.bits:
            return self._crc(block, crc)
        bits = block.offsets.array().tolist()
        place = random.randint(0, len(bits))
        high = random.choices((0, 1), weights=(random.choice((0, 1)), 1), k=place)
        other = replace(block, offsets=Bits.from_bits([*high, *bits[place:]]))
        if not self.fits(other):
            return self.raw(block.count)
        values, _ = decoded(other, self.table, self.widths.code_w)
        return self.stored(other, crc_of(values, self.widths.value_w), Cause(0), "beyond")

    def any_coded(self) -> EncodedBlock:
        """A few values, coded even if that takes more words than raw."""
        values = self.widths.any_values(self.table, min(self.widths.most, 16))
        return encode_block(np.array(values, np.uint16), self.table, self.widths.code_w)

    def any_block(self, wrong: float = 0.4) -> Stored:
        """A block of any length, in a part of `wrong` of all cases damaged."""
        length = random.choice((1, self.widths.most, random.randint(1, self.widths.most)))
        if random.random() < wrong:
            return self.damaged(length)
        return self.raw(length) if random.random() < 0.2 else self.sound(length)

    def send(self, block: Stored) -> None:
        """Queue a block."""
        self.to_bring.append(block)
        self.awaited.append(block)

    async def expect_all(self) -> None:
        """Wait until all blocks have come out as they must, and see that nothing follows."""
        values = sum(block.count for block in self.awaited) + 30 * len(self.awaited)
        words = sum(len(block.words) + 2 for block in self.to_bring)
        limit = 500 + int((20 + self.widths.streams) * values / self.taken) + 30 * words
        await until(self.dut, lambda: not self.awaited, limit, "the last block")
        await cycles(self.dut, 20)

    # ---- every cycle

    async def _run(self) -> None:
        dut, rising, falling = self.dut, RisingEdge(self.dut.clk), FallingEdge(self.dut.clk)
        while True:
            await rising
            self._bring()
            dut.m_beat_ready.value = random.random() < self.taken
            await falling
            if dut.rst.value == 1:
                self._waiting, self._settled = None, 0
                continue
            self._settled += 1
            self._check_room()
            self._take()

    def _check_room(self) -> None:
        """There is room if a region is free, as far as that can be known here."""
        dut = self.dut
        assert dut.s_room.value.is_resolvable, "s_room is undefined"
        self._room = dut.s_room.value == 1
        if self._settled <= SETTLING or dut.s_block_valid.value == 1:
            assert not self._room, f"room {self._settled} cycles after a reset, or beside a block"
            return
        ends = dut.m_beat_valid.value == 1 and dut.m_beat_last.value == 1
        most = self.brought - self.compared - int(ends)
        story = f"{self.brought} blocks are in, {self.compared} are out"
        assert self._room or most > self.widths.streams, f"no room, {story}"
        assert not self._room or self._in_regions() <= self.widths.streams, f"room, {story}"

    def _in_regions(self) -> int:
        """Blocks that are in and have beats that cannot have been read out yet."""
        held = HELD + self.widths.beats(len(self._beats.data))  # beats of the oldest, and after it
        blocks = list(self.awaited)[: self.brought - self.compared]
        for place, block in enumerate(blocks):
            held -= self.widths.beats(block.count)
            if held < 0:
                return len(blocks) - place
        return 0

    def _bring(self) -> None:
        """Show a word, the block, both or nothing in this cycle."""
        dut = self.dut
        dut.s_word_valid.value = dut.s_block_valid.value = 0
        dut.s_word_data.value = random.getrandbits(self.widths.word_w)
        self._describe(None)
        if dut.rst.value == 1 or not self.to_bring or random.random() < self.pause:
            return
        block = self.to_bring[0]
        if self._bringing is None:
            if not self._room:
                return
            self._bringing = list(block.words)
        if self._bringing:
            dut.s_word_valid.value = 1
            dut.s_word_data.value = self._bringing.pop(0)
        if not self._bringing and random.random() >= self.pause:
            self._describe(block)
            self.to_bring.popleft()
            self.brought += 1
            self._bringing, self._room = None, False

    def _describe(self, block: Stored | None) -> None:
        """Show a block; what means nothing is random."""
        dut, word_w = self.dut, self.widths.word_w
        dut.s_block_valid.value = block is not None
        fields = {} if block is None else {"count": block.count, "cause": int(block.given)}
        if block and not block.given & SKIPPED:
            fields |= {
                "code_bits": block.code.bits,
                "offset_bits": block.offsets.bits,
                "code_words": -(-block.code.bits // word_w),
                "offset_words": -(-block.offsets.bits // word_w),
                "crc": block.crc,
            }
        for name in BLOCK_FIELDS:
            handle = getattr(dut, f"s_block_{name}")
            handle.value = fields.get(name, random.getrandbits(len(handle)))

    def _take(self) -> None:
        """Check the beat on show, and take it if it is time to."""
        dut = self.dut
        assert dut.m_beat_valid.value.is_resolvable, "m_beat_valid is undefined"
        if dut.m_beat_valid.value == 0:
            assert self._waiting is None, f"{self._waiting} vanished before it was taken"
            return
        assert self.awaited, "a beat that nobody asked for"
        block = self.awaited[0]
        cause, last = int(dut.m_beat_cause.value), int(dut.m_beat_last.value)
        beat = (*self._lanes(block), cause, last)
        assert self._waiting in (None, beat), f"{self._waiting} became {beat}"
        if dut.m_beat_ready.value == 0:
            self._waiting = beat
            return
        self._waiting = None
        self._beats.data += beat[:-2]
        self._beats.causes.add(cause)
        if last:
            self._compare(block)

    def _lanes(self, block: Stored) -> list[int]:
        """The values of the beat on show, without those behind the block's end."""
        width, data = self.widths.value_w, str(self.dut.m_beat_data.value)
        left = max(block.count - len(self._beats.data), 0)
        lanes = [data[len(data) - (i + 1) * width : len(data) - i * width] for i in range(left)]
        return [int(lane, 2) for lane in lanes[: self.widths.lanes]]

    def _compare(self, block: Stored) -> None:
        beats, self._beats = self._beats, Beats()
        seed = f"test seed {cocotb.RANDOM_SEED}"
        story = f"block {self.compared} of {block.count} values, {block.story}; {seed}"
        assert beats.causes == {int(block.cause)}, (
            f"causes {[repr(Cause(c)) for c in beats.causes]}, expected {block.cause!r}; {story}"
        )
        place = first_difference(beats.data, block.values)
        assert place is None, f"value {place} of {len(beats.data)} is wrong or missing; {story}"
        self.awaited.popleft()
        self.compared += 1


@cocotb.test()
async def decodes_and_checks_any_blocks(dut):
    bench = await DecoderChannelBench.started(dut)
    for _ in range(ROUNDS):
        bench.show(bench.widths.random_table())
        bench.pause = random.choice((0.0, 0.0, 0.3, 0.8))
        bench.taken = random.choice((1.0, 1.0, 0.5, 0.15))
        wrong = random.choice((0.0, 0.5, 1.0))
        for _ in range(random.choice((1, 4 * bench.widths.streams))):
            bench.send(bench.any_block(wrong))
        await bench.expect_all()


@cocotb.test()
async def takes_zeros_behind_the_end_of_a_stream(dut):
    """What stands there in the memory is the next stream, or an old block's."""
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    for _ in range(3):
        bench.show(widths.random_table())
        bench.send(bench.raw(widths.most))
        for _ in range(widths.streams + 1):
            bench.send(bench.cut(bench.any_coded(), 0))
        await bench.expect_all()


@cocotb.test()
async def finds_offsets_beyond_their_group(dut):
    """Nothing else is wrong with these blocks."""
    bench = await DecoderChannelBench.started(dut)
    for _ in range(max(3, 2 * ROUNDS)):
        bench.show(bench.widths.random_table())
        for _ in range(bench.widths.streams):
            bench.send(bench.beyond(bench.any_coded(), 0))
        await bench.expect_all()


@cocotb.test()
async def decodes_a_value_a_cycle(dut):
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    await cycles(dut, 20)
    for _ in range(max(ROUNDS // 3, 1)):
        bench.show(widths.random_table())
        blocks = [bench.sound(widths.most) for _ in range(3 * widths.streams)]
        for block in blocks:
            bench.send(block)
        begin, first = now(), len(blocks[0].words)
        await bench.expect_all()
        # A block costs its stream some slots more than it has values; the input comes a word a
        # cycle, and a stream's third block waits for its first to be put out.
        values = sum(block.count for block in blocks)
        overhead = widths.streams * 3 * (8 + 12 // widths.streams) + 2 * first * widths.streams
        beats = widths.most // widths.lanes
        allowed = values + overhead + 2 * widths.streams * beats + 60
        assert now() - begin <= allowed, f"{now() - begin} cycles, {allowed} allowed"


@cocotb.test()
async def does_not_decode_a_block_that_is_not_whole(dut):
    """It takes no time but that of its beats, and its lengths may be anything."""
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    for given in (Cause.LENGTH, Cause.TRUNCATED, SKIPPED):
        latencies = [await bench.latency(bench.missing(n, given)) for n in (1, widths.most)]
        late = latencies[1] - latencies[0]
        allowed = widths.beats(widths.most) - 1 + widths.streams
        assert late <= allowed, f"{late} cycles more for a long block, {allowed} allowed"


@cocotb.test()
async def takes_one_block_more_than_it_has_streams(dut):
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    bench.taken = 0.0
    for _ in range(3 * widths.streams + 3):
        bench.send(bench.sound(widths.most))
    await cycles(dut, 200 + 5 * widths.streams * widths.most)
    # What waits at the output, up to three beats, has left its region.
    held = 3 // (widths.most // widths.lanes)
    least = widths.streams + 1
    assert least <= bench.brought <= least + held, f"{bench.brought} blocks are in"
    bench.taken = 1.0
    await bench.expect_all()


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    bench = await DecoderChannelBench.started(dut)
    for _ in range(3 * ROUNDS):
        bench.pause, bench.taken = random.choice((0.0, 0.3)), random.choice((1.0, 0.3))
        for _ in range(bench.widths.streams + 2):
            bench.send(bench.any_block())
        await cycles(dut, random.randint(0, 60 + 2 * bench.widths.most))
        await bench.restart()
        bench.show(bench.widths.random_table())
        for _ in range(bench.widths.streams + 1):
            bench.send(bench.any_block())
        await bench.expect_all()


@cocotb.test()
async def a_reset_in_any_cycle_of_a_block_leaves_nothing_behind(dut):
    """In every cycle where simulation is fast, so that it meets each register when it matters."""
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    moments = range(45 + 3 * widths.streams)
    count = max(2, 2 * len(moments) // max(widths.symbols, 2))
    for moment in random.sample(moments, count):
        bench.pause, bench.taken = 0.0, 1.0
        length = random.choice((1, widths.most))
        for _ in range(widths.streams + 1):
            bench.send(bench.sound(length))
        await cycles(dut, moment)
        await bench.restart()
        for _ in range(widths.streams + 1):
            bench.send(random.choice((bench.sound, bench.unsound, bench.damaged))(1))
        await bench.expect_all()
