# SPDX-License-Identifier: Apache-2.0
"""apack_block_store: the words of each block, and whether it is stored raw."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "VALUE_W", "PIECE_W", "WORD_W", "BLOCK_VALUES", "BITS_W")
SETS = {
    # Words at the end of a region's address range are the next region's.
    "short-region": (5, 9, 4, 16, 32, 9),
    "smallest": (1, 2, 8, 8, 8, 7),
    "two-wide": (2, 9, 16, 16, 8, 8),
    "four": (4, 8, 16, 64, 32, 10),
    "eight": (8, 16, 32, 64, 16, 9),
}
ILLEGAL = {
    "VALUE_W": (1, 17),
    "PIECE_W": (0, 12),
    "WORD_W": (8, 48),
}

CODE, OFFSET = "code", "offset"
WAITING = 2  # pieces of a port
PHASE_CYCLES = 100


@dataclass(frozen=True)
class Widths:
    """The parameters of the store."""

    streams: int
    value_w: int
    piece_w: int
    word_w: int
    most: int  # values of a block
    bits_w: int

    @classmethod
    def of_dut(cls) -> Widths:
        """Those of the module under test."""
        names = ("STREAMS", "VALUE_W", "PIECE_W", "WORD_W", "BLOCK_VALUES", "BITS_W")
        return cls(*map(parameter, names))

    def words(self, bits: int) -> int:
        """Words that so many bits take."""
        return -(-bits // self.word_w)

    @property
    def region_words(self) -> int:
        """Words of the largest raw block."""
        return self.words(self.most * self.value_w)

    def pieces(self, bits: str) -> list[tuple[str, bool]]:
        """A bit stream in pieces and which is the last; that may be one without bits."""
        cut = [bits[at : at + self.piece_w] for at in range(0, len(bits), self.piece_w)]
        if not cut or (len(cut[-1]) == self.piece_w and random.random() < 0.7):
            cut.append("")
        return [(piece, place == len(cut) - 1) for place, piece in enumerate(cut)]

    def any_lengths(self, count: int) -> tuple[int, int]:
        """Bits of code and of offsets, often next to where `count` values become a raw block."""
        raw, limit = count * self.value_w, (1 << self.bits_w) - 1
        kind = random.choice(("bits", "bits", "words", "short", "long"))
        if kind == "short":
            return random.randint(0, 2 * self.piece_w), random.randint(0, 2 * self.piece_w)
        if kind == "long":
            return random.randint(0, limit), random.randint(0, limit)
        if kind == "bits":
            total = max(raw + random.randint(-1, 1), 0)
            code = random.randint(0, total)
            code -= random.choice((0, code % self.word_w))  # as few words as so many bits take
            return code, total - code
        full = max(self.words(raw) - random.choice((1, 1, 2)), 0)
        code = random.randint(0, full)
        return tuple(words * self.word_w + random.randint(0, 2) for words in (code, full - code))


@dataclass
class Block:
    """A block, and how far it has come."""

    stream: int
    count: int  # values
    crc: int
    bits: Mapping[str, str]  # of its code and its offsets
    left: Mapping[str, deque[tuple[str, bool]]]  # pieces that are still to come
    ended: set[str] = field(default_factory=set)  # streams that are stored to the end
    decided: bool = False

    @classmethod
    def any(cls, stream: int, widths: Widths) -> Block:
        """A block of a stream, with random bits."""
        count = random.choice((1, widths.most, random.randint(1, widths.most)))
        bits = {
            port: "".join(random.choices("01", k=length))
            for port, length in zip((CODE, OFFSET), widths.any_lengths(count), strict=True)
        }
        left = {port: deque(widths.pieces(text)) for port, text in bits.items()}
        return cls(stream, count, random.getrandbits(32), bits, left)

    def raw(self, widths: Widths) -> bool:
        """Whether it is stored raw."""
        raw_bits, lengths = self.count * widths.value_w, list(map(len, self.bits.values()))
        return sum(lengths) > raw_bits or sum(map(widths.words, lengths)) > widths.words(raw_bits)

    def drained(self, widths: Widths) -> dict[str, int]:
        """What the drain port says of it."""
        raw = self.raw(widths)
        return {
            "drain_raw": int(raw),
            "drain_stream": self.stream,
            "drain_code_bits": 0 if raw else len(self.bits[CODE]),
            "drain_offset_bits": self.count * widths.value_w if raw else len(self.bits[OFFSET]),
            "drain_crc": self.crc,
            "drain_count": self.count,
        }

    def words(self, widths: Widths) -> dict[int, int]:
        """Its words by number: code from the bottom up, offsets from the top down."""
        size, found = widths.word_w, {}
        for port, first, step in ((CODE, 0, 1), (OFFSET, widths.region_words - 1, -1)):
            text = self.bits[port]
            for place in range(widths.words(len(text))):
                word = text[place * size : (place + 1) * size].ljust(size, "0")
                found[first + step * place] = int(word, 2)
        return found

    def __str__(self) -> str:
        code, offset = (len(self.bits[port]) for port in (CODE, OFFSET))
        return f"stream {self.stream}: {self.count} values, {code} + {offset} bits"


class Store:
    """What the store has to show in a cycle, from what came before it."""

    def __init__(self, widths: Widths) -> None:
        self.widths = widths
        self.open = False  # pieces are taken
        self.begun = 0
        self.blocks: deque[Block] = deque()  # not drained, oldest first
        self.waiting: dict[str, deque[tuple[Block, bool]]] = {CODE: deque(), OFFSET: deque()}
        self.served = ""  # the port of the piece before
        self.asked: Block | None = None  # whose values are asked for
        self.decided: Block | None = None

    @property
    def oldest(self) -> Block | None:
        """The block that is to be drained, if it has been decided on."""
        return self.blocks[0] if self.blocks and self.blocks[0].decided else None

    @property
    def room(self) -> bool:
        """Whether a block may begin."""
        return len(self.blocks) <= self.widths.streams

    def ready(self, port: str) -> bool:
        """Whether a piece of code or of offsets is taken."""
        return self.open and len(self.waiting[port]) < WAITING

    def free(self, stream: int) -> bool:
        """Whether the values of a stream's latest block are no longer needed."""
        own = [block for block in self.blocks if block.stream == stream]
        return all(block.decided and not block.raw(self.widths) for block in own)

    def wanted(self) -> dict[str, int]:
        """The outputs that mean something."""
        released = self.decided is not None and not self.decided.raw(self.widths)
        outputs = {
            "room": int(self.room),
            "s_code_ready": int(self.ready(CODE)),
            "s_offset_ready": int(self.ready(OFFSET)),
            "release_valid": int(released),
            "drain_valid": int(self.oldest is not None),
        }
        if self.asked:
            outputs["look_stream"] = self.asked.stream
        if released:
            outputs["release_stream"] = self.decided.stream
        return outputs | (self.oldest.drained(self.widths) if self.oldest else {})

    def step(self, brought: Mapping[str, tuple[Block, bool]]) -> None:
        """A cycle passes, in which pieces were taken."""
        if self.decided:
            self.decided.decided = True
        self.decided, self.asked = self.asked, self._stored()
        for port, piece in brought.items():
            self.waiting[port].append(piece)
        self.open = True

    def _stored(self) -> Block | None:
        """Store the piece whose turn it is; the block that it was the last of."""
        order = (OFFSET, CODE) if self.served == CODE else (CODE, OFFSET)
        self.served = next((port for port in order if self.waiting[port]), "")
        if not self.served:
            return None
        block, last = self.waiting[self.served].popleft()
        if last:
            block.ended.add(self.served)
        return block if last and len(block.ended) == 2 else None


class StoreBench:
    """Brings the pieces of blocks, drains them, and compares all outputs in every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.widths = Widths.of_dut()
        self.store = Store(self.widths)
        self.shown: dict[str, tuple[Block, str, bool]] = {}  # pieces that wait to be taken
        self.unread: list[int] | None = None  # words of the oldest block that are still to be read
        self.word: int | None = None  # the word that was read last
        self.pace: dict[str, float] = {}
        self.cycle = 0

    @classmethod
    async def started(cls, dut) -> StoreBench:
        """A bench after reset."""
        bench = cls(dut)
        start_clock(dut)
        dut.rst.value = 1
        for _ in range(2):
            await FallingEdge(dut.clk)
        return bench

    async def run(self, cycles: int, resets: float = 0.0) -> None:
        """Let cycles pass, a part of them with a reset."""
        for _ in range(cycles):
            if self.cycle % PHASE_CYCLES == 0:
                names = ("begin", CODE, OFFSET, "read")
                self.pace = {name: random.choice((1.0, 0.7, 0.1)) for name in names}
            await FallingEdge(self.dut.clk)
            self._compare()
            self._step(random.random() < resets)
            self.cycle += 1

    def _compare(self) -> None:
        wanted = self.store.wanted()
        if self.word is not None:
            wanted["read_data"] = self.word
        for name, value in wanted.items():
            port = getattr(self.dut, name).value
            found = int(port) if port.is_resolvable else port
            assert found == value, (
                f"cycle {self.cycle}: {name} is {found}, expected {value}; blocks: "
                f"{', '.join(map(str, self.store.blocks))}"
            )

    def _step(self, restart: bool) -> None:
        """Drive the inputs of this cycle, and let the model have them too."""
        store, drain = self.store, self._drain()
        begun = self._begin()
        inputs = drain | begun | self._look() | {"rst": int(restart)}
        brought = {}
        for port in (CODE, OFFSET):
            inputs |= self._piece(port)
            if port in self.shown and store.ready(port):
                block, _, last = self.shown.pop(port)
                brought[port] = (block, last)
        for name, value in inputs.items():
            getattr(self.dut, name).value = value
        store.step(brought)
        if begun["begin_valid"]:
            store.blocks.append(Block.any(begun["begin_stream"], self.widths))
            store.begun += 1
        if drain["drain_done"]:
            store.blocks.popleft()
        if restart:
            self.store = Store(self.widths)
            self.shown, self.unread = {}, None

    def _begin(self) -> dict[str, int]:
        stream = self.store.begun % self.widths.streams
        may = self.store.room and self.store.free(stream)
        begins = may and random.random() < self.pace["begin"]
        stream = stream if begins else random.randrange(self.widths.streams)
        return {"begin_valid": int(begins), "begin_stream": stream}

    def _piece(self, port: str) -> dict[str, int]:
        """A piece of one of the blocks under way, the same until it is taken."""
        blocks = [block for block in self.store.blocks if block.left[port]]
        if port not in self.shown and blocks and random.random() < self.pace[port]:
            block = random.choice(blocks)
            self.shown[port] = (block, *block.left[port].popleft())
        if port in self.shown:
            block, bits, last = self.shown[port]
            data = int(bits.ljust(self.widths.piece_w, "0"), 2)
            fields = (block.stream, data, len(bits), int(last), 1)
        else:
            junk = (random.randrange(size) for size in (self.widths.streams, 2, 2, 2))
            fields = (*junk, 0)
        names = ("stream", "data", "count", "last", "valid")
        return {f"s_{port}_{name}": value for name, value in zip(names, fields, strict=True)}

    def _look(self) -> dict[str, int]:
        """What is asked for, and otherwise anything."""
        asked = self.store.asked
        if asked:
            return {"look_count": asked.count, "look_crc": asked.crc}
        count = random.randint(0, self.widths.most)
        return {"look_count": count, "look_crc": random.getrandbits(32)}

    def _drain(self) -> dict[str, int]:
        """Read the words of the oldest block in any order, then give its room away."""
        oldest, goes = self.store.oldest, random.random() < self.pace["read"]
        number, done = random.randrange(self.widths.region_words), False
        reads = oldest is not None and goes
        if reads:
            words = {} if oldest.raw(self.widths) else oldest.words(self.widths)
            if self.unread is None:
                self.unread = random.sample(sorted(words), len(words))
            reads = bool(self.unread)
            if reads:
                number = self.unread.pop()
                self.word = words[number]
            done = not self.unread
        if done:
            self.unread = None
        return {"read_enable": int(reads), "read_word": number, "drain_done": int(done)}


@cocotb.test()
async def stores_the_words_of_blocks_and_says_which_are_raw(dut):
    bench = await StoreBench.started(dut)
    await bench.run(5000)


@cocotb.test()
async def begins_anew_after_a_reset(dut):
    bench = await StoreBench.started(dut)
    await bench.run(2000, resets=0.01)
