# SPDX-License-Identifier: Apache-2.0
"""apack_block_reader: the blocks of a tensor and their words, whatever its headers and its end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cocotb
from cocotb.triggers import FallingEdge

from model.apack import CorruptStream
from model.apack.blocks import BlockHeader
from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "VALUE_W", "CODE_W", "PIECE_W", "WORD_W", "BLOCK_VALUES")
SETS = {
    "default": (4, 8, 16, 16, 64, 4096),
    "odd": (2, 5, 24, 16, 32, 64),
    "small-words": (1, 2, 3, 16, 16, 8),
    "wide": (8, 16, 32, 32, 32, 256),
    "largest": (8, 13, 32, 32, 64, 65536),
}
MUTATED = "odd"
ILLEGAL = {
    "WORD_W": (8, 48, 128),
    "PIECE_W": (8, 64),
}
MEANINGFUL = (
    ("m_block_count", "m_block_valid"),
    ("m_block_raw", "m_block_valid"),
    ("m_block_pieces", "m_block_valid"),
    ("m_block_crc", "m_block_valid"),
    ("m_block_last", "m_block_valid"),
    ("m_block_lost", "m_block_valid"),
    ("m_word_data", "m_word_valid"),
    ("m_word_last", "m_word_valid"),
    ("m_word_cut", "m_word_valid"),
)

TENSORS = 240
MOST_WORDS = 60  # of pieces, of a block in a tensor at random
MOST_CYCLES = 4000  # of a tensor
LOST = BlockHeader(0, False, 0)
RECORD = ("count", "raw", "pieces", "crc", "last", "lost")
INPUTS = (
    "begin_valid", "begin_values", "block_values", "s_word_valid", "s_word_data", "m_block_ready",
    "m_word_ready",
)  # fmt: skip
RATES = (1.0, 1.0, 0.8, 0.3)


@dataclass(frozen=True)
class Shape:
    """The parameters, with what they say of headers."""

    streams: int
    value_w: int
    code_w: int
    piece_w: int
    word_w: int
    block_values: int

    @classmethod
    def of_top(cls) -> Shape:
        """Those of the module under test."""
        return cls(**{name: parameter(name.upper()) for name in cls.__dataclass_fields__})

    @property
    def header_words(self) -> int:
        """Words of a header."""
        return 64 // self.word_w

    @property
    def least(self) -> int:
        """Pieces that the streams of a coded block begin with."""
        return self.streams * -(-self.code_w // self.piece_w)

    def raw_pieces(self, count: int) -> int:
        """Pieces of so many values verbatim."""
        return -(-count * self.value_w // self.piece_w)

    def words(self, pieces: int) -> int:
        """Words of so many pieces."""
        return -(-pieces * self.piece_w // self.word_w)

    def most(self, count: int) -> int:
        """Pieces that a coded block of so many values may have."""
        return self.words(self.raw_pieces(count)) * (self.word_w // self.piece_w)

    def is_possible(self, header: BlockHeader, count: int) -> bool:
        """Whether a block of so many values can have this header."""
        if header.raw:
            return header.pieces == self.raw_pieces(count)
        return self.least <= header.pieces <= self.most(count)

    def split(self, header: bytes) -> list[int]:
        """The words of a header."""
        size = self.word_w // 8
        return [int.from_bytes(header[n : n + size], "big") for n in range(0, 8, size)]

    def join(self, words: list[int]) -> bytes:
        """The header in these words."""
        return b"".join(word.to_bytes(self.word_w // 8, "big") for word in words)


@dataclass
class Wanted:
    """What must leave: records, words behind each, and cycles with m_length."""

    records: list[tuple[int, ...]] = field(default_factory=list)
    words: list[list[tuple[int | None, int, int]]] = field(default_factory=list)
    length: int = 0


def wanted_of(shape: Shape, values: int, block: int, words: list[int]) -> Wanted:
    """What a tensor of so many values must give with these words."""
    wanted, place, lost = Wanted(), 0, False
    for first in range(0, values, block):
        count, last = min(block, values - first), first + block >= values
        if not lost and place + shape.header_words > len(words):
            wanted.length, lost = wanted.length + 1, True
        header = LOST
        if not lost:
            try:
                header = BlockHeader.from_bytes(
                    shape.join(words[place : place + shape.header_words])
                )
            except CorruptStream:
                lost = True
            lost = lost or not shape.is_possible(header, count)
            place += shape.header_words
        if lost:
            wanted.records.append((count, 0, 0, -1, int(last), 1))
            wanted.words.append([])
            continue
        fields = count, int(header.raw), header.pieces, header.crc, int(last), 0
        wanted.records.append(fields)
        size = shape.words(header.pieces)
        there = words[place : place + size]
        lost = len(there) < size
        wanted.words.append([(word, int(n == size - 1), 0) for n, word in enumerate(there)])
        if lost:
            wanted.words[-1].append((None, 1, 1))
            wanted.length += 1
        place += size
    wanted.length += 0 if lost else len(words) - place
    return wanted


def any_header(shape: Shape, count: int, sound: bool) -> bytes:
    """A header that such a block can have, or one that is wrong in some way."""
    raw_pieces, most = shape.raw_pieces(count), shape.most(count)
    raw = shape.least > most or random.random() < 0.3
    coded = random.choice((shape.least, most, random.randint(shape.least, max(shape.least, most))))
    header = BlockHeader(raw_pieces if raw else coded, raw, random.getrandbits(32))
    if sound:
        return header.to_bytes()
    if random.random() < 0.4:
        flipped = 1 << random.randrange(32, 64)
        return (int.from_bytes(header.to_bytes(), "big") ^ flipped).to_bytes(8, "big")
    bit = 1 << random.randrange(24)
    near = random.choice((raw_pieces, most, shape.least)) + random.choice((-1, 1))
    pieces = random.choice((near, header.pieces ^ bit, header.pieces | 1 << 23, 0))
    raw = random.choice((raw, not raw))
    return replace(header, pieces=max(pieces, 0) % (1 << 24), raw=raw).to_bytes()


def any_words(shape: Shape, values: int, block: int, wrong: float) -> list[int]:
    """The words of a tensor, each header wrong with this probability; too few or too many, too."""
    words: list[int] = []
    for first in range(0, values, block):
        count = min(block, values - first)
        sound = random.random() >= wrong
        header = any_header(shape, count, sound)
        words += shape.split(header)
        pieces = int.from_bytes(header[:3], "big")
        size = min(shape.words(pieces), shape.words(shape.most(count)))
        words += [random.getrandbits(shape.word_w) for _ in range(size)]
    end = random.random()
    if end < wrong:
        return words[: random.randrange(len(words) + 1)]
    more = random.randint(1, 9) if end < 2 * wrong else 0
    return words + [random.getrandbits(shape.word_w) for _ in range(more)]


def any_tensor(shape: Shape) -> tuple[int, int]:
    """Values of a tensor, and of its blocks, for which a simulation is short."""
    most = max(MOST_WORDS * shape.word_w // shape.value_w, 1)
    block = random.choice((shape.block_values, random.randint(1, shape.block_values)))
    block = min(block, most)
    blocks = random.choice((1, 2, random.randint(1, 6)))
    return max(blocks * block - random.choice((0, 0, 1, random.randrange(block))), 1), block


@dataclass
class Pace:
    """Parts of the cycles in which words come, records and words are taken, and words follow."""

    words: float = 1.0
    blocks: float = 1.0
    passed: float = 1.0
    behind: float = 0.0


class ReaderBench:
    """Feeds a tensor at any pace and gathers what leaves."""

    def __init__(self, dut) -> None:
        self.dut, self.shape = dut, Shape.of_top()
        self.records: list[tuple[int, ...]] = []
        self.words: list[list[tuple[int | None, int, int]]] = []
        self.length = 0
        self.standing: tuple[int, ...] | None = None

    @classmethod
    async def started(cls, dut) -> ReaderBench:
        """After a reset."""
        start_clock(dut)
        bench = cls(dut)
        await bench.reset()
        return bench

    async def reset(self) -> None:
        """Drop what is under way."""
        await FallingEdge(self.dut.clk)
        await outputs_for(self.dut, dict.fromkeys(INPUTS, 0) | {"rst": 1, "s_word_ended": 1})
        await FallingEdge(self.dut.clk)
        busy, length = await outputs_for(self.dut, {"rst": 0}, "m_busy", "m_length")
        assert (busy, length) == (0, 0), "busy after a reset"
        self.standing = None

    async def begin(self, values: int, block: int) -> None:
        """The cycle in which a tensor begins; a word that waits is none of this tensor yet."""
        self.records, self.words, self.length = [], [], 0
        await FallingEdge(self.dut.clk)
        inputs = {
            "begin_valid": 1,
            "begin_values": values,
            "block_values": block,
            "s_word_ended": 1,
        }
        inputs |= {"s_word_valid": random.getrandbits(1), "rst": 0}
        busy, block_valid, word_valid, length = await outputs_for(
            self.dut, inputs, "m_busy", "m_block_valid", "m_word_valid", "m_length"
        )
        assert (busy, block_valid, word_valid, length) == (0, 0, 0, 0), "not idle at the beginning"

    async def feed(
        self, words: list[int], pace: Pace, late: int = 0, most: int = MOST_CYCLES
    ) -> int:
        """Give the words and take what leaves, until all has; returns the cycles it took.

        The words are over some cycles after the last one was taken. It ends after `most` cycles at
        the latest.
        """
        left, offered, after = list(words), False, 0
        for cycle in range(most):
            await FallingEdge(self.dut.clk)
            ended = not left and after >= late
            after += not left
            offered = bool(left) and (offered or random.random() < pace.words)
            noise = random.getrandbits(self.shape.word_w)
            found = await self.step(
                begin_valid=0,
                begin_values=random.getrandbits(48),
                s_word_valid=int(offered or (ended and random.random() < pace.behind)),
                s_word_data=left[0] if offered else noise,
                s_word_ended=int(ended),
                m_block_ready=int(random.random() < pace.blocks),
                m_word_ready=int(random.random() < pace.passed),
            )
            if offered and found["s_word_ready"]:
                left.pop(0)
                offered = False
            if ended and not found["m_busy"]:
                return cycle
        return most

    async def step(self, **inputs: int) -> dict[str, int]:
        """The rest of a cycle with these inputs; gathers what leaves."""
        names = ("s_word_ready", "m_busy", "m_length", "m_block_valid", "m_word_valid")
        values = await outputs_for(self.dut, inputs, *names)
        found = dict(zip(names, values, strict=True))
        self.length += found["m_length"]
        record = self._payload(found["m_block_valid"], *(f"m_block_{name}" for name in RECORD))
        word = self._payload(found["m_word_valid"], "m_word_data", "m_word_last", "m_word_cut")
        if self.standing:
            assert found["m_block_valid"], "a record goes by itself"
            assert record == self.standing, f"record {self.standing} becomes {record}"
        self.standing = None
        if found["m_block_valid"]:
            assert not found["m_word_valid"], "a word beside a record"
            assert found["m_busy"]
            if inputs["m_block_ready"]:
                self.records.append(record)
                self.words.append([])
            else:
                self.standing = record
        if found["m_word_valid"] and inputs["m_word_ready"]:
            data, last, cut = word
            assert cut or inputs["s_word_valid"], "a word that did not come"
            assert cut or found["s_word_ready"], "a word that passes and stays"
            assert self.words, "a word before a record"
            self.words[-1].append((None if cut else data, last, cut))
        return found

    def _payload(self, valid: int, *names: str) -> tuple[int, ...]:
        """What goes with a valid that is high; nothing beside one that is low."""
        return tuple(int(getattr(self.dut, name).value) for name in names) if valid else ()

    def check(self, wanted: Wanted, story: str) -> None:
        """Compare all that left."""
        for number, found in enumerate(self.records):
            expected = wanted.records[number] if number < len(wanted.records) else ()
            same = len(expected) == len(RECORD) and all(
                wanted in (got, -1) for got, wanted in zip(found, expected, strict=True)
            )
            assert same, f"record {number}: {RECORD} are {found}, expected {expected}; {story}"
            words, there = self.words[number], wanted.words[number]
            assert words == there, f"words of block {number}: {words}, not {there}; {story}"
        assert len(self.records) == len(wanted.records), f"{len(self.records)} blocks; {story}"
        assert self.length == wanted.length, (
            f"m_length {self.length} times, not {wanted.length}; {story}"
        )


def paces() -> Iterator[Pace]:
    """Any pace of any port."""
    while True:
        yield Pace(*(random.choice(RATES) for _ in range(4)))


@cocotb.test()
async def reads_the_blocks_of_any_tensor(dut):
    """Sound ones and damaged ones, one behind the other, at any pace."""
    bench = await ReaderBench.started(dut)
    shape = bench.shape
    for number, pace in zip(range(TENSORS), paces(), strict=False):
        values, block = any_tensor(shape)
        words = any_words(shape, values, block, random.choice((0, 0.1, 0.4)))
        await bench.begin(values, block)
        story = f"tensor {number}: {values} values in blocks of {block}, {len(words)} words, {pace}"
        taken = await bench.feed(words, pace, random.choice((0, 0, 1, 5)))
        assert taken < MOST_CYCLES, f"hang: {story}"
        bench.check(wanted_of(shape, values, block, words), story)


@cocotb.test()
async def forgets_a_tensor_in_a_reset(dut):
    bench = await ReaderBench.started(dut)
    shape = bench.shape
    for _ in range(30):
        values, block = any_tensor(shape)
        await bench.begin(values, block)
        await bench.feed(
            any_words(shape, values, block, 0.3), Pace(0.7, 0.5, 0.5), most=random.randrange(1, 40)
        )
        await bench.reset()
        values, block = any_tensor(shape)
        words = any_words(shape, values, block, 0)
        await bench.begin(values, block)
        await bench.feed(words, Pace())
        bench.check(wanted_of(shape, values, block, words), f"{values} values in blocks of {block}")


@cocotb.test()
async def takes_two_cycles_a_block_beyond_its_words(dut):
    """With ends that wait for nothing; a lost block takes two cycles in all."""
    bench = await ReaderBench.started(dut)
    shape = bench.shape
    block = min(shape.block_values, MOST_WORDS * shape.word_w // shape.value_w)
    for blocks in (1, 2, 5):
        values = blocks * block
        words = any_words(shape, values, block, 0)
        await bench.begin(values, block)
        taken = await bench.feed(words, Pace())
        assert taken == len(words) + 2 * blocks, (
            f"{taken} cycles, {len(words)} words, {blocks} blocks"
        )
        await bench.begin(values, block)
        taken = await bench.feed([], Pace())
        assert taken == 1 + 2 * blocks, f"{taken} cycles, no words, {blocks} blocks"
        bench.check(wanted_of(shape, values, block, []), "no words")
        cut = words[: shape.header_words]
        await bench.begin(values, block)
        taken = await bench.feed(cut, Pace())
        expected = len(cut) + 1 + 2 * blocks
        assert taken == expected, (
            f"{taken} cycles, {expected} expected, one header, {blocks} blocks"
        )
        bench.check(wanted_of(shape, values, block, cut), "one header")


@cocotb.test()
async def drops_the_words_of_lost_blocks_while_their_records_wait(dut):
    bench = await ReaderBench.started(dut)
    shape = bench.shape
    broken = BlockHeader(0, False, 0).to_bytes()
    for blocks in (1, 3):
        words = shape.split(broken) + [random.getrandbits(shape.word_w) for _ in range(20)]
        await bench.begin(blocks, 1)
        left = list(words)
        for _ in range(len(words) + 1):
            await FallingEdge(dut.clk)
            found = await bench.step(
                begin_valid=0, s_word_valid=int(bool(left)), s_word_data=left[0] if left else 0,
                s_word_ended=0, m_block_ready=0, m_word_ready=0,
            )  # fmt: skip
            left = left[found["s_word_ready"] :]
        assert not left, f"{len(left)} words wait behind a broken header"
        await bench.feed([], Pace())
        bench.check(wanted_of(shape, blocks, 1, words), f"{blocks} blocks")


@cocotb.test()
async def counts_all_bits_of_the_values_down(dut):
    """Tensors of up to 2^48 values: the first blocks are no last ones."""
    bench = await ReaderBench.started(dut)
    shape = bench.shape
    most = min(shape.block_values, MOST_WORDS * shape.word_w // shape.value_w)
    for bit in (*range(48), 48):
        block = random.randint(1, most)
        values = (1 << bit) - (bit == 48) + random.choice((0, random.randrange(block))) * (bit < 48)
        shown = min(values, 3 * block)
        words = any_words(shape, shown, block, 0)
        await bench.begin(values, block)
        await bench.feed(words, Pace(), late=MOST_CYCLES, most=len(words) + 12)
        wanted = wanted_of(shape, values if values <= shown else shown + block, block, words)
        count = len(words) and -(-shown // block)
        for number in range(count):
            record = bench.records[number]
            expected = wanted.records[number]
            assert record == expected, (
                f"record {number} of {values} values is {record}, not {expected}"
            )
        await bench.reset()
