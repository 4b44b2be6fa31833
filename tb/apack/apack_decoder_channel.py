# SPDX-License-Identifier: Apache-2.0
"""apack_decoder_channel: blocks in, checked values out in order, whatever the blocks hold."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cocotb
from cocotb.triggers import FallingEdge

from model.apack.coder import EncodedBlock
from model.apack.table import SymbolTable
from tb.apack.env.decoded import Cause, DecoderWidths, damaged
from tb.apack.env.rows import row_buses
from tb.bus.cycles import cycles, now, reset, start_clock, until

PARAMETERS = (
    "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "LANES", "BLOCK_VALUES",
    "HOLD", "SHARED",
)  # fmt: skip
SETS = {
    "four": (4, 8, 16, 10, 16, 64, 8, 128, 0, 0),
    "four-hold": (4, 8, 16, 10, 16, 64, 8, 64, 1, 0),
    "four-shared": (4, 8, 16, 10, 16, 32, 4, 64, 0, 1),
    "one-smallest": (1, 2, 2, 1, 3, 16, 1, 64, 0, 0),
    "two-wide": (2, 16, 32, 14, 16, 32, 4, 32, 1, 1),
    "two-long-pieces": (2, 12, 11, 16, 32, 64, 16, 32, 0, 1),
    "four-long-code": (4, 7, 5, 6, 24, 32, 2, 64, 0, 0),
    "eight": (8, 8, 16, 10, 16, 64, 8, 64, 0, 0),
    "eight-narrow": (8, 4, 5, 6, 8, 32, 16, 64, 1, 0),
    "two-one-value": (2, 8, 3, 4, 8, 16, 1, 1, 0, 0),
}
ILLEGAL = {
    "STREAMS": (0, 3, 16),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "CODE_W": (33,),
    "WORD_W": (8, 48, 128),
    "short-word": {"COUNT_W": 15, "CODE_W": 17, "WORD_W": 16},
    "LANES": (6,),
    "BLOCK_VALUES": (4, 96),
    "HOLD": (2,),
    "SHARED": (2,),
}
MUTATED = "four-long-code"
ICARUS_ROUNDS = 1

ROUNDS = int(os.environ.get("ROUNDS") or 6)
TAKE_DELAYS = {1: 0, 2: 1, 4: 3, 8: 6}  # cycles from a slot to its pieces, by STREAMS
FIELDS = ("count", "raw", "pieces", "crc", "bank", "last", "lost")


@dataclass(frozen=True)
class ChannelWidths(DecoderWidths):
    """The parameters of a channel."""

    word_w: int
    lanes: int
    block_values: int
    hold: int
    shared: int

    @property
    def parts(self) -> int:
        """Pieces of a word."""
        return self.word_w // self.piece_w

    def beats(self, count: int) -> int:
        """Beats of so many values of a block."""
        return -(-count // self.lanes)

    def words(self, pieces: Sequence[int]) -> list[int]:
        """Words of pieces, zeros behind the last."""
        padded = [*pieces, *[0] * (-len(pieces) % self.parts)]
        words = []
        for start in range(0, len(padded), self.parts):
            word = 0
            for piece in padded[start : start + self.parts]:
                word = word << self.piece_w | piece
            words.append(word)
        return words


@dataclass(frozen=True)
class Brought:
    """A block as it is brought, and what must come of it.

    words: data, whether it is the last, whether it is cut; story: for a message.
    """

    count: int
    raw: bool
    pieces: int
    crc: int
    bank: int
    last: bool
    lost: bool
    words: tuple[tuple[int, bool, bool], ...]
    values: tuple[int, ...]
    cause: Cause
    story: str


class DecoderChannelBench:
    """Brings blocks, takes beats at a pace, compares each beat with the model's."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.widths = ChannelWidths.of(dut)
        self.tables = [self.widths.random_table() for _ in range(2)]
        self.record_pace = self.word_pace = self.beat_pace = 1.0
        self.records: deque[Brought] = deque()
        self.words: deque[tuple[int, bool, bool]] = deque()
        self.awaited: deque[Brought] = deque()
        self.left: list[int] | None = None  # values of the block that is coming out
        self.waiting: tuple[int, ...] | None = None
        self.resetting = False
        self.checked = 0
        self.first_word: int | None = None  # cycle
        self.first_beat: int | None = None
        self.last_beat = 0

    @classmethod
    async def started(cls, dut) -> DecoderChannelBench:
        """A bench after reset."""
        bench = cls(dut)
        for handle in (dut.s_block_valid, dut.s_word_valid, dut.m_ready):
            handle.value = 0
        bench.show()
        start_clock(dut)
        dut.rst.value = 1
        await reset(dut)
        cocotb.start_soon(bench._run())
        return bench

    def show(self) -> None:
        """Put the tables of both banks on the row buses."""
        low, high = (row_buses(table, self.widths.symbols) for table in self.tables)
        for name, rows in low.items():
            handle = getattr(self.dut, name)
            handle.value = high[name] << len(handle) // 2 | rows

    def new_tables(self) -> None:
        """Two other tables; nothing may be under way."""
        self.tables = [self.widths.random_table() for _ in range(2)]
        self.show()

    def pace(self) -> None:
        """Any pace on each port."""
        self.record_pace, self.word_pace, self.beat_pace = (
            random.choice((1.0, 1.0, 0.7, 0.15)) for _ in range(3)
        )

    def forget(self) -> None:
        """Nothing is under way any more."""
        for queue in (self.records, self.words, self.awaited):
            queue.clear()
        self.left = self.waiting = None

    async def restart(self) -> None:
        """Reset in the middle of whatever goes on, and forget it."""
        self.resetting = True
        self.forget()
        await reset(self.dut, 1)
        self.resetting = False

    # ---- blocks

    def any_length(self) -> int:
        """Any number of values of a block."""
        most, streams = self.widths.block_values, self.widths.streams
        lengths = [1, streams - 1, streams, streams + 1, 2 * streams + 1, most - 1, most]
        length = random.choice((*lengths, random.randint(1, most), random.randint(1, most)))
        return min(max(length, 1), most)

    def table_of(self, bank: int) -> SymbolTable:
        """The table of a bank."""
        return self.tables[bank]

    def fits(self, block: EncodedBlock) -> bool:
        """Whether it takes no more words than raw, so that a header may say so."""
        raw = -(-block.count * self.widths.value_w // self.widths.piece_w)
        return -(-len(block.pieces) // self.widths.parts) <= -(-raw // self.widths.parts)

    def brought(
        self,
        block: EncodedBlock,
        bank: int,
        story: str,
        crc: int | None = None,
        cut: int | None = None,
    ) -> Brought:
        """A block with what must come of it.

        crc: that of its header, by default that of its values.
        cut: words that come before a cut one.
        """
        widths, table = self.widths, self.tables[bank]
        data = widths.words(block.pieces)
        words = [(word, index == len(data) - 1, False) for index, word in enumerate(data)]
        came = block
        if cut is not None:
            came = replace(block, pieces=block.pieces[: cut * widths.parts])
            words = [(word, False, False) for word in data[:cut]]
            words.append((random.getrandbits(widths.word_w), True, True))
        values, cause, _ = widths.decoded(came, table)
        cause |= Cause.TRUNCATED if cut is not None else Cause(0)
        crc = widths.crc(values) if crc is None else crc
        cause |= Cause.CRC if crc != widths.crc(values) else Cause(0)
        story += f", block {block}, table {table.to_json()}"
        return Brought(
            block.count, block.raw, len(block.pieces), crc, bank, random.random() < 0.3, False,
            tuple(words), tuple(values), cause, story,
        )  # fmt: skip

    def sound(self, length: int, bank: int) -> Brought:
        """A sound block of any values."""
        table = self.tables[bank]
        values = self.widths.any_values(table, length)
        block = self.widths.encoded(values, table, self.widths.word_w // 8)
        return self.brought(block, bank, "sound", self.widths.crc(values))

    def lost(self, length: int) -> Brought:
        """A block without a header."""
        noise = random.getrandbits(32)
        return Brought(
            length, random.random() < 0.5, 0, noise, random.getrandbits(1), random.random() < 0.3,
            True, (), (0,) * length, Cause.HEADER, "lost",
        )  # fmt: skip

    def any_block(self, wrong: float = 0.5) -> Brought:
        """A block, damaged with this chance."""
        bank, length, widths = random.getrandbits(1), self.any_length(), self.widths
        if random.random() >= wrong:
            return self.sound(length, bank)
        table = self.tables[bank]
        values = widths.any_values(table, length)
        block = widths.encoded(values, table, widths.word_w // 8)
        if random.random() < 0.2:
            block = widths.raw(values, table)
        crc = widths.crc(values)
        kind = random.randrange(6)
        if kind == 0:
            return self.lost(length)
        if kind == 1:
            return self.brought(block, bank, "another CRC", crc ^ 1 << random.randrange(32))
        if kind == 2:
            words = -(-len(block.pieces) // widths.parts)
            return self.brought(
                block, bank, "cut", random.choice((crc, None)), random.randrange(words)
            )
        if kind == 3:
            least = len(block.pieces)
            number = random.choice((1, least, least, random.randint(1, least + 3)))
            block = widths.random_pieces(length, number, block.raw)
        else:
            block = damaged(block)
        if not self.fits(block):
            return self.sound(length, bank)
        return self.brought(block, bank, "damaged", random.choice((crc, None)))

    def send(self, block: Brought) -> None:
        """Queue a block."""
        self.records.append(block)
        self.awaited.append(block)

    async def expect_all(self) -> None:
        """Wait until all blocks have left."""
        total = sum(block.count + len(block.words) + 40 for block in self.awaited)
        await until(self.dut, lambda: not self.awaited, 100 + 30 * total, "the last beat")
        await cycles(self.dut, 3)

    # ---- every cycle; what stays as it is is not driven again, for speed

    async def _run(self) -> None:
        dut, falling = self.dut, FallingEdge(self.dut.clk)
        valid, ready = dut.m_valid, dut.m_ready
        record = word = None
        self._drive_record(record)
        self._drive_word(word)
        while True:
            await falling
            if self.resetting:
                record = word = None
                self._drive_record(record)
                self._drive_word(word)
                dut.s_block_valid.value = random.getrandbits(1)
                dut.s_word_valid.value = random.getrandbits(1)
                continue
            takes = random.random() < self.beat_pace
            ready.value = int(takes)
            self._check_beat(int(valid.value), takes)
            if record is None and self.records and random.random() < self.record_pace:
                record = self.records.popleft()
                self._drive_record(record)
            elif record is None:
                dut.s_block_valid.value = 0
            if word is None and self.words and random.random() < self.word_pace:
                word = self.words.popleft()
                self._drive_word(word)
            elif word is None:
                dut.s_word_valid.value = 0
            if word is not None and dut.s_word_ready.value == 1:
                self.first_word = now() if self.first_word is None else self.first_word
                word = None
            if record is not None and dut.s_block_ready.value == 1:
                self.words.extend(record.words)
                record = None

    def _drive_record(self, record: Brought | None) -> None:
        dut = self.dut
        dut.s_block_valid.value = record is not None
        for name in FIELDS:
            handle = getattr(dut, f"s_block_{name}")
            noise = random.getrandbits(len(handle))
            handle.value = noise if record is None else int(getattr(record, name))

    def _drive_word(self, word: tuple[int, bool, bool] | None) -> None:
        dut = self.dut
        dut.s_word_valid.value = word is not None
        data, last, cut = word or (random.getrandbits(self.widths.word_w), True, True)
        dut.s_word_data.value = data
        dut.s_word_last.value, dut.s_word_cut.value = int(last), int(cut)

    def _check_beat(self, valid: int, ready: bool) -> None:
        """Check the beat on show, which leaves if ready."""
        dut, widths = self.dut, self.widths
        if not valid:
            assert self.waiting is None, f"{self.waiting} vanished before it was taken"
            return
        assert self.awaited, "a beat that nobody asked for"
        block = self.awaited[0]
        if self.left is None:
            zeros = widths.hold and block.cause
            self.left = [0] * block.count if zeros else list(block.values)
        story = (
            f"block {self.checked}, {len(self.left)} of {block.count} values left; {block.story}"
        )
        count = int(dut.m_count.value)
        last = len(self.left) <= widths.lanes
        assert count == min(widths.lanes, len(self.left)), f"{count} values in a beat; {story}"
        text = str(dut.m_data.value)
        lanes = [
            text[len(text) - (i + 1) * widths.value_w : len(text) - i * widths.value_w]
            for i in range(count)
        ]
        found = [int(lane, 2) for lane in lanes]
        assert found == self.left[:count], f"{found}, expected {self.left[:count]}; {story}"
        flags = {
            "last": last,
            "tensor_last": block.last,
            "bad": bool(block.cause) and (last or widths.hold),
        }
        if last:
            flags |= {"cause": int(block.cause), "block_count": block.count}
            flags |= {"block_pieces": block.pieces, "block_raw": block.raw}
        for name, wanted in flags.items():
            value = int(getattr(dut, f"m_{name}").value)
            assert value == int(wanted), f"m_{name} is {value}, expected {wanted!r}; {story}"
        beat = (self.checked, len(self.left))
        assert self.waiting in (None, beat)
        self.waiting = None if ready else beat
        self.first_beat = now() if self.first_beat is None else self.first_beat
        if ready:
            self.left = self.left[count:]
            self.last_beat = now()
            if last:
                self.left = None
                self.awaited.popleft()
                self.checked += 1


@cocotb.test()
async def decodes_and_checks_any_blocks(dut):
    bench = await DecoderChannelBench.started(dut)
    for _ in range(3 * ROUNDS):
        bench.new_tables()
        bench.pace()
        wrong = random.choice((0.0, 0.5, 1.0))
        for _ in range(random.choice((1, 3, 10))):
            bench.send(bench.any_block(wrong))
        await bench.expect_all()


@cocotb.test()
async def finds_each_kind_of_damage(dut):
    """With its causes and no other, and the block after it is sound."""
    bench = await DecoderChannelBench.started(dut)
    widths, found = bench.widths, set()
    for _ in range(4 * ROUNDS):
        bench.new_tables()
        bench.pace()
        bank = random.getrandbits(1)
        table, length = bench.tables[bank], bench.any_length()
        values = widths.any_values(table, length)
        block = widths.encoded(values, table, widths.word_w // 8)
        crc, pieces = widths.crc(values), block.pieces
        words = -(-len(pieces) // widths.parts)
        fewer = replace(block, pieces=pieces[:-1])
        more = replace(block, pieces=(*pieces, random.getrandbits(widths.piece_w)))
        much = replace(block, pieces=(*pieces, *[1] * (4 * widths.parts)))
        cases = [
            bench.lost(length),
            bench.brought(block, bank, "another CRC", crc ^ 1 << random.randrange(32)),
            bench.brought(block, bank, "cut at once", None, 0),
            bench.brought(block, bank, "cut", None, random.randrange(words)),
        ]
        if bench.fits(more):
            cases.append(bench.brought(more, bank, "a piece more", crc))
        if bench.fits(much):
            at = words + random.randint(0, 3)
            cases.append(bench.brought(much, bank, "many pieces more", crc))
            cases.append(bench.brought(much, bank, "many pieces more, cut", crc, at))
        if fewer.pieces:
            cases.append(bench.brought(fewer, bank, "a piece fewer", random.choice((crc, None))))
        if block.raw:
            other = widths.random_pieces(length, len(pieces), raw=False)
            cases.append(bench.brought(other, bank, "coded that was raw"))
        for case in random.sample(cases, len(cases)):
            found.add(case.cause)
            bench.send(case)
            bench.send(bench.sound(bench.any_length(), random.getrandbits(1)))
        await bench.expect_all()
    least = {Cause.HEADER, Cause.CRC, Cause.TRUNCATED | Cause.SHORT}
    assert least <= found, f"only {found} were made"


@cocotb.test()
async def finds_offsets_beyond_their_group(dut):
    """Where nothing else is wrong with the block."""
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    for _ in range(4 * ROUNDS):
        bench.new_tables()
        for _ in range(6):
            bank = random.getrandbits(1)
            table = bench.tables[bank]
            values = widths.any_values(table, bench.any_length())
            block = widths.encoded(values, table, widths.word_w // 8)
            bench.send(bench.brought(widths.other_offsets(block, table), bank, "other offsets"))
        await bench.expect_all()


@cocotb.test()
async def decodes_a_value_a_cycle(dut):
    """Blocks back to back cost their slots FIRST, and what it takes to see the end of one."""
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    for _ in range(max(ROUNDS // 2, 1)):
        bench.new_tables()
        lengths = [
            random.choice((widths.block_values, max(widths.lanes, bench.any_length())))
            for _ in range(8)
        ]
        for length in lengths:
            bench.send(bench.sound(length, random.getrandbits(1)))
        blocks, begin = list(bench.awaited), now()
        bench.first_word = bench.first_beat = None
        await bench.expect_all()
        # Words come one a cycle, and the window is to be full before a slot begins. A held block
        # leaves when its last value is there.
        need = 2 * (TAKE_DELAYS[widths.streams] + 1)
        fill = -(-need // widths.parts)
        each = widths.streams + TAKE_DELAYS[widths.streams] + 1 + fill
        held = max(widths.beats(length) for length in lengths) if widths.hold else 0
        slow = [max(block.count, len(block.words)) for block in blocks]
        allowed = sum(slow) + each * len(blocks) + held + 20 + 4 * widths.shared
        assert bench.last_beat - begin <= allowed, (
            f"{bench.last_beat - begin} cycles, {allowed} allowed for {lengths}"
        )


@cocotb.test()
async def the_first_value_leaves_soon(dut):
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    length = widths.lanes if widths.hold else widths.block_values
    for _ in range(ROUNDS):
        bench.new_tables()
        bench.first_word = bench.first_beat = None
        bench.send(bench.sound(length, random.getrandbits(1)))
        await bench.expect_all()
        late = bench.first_beat - bench.first_word
        fill = -(-2 * (TAKE_DELAYS[widths.streams] + 1) // widths.parts)
        allowed = fill + widths.streams + widths.lanes + TAKE_DELAYS[widths.streams] + 6
        allowed += 3 * (widths.hold + widths.shared)
        if (widths.streams, widths.lanes, widths.word_w, widths.hold) == (4, 8, 64, 0):
            assert allowed <= 25
        assert late <= allowed, f"{late} cycles from word to value, {allowed} allowed"


@cocotb.test()
async def holds_what_it_has_room_for(dut):
    """Nothing leaves: whole blocks come in, as the contract says, and all leave in the end."""
    bench = await DecoderChannelBench.started(dut)
    widths = bench.widths
    bench.beat_pace = 0.0
    for _ in range(7):
        bench.send(bench.sound(widths.block_values, random.getrandbits(1)))
    await cycles(dut, 200 + 8 * widths.block_values)
    taken = 7 - len(bench.records)
    least = (2 if widths.hold or widths.shared else 0) + (2 if widths.shared else 0) + 1
    assert taken >= least, f"{taken} blocks were taken, {least} expected"
    bench.beat_pace = 1.0
    await bench.expect_all()


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    bench = await DecoderChannelBench.started(dut)
    for _ in range(3 * ROUNDS):
        bench.pace()
        for _ in range(4):
            bench.send(bench.any_block())
        await cycles(dut, random.randint(0, 60 + 3 * bench.widths.block_values))
        await bench.restart()
        bench.new_tables()
        for _ in range(3):
            bench.send(bench.any_block())
        await bench.expect_all()
