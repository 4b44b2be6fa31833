# SPDX-License-Identifier: Apache-2.0
"""apack_encoder_channel: blocks of values in, headers and words out, against the model."""

from __future__ import annotations

import os
import random
from collections import deque
from dataclasses import dataclass

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from model.apack import SymbolTable, encode_block
from model.apack.blocks import BlockHeader, piece_bytes
from model.apack.coder import EncodedBlock
from model.apack.hostile import pending_run
from model.tensors import pattern_dtype
from tb.apack.env.memory_image import crc_of
from tb.apack.env.ordinary import ordinary_table, ordinary_values
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import (
    edge_values,
    hostile_values,
    random_values,
    tables_of_every_size,
)
from tb.apack.env.widths import CoderWidths
from tb.bus.combinational import parameter
from tb.bus.cycles import cycles, now, reset, start_clock, until

PARAMETERS = (
    "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "LANES", "BLOCK_VALUES",
    "SHARED",
)  # fmt: skip
SETS = {
    "four": (4, 8, 16, 10, 16, 64, 8, 256, 0),
    "one": (1, 8, 16, 10, 16, 64, 8, 64, 0),
    "two-smallest": (2, 2, 2, 1, 3, 16, 1, 32, 0),
    "two-wide": (2, 16, 32, 14, 32, 32, 4, 128, 0),
    "four-narrow-shared": (4, 5, 5, 6, 8, 16, 4, 128, 1),
    "four-long-pieces": (4, 12, 16, 16, 32, 32, 16, 128, 0),
    "eight-shared": (8, 7, 16, 10, 20, 64, 8, 256, 1),
    "eight-short-code": (8, 16, 3, 15, 17, 64, 2, 256, 0),
}
ILLEGAL = {
    "STREAMS": (0, 3, 16),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "CODE_W": (33,),
    "long-count": {"COUNT_W": 17, "CODE_W": 32},
    "WORD_W": (8, 48, 128),
    "short-word": {"COUNT_W": 15, "CODE_W": 17, "WORD_W": 16},
    "LANES": (6,),
    "BLOCK_VALUES": (0, 4, 96),
    "SHARED": (2,),
}
MUTATED = "four-narrow-shared"
ICARUS_ROUNDS = 1

ROUNDS = int(os.environ.get("ROUNDS") or 6)

HEADER_CYCLES = 60  # from a block's last value to its header


@dataclass(frozen=True)
class Beat:
    """One beat that left the channel; the fields of a header are None in others."""

    header: bool
    data: int
    count: int
    last: bool
    values: int | None
    pieces: int | None
    raw: bool | None


@dataclass(frozen=True)
class Sent:
    """A block that was sent: what must leave, and how to name it."""

    beats: list[Beat]
    story: str


class EncoderChannelBench:
    """Brings blocks, and checks them in the order they leave."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W")
        self.widths = CoderWidths(*map(parameter, names))
        self.streams, self.lanes, self.most = map(parameter, ("STREAMS", "LANES", "BLOCK_VALUES"))
        self.piece_w, self.word_w, self.out_w = map(parameter, ("PIECE_W", "WORD_W", "OUT_W"))
        self.tables = [self.widths.random_table() for _ in range(2)]
        self.found: deque[Beat] = deque()
        self.sent: deque[Sent] = deque()
        self.times: list[int] = []  # cycle of each header
        self.ready = 1.0  # part of the cycles in which a beat is taken
        self.shy = False  # whether a beat is taken only in the cycle after it was seen
        self.gaps = 0.0  # part of the cycles without a beat

    @classmethod
    async def started(cls, dut) -> EncoderChannelBench:
        """A bench after reset."""
        bench = cls(dut)
        dut.s_valid.value = 0
        dut.m_ready.value = 0
        bench.show()
        start_clock(dut)
        await reset(dut)
        cocotb.start_soon(bench._take())
        return bench

    def show(self, *tables: SymbolTable) -> None:
        """Put the tables of both banks on the row buses; the same one twice if it is alone."""
        if tables:
            self.tables = [tables[0], tables[-1]]
        low, high = (row_buses(table, self.widths.symbols) for table in self.tables)
        for name in ("row_valid", "row_base", "row_offset_w", "row_cum"):
            handle = getattr(self.dut, name)
            handle.value = high[name] << len(handle) // 2 | low[name]

    def wanted(self, values: np.ndarray, bank: int) -> list[Beat]:
        """What the model says that a block leaves."""
        block = self.encoded(values, bank)
        crc = crc_of(values.astype(self.dtype))
        header = BlockHeader(len(block.pieces), block.raw, crc).to_bytes()
        first = int.from_bytes(header, "big") << self.out_w - 64
        head = Beat(True, first, 64, False, len(values), len(block.pieces), block.raw)
        size = self.lanes * self.widths.value_w if block.raw else self.word_w
        if block.raw:
            bits = "".join(f"{value:0{self.widths.value_w}b}" for value in values.tolist())
        else:
            bits = "".join(f"{byte:08b}" for byte in piece_bytes(block, self.word_w // 8))
        parts = [bits[at : at + size] for at in range(0, len(bits), size)]
        return [
            head,
            *(
                Beat(
                    False, int(part.ljust(self.out_w, "0"), 2), len(part), at == len(parts) - 1,
                    None, None, None,
                )
                for at, part in enumerate(parts)
            ),
        ]  # fmt: skip

    def encoded(self, values: np.ndarray, bank: int = 0) -> EncodedBlock:
        """The model's block."""
        table, code_w = self.tables[bank], self.widths.code_w
        return encode_block(values, table, self.streams, code_w, self.word_w // 8)

    async def bring(self, values: np.ndarray, bank: int = 0, null_end: bool = False) -> int:
        """Bring one block; with null_end a beat without values ends it, if its beats are full.

        Returns the cycle in which its last beat was taken.
        """
        self.sent.append(
            Sent(
                self.wanted(values, bank),
                f"{len(values)} values {values[:40].tolist()} with {self.tables[bank]}",
            )
        )
        beats = [values[at : at + self.lanes] for at in range(0, len(values), self.lanes)]
        beats += [values[:0]] if null_end and len(values) % self.lanes == 0 else []
        value_w = self.widths.value_w
        for place, beat in enumerate(beats):
            while random.random() < self.gaps:
                await RisingEdge(self.dut.clk)
            empty = range(self.lanes - len(beat))
            lanes = [*beat.tolist(), *(random.getrandbits(value_w) for _ in empty)]
            self.dut.s_valid.value = 1
            self.dut.s_data.value = sum(lane << at * value_w for at, lane in enumerate(lanes))
            self.dut.s_count.value = len(beat)
            self.dut.s_last.value = int(place == len(beats) - 1)
            self.dut.s_bank.value = bank
            await self._taken()
            self.dut.s_valid.value = 0
        return now()

    async def _taken(self) -> None:
        limit = 2000 + 60 * self.most
        while limit:
            await FallingEdge(self.dut.clk)
            taken = self.dut.s_ready.value == 1
            await RisingEdge(self.dut.clk)
            if taken:
                return
            limit -= 1
        raise AssertionError("hang: no room for a beat")

    async def send(self, blocks: list[np.ndarray], banks: tuple[int, ...] = (0,)) -> None:
        """Bring blocks one after the other, of any of these banks, and check all that leaves."""
        for values in blocks:
            await self.bring(values, random.choice(banks), random.random() < 0.2)
        await self.expect_all()

    async def expect_all(self) -> None:
        """Wait for all that must leave, compare it, and see that nothing follows."""
        for sent in self.sent:
            for place, wanted in enumerate(sent.beats):
                await until(
                    self.dut, lambda: bool(self.found), 2000 + 60 * self.most,
                    f"beat {place} of {sent.story}",
                )  # fmt: skip
                found = self.found.popleft()
                assert found == wanted, f"beat {place}: {found}, expected {wanted}: {sent.story}"
        self.sent.clear()
        for _ in range(4):
            await RisingEdge(self.dut.clk)
        assert not self.found, f"{self.found[0]} after the last block"

    async def _take(self) -> None:
        waiting: Beat | None = None
        while True:
            await RisingEdge(self.dut.clk)
            ready = random.random() < self.ready and not (self.shy and waiting is None)
            self.dut.m_ready.value = int(ready)
            await FallingEdge(self.dut.clk)
            beat = self._shown()
            if self.dut.rst.value == 1:
                waiting = None
            assert waiting in (None, beat), f"{waiting} became {beat} before it was taken"
            waiting = beat
            if beat and self.dut.m_ready.value == 1:
                self.found.append(beat)
                self.times += [now()] if beat.header else []
                waiting = None

    def _shown(self) -> Beat | None:
        """What waits at the output."""
        dut = self.dut
        if dut.rst.value == 1 or dut.m_valid.value == 0:
            return None
        header = dut.m_header.value == 1
        of_header = (None, None, None)
        if header:
            of_header = (int(dut.m_values.value), int(dut.m_pieces.value), dut.m_raw.value == 1)
        last = dut.m_last.value == 1
        return Beat(header, int(dut.m_data.value), int(dut.m_count.value), last, *of_header)

    def any_values(self, bank: int = 0, length: int = 0) -> np.ndarray:
        """A block of any kind, and of any length unless it is given."""
        few = (1, self.streams - 1, self.streams, self.streams + 1, 2 * self.streams + 1)
        length = length or random.choice(
            (self.lanes, self.most, random.randint(1, self.most), random.choice(few))
        )
        length = min(max(length, 1), self.most)
        if random.random() < 0.2:
            return hostile_values(self.tables[bank], length, self.widths.code_w)
        return random_values(self.tables[bank], length)

    def uniform(self, length: int) -> np.ndarray:
        """Values, all equally likely."""
        drawn = [random.getrandbits(self.widths.value_w) for _ in range(length)]
        return np.array(drawn, self.dtype)

    def run(self, stream: int, length: int) -> np.ndarray:
        """A full block of zeros, but for so many pending values of one stream in its middle."""
        values = np.zeros(self.most, self.dtype)
        own = values[stream :: self.streams]
        own[:length] = pending_run(self.table, length, self.widths.code_w)
        return values

    @property
    def dtype(self) -> np.dtype:
        """That of values."""
        return pattern_dtype(self.widths.value_w)

    @property
    def table(self) -> SymbolTable:
        """That of bank 0."""
        return self.tables[0]

    @property
    def block_cycles(self) -> int:
        """Cycles that a block may take above one a value, on ordinary data."""
        return 10 if self.streams <= 4 and self.widths.code_w <= self.piece_w else 4 * self.streams

    async def bring_all(self, blocks: list[np.ndarray]) -> None:
        """Bring blocks one after the other."""
        for values in blocks:
            await self.bring(values, 0, random.random() < 0.2)

    def any_pace(self) -> None:
        """Choose how often beats come and go."""
        self.ready = random.choice((1.0, 1.0, 0.9, 0.3))
        self.shy = random.random() < 0.2
        self.gaps = random.choice((0.0, 0.0, 0.5, 0.9))


@cocotb.test()
async def codes_any_blocks_of_both_banks(dut):
    bench = await EncoderChannelBench.started(dut)
    for _ in range(4 * ROUNDS):
        bench.show(bench.widths.random_table(), bench.widths.random_table())
        bench.any_pace()
        for _ in range(random.randint(1, 8)):
            bank = random.randrange(2)
            await bench.bring(bench.any_values(bank), bank, random.random() < 0.2)
        await bench.expect_all()


@cocotb.test()
async def codes_blocks_of_every_short_length(dut):
    """Fewer values than streams, and those that end on a piece's edge or a word's."""
    bench = await EncoderChannelBench.started(dut)
    for _ in range(max(ROUNDS // 3, 1)):
        bench.show(ordinary_table(bench.widths))
        lengths = range(1, min(bench.most, 5 * bench.streams + 2) + 1)
        await bench.send([bench.any_values(0, length) for length in lengths])


@cocotb.test()
async def codes_each_group_of_tables_of_every_size(dut):
    """Also those of one group, groups of one value, and offsets as wide as values."""
    bench = await EncoderChannelBench.started(dut)
    widths = bench.widths
    tables = list(tables_of_every_size(widths.value_w, widths.symbols, widths.count_w))
    for table in random.sample(tables, min(len(tables), 4 * ROUNDS)):
        bench.show(table)
        values = np.array(edge_values(table), bench.dtype)
        await bench.send([values[: bench.most], bench.any_values()])


@cocotb.test()
async def codes_shifts_that_end_on_the_edge_of_a_piece(dut):
    """Values that all make the same number of shifts, after any others."""
    bench = await EncoderChannelBench.started(dut)
    widths = bench.widths
    for shifts in range(1, min(widths.count_w, widths.symbols - 1) + 1):
        bench.show(halving_table(widths, shifts))
        lone = widths.value_w > 1 and shifts < (1 << widths.value_w)
        for first in range(bench.streams + 1):
            values = [random.randrange(1 << widths.value_w) for _ in range(first)]
            values += [0 if lone else 1] * (bench.most - first)
            await bench.bring(np.array(values, bench.dtype))
        await bench.expect_all()


def halving_table(widths: CoderWidths, shifts: int) -> SymbolTable:
    """A table whose first value takes so many bits of code, and no offset."""
    groups = min(shifts + 1, 1 << widths.value_w)
    total = 1 << widths.count_w
    cum = [total >> shifts - at for at in range(groups - 1)]
    return SymbolTable(widths.value_w, widths.count_w, tuple(range(groups)), (0, *cum, total))


HAS_RUNS = parameter("SYMBOLS") >= 3 and parameter("COUNT_W") >= 4


@cocotb.test()
@cocotb.skipif(not HAS_RUNS, reason="no table of these widths makes such runs")
async def is_exact_up_to_the_pieces_that_a_stream_may_be_ahead_and_raw_beyond(dut):
    bench = await EncoderChannelBench.started(dut)
    bench.show(lean_table(bench.widths))
    for stream in range(bench.streams):
        runs = [bench.run(stream, length) for length in range(1, bench.most // bench.streams)]
        first = next(at for at, values in enumerate(runs) if bench.encoded(values).raw)
        last = bench.encoded(runs[first - 1])
        words = bench.most * bench.widths.value_w // bench.piece_w
        assert len(last.pieces) + 8 < words, f"{len(last.pieces)} pieces of {words} decide, too"
        near = [runs[at] for at in (first - 1, first, first - 1, first - 2, first, first + 1)]
        bench.any_pace()
        await bench.send([*near, runs[-1], runs[first - 1]])


def lean_table(widths: CoderWidths) -> SymbolTable:
    """Groups 0 and 2 take a bit of code, 1 many pending ones; 0 and 1 have no offset."""
    half = 1 << widths.count_w - 1
    return SymbolTable(widths.value_w, widths.count_w, (0, 1, 2), (0, half - 1, half + 1, 2 * half))


@cocotb.test()
async def stores_raw_what_its_last_value_makes_too_long(dut):
    """And coded what is as long as raw, and the next block as if nothing had been."""
    bench = await EncoderChannelBench.started(dut)
    for _ in range(ROUNDS):
        bench.show(most_of_both(bench.widths)[0])
        short, long = bench.most // 3, bench.most
        values = np.maximum(bench.uniform(bench.most), 1)
        values[:short] = 0
        assert bench.encoded(values).raw and not bench.encoded(values[:short]).raw
        while long - short > 1:
            middle = (short + long) // 2
            if bench.encoded(values[:middle]).raw:
                long = middle
            else:
                short = middle
        bench.any_pace()
        await bench.send([values[:short], values[:long], values[:short], values[:long]])


@cocotb.test()
async def stores_what_is_all_code_or_all_offsets_or_much_of_both(dut):
    bench = await EncoderChannelBench.started(dut)
    for extreme in (all_code, all_offsets, most_of_both):
        table, values = extreme(bench.widths)
        bench.show(table)
        bench.any_pace()
        drawn = [random.choices(values, k=bench.most) for _ in range(4)]
        await bench.send([np.array(each, bench.dtype) for each in drawn])


def all_code(widths: CoderWidths) -> tuple[SymbolTable, range]:
    """A table, and values of it that are the longest code and have no offsets."""
    groups = min(widths.symbols, 1 << widths.count_w, 1 << widths.value_w)
    cum = (*range(groups), 1 << widths.count_w)
    table = SymbolTable(widths.value_w, widths.count_w, tuple(range(groups)), cum)
    return table, range(max(groups - 1, 1))


def all_offsets(widths: CoderWidths) -> tuple[SymbolTable, range]:
    """A table, and values of it that take hardly any code, and offsets one bit short of a value."""
    half, total = 1 << widths.value_w - 1, 1 << widths.count_w
    table = SymbolTable(widths.value_w, widths.count_w, (0, half), (0, total - 1, total))
    return table, range(half)


def most_of_both(widths: CoderWidths) -> tuple[SymbolTable, range]:
    """A table, and values of it with long offsets and the longest code."""
    total = 1 << widths.count_w
    table = SymbolTable(widths.value_w, widths.count_w, (0, 1), (0, total - 1, total))
    return table, range(1, 1 << widths.value_w)


@cocotb.test()
async def waits_while_nothing_leaves_and_loses_nothing(dut):
    bench = await EncoderChannelBench.started(dut)
    for _ in range(ROUNDS):
        bench.show(bench.widths.random_table())
        bench.ready, bench.gaps, bench.shy = 0.0, 0.0, random.random() < 0.5
        blocks = [bench.any_values() for _ in range(8)]
        task = cocotb.start_soon(bench.bring_all(blocks))
        await cycles(dut, random.randint(1, 8 * bench.most))
        bench.ready = 1.0
        await task
        await bench.expect_all()


@cocotb.test()
async def takes_a_value_a_cycle_and_hardly_more_for_a_block(dut):
    bench = await EncoderChannelBench.started(dut)
    bench.show(ordinary_table(bench.widths))
    length = min(bench.most, 1 << bench.most.bit_length() - 1)
    blocks = [ordinary_values(bench.widths, length) for _ in range(12)]
    await bench.send(blocks)
    spent = (bench.times[-1] - bench.times[1]) / (len(bench.times) - 2)
    allowed = length + bench.block_cycles
    assert spent <= allowed, f"{spent:.1f} cycles a block of {length} values, {allowed} allowed"


@cocotb.test()
@cocotb.skipif(parameter("SHARED") == 1, reason="values may wait in front of the engine")
async def gives_a_header_soon_after_the_last_value(dut):
    bench = await EncoderChannelBench.started(dut)
    for length in (1, bench.lanes, bench.streams + 1, bench.most // 2, bench.most):
        bench.show(ordinary_table(bench.widths))
        taken = await bench.bring(ordinary_values(bench.widths, min(length, bench.most)))
        await bench.expect_all()
        spent = bench.times[-1] - taken
        assert spent <= HEADER_CYCLES, f"{spent} cycles after the last of {length} values"


@cocotb.test()
async def begins_anew_after_a_reset(dut):
    bench = await EncoderChannelBench.started(dut)
    for _ in range(6 * ROUNDS):
        bench.show(random.choice((bench.widths.random_table, bench.widths.hostile_table))())
        bench.any_pace()
        blocks = [bench.any_values() for _ in range(4)]
        task = cocotb.start_soon(bench.bring_all(blocks))
        await cycles(dut, random.choice((random.randint(1, 60), random.randint(1, 4 * bench.most))))
        task.cancel()
        dut.rst.value = 1
        dut.s_valid.value = 0
        await reset(dut, 1)
        bench.sent.clear()
        bench.found.clear()
        bench.gaps = 0.0
        await bench.send([bench.any_values() for _ in range(2)])
