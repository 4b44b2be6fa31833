# SPDX-License-Identifier: Apache-2.0
"""apack_encoder_channel: blocks of values in, entries and words out, against the model."""

from __future__ import annotations

import os
import random
import zlib
from dataclasses import dataclass

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from model.apack import SymbolTable, encode_block
from model.apack.hostile import centred_table
from model.tensors import pattern_dtype
from tb.apack.env.expected import verbatim
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import borderline_blocks, hostile_values
from tb.apack.env.widths import EngineWidths
from tb.bus.combinational import parameter
from tb.bus.cycles import reset, start_clock

PARAMETERS = (
    "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W", "WORD_W", "LANES",
    "BLOCK_VALUES",
)  # fmt: skip
SETS = {
    "one": (1, 8, 16, 10, 16, 16, 64, 8, 32),
    "two-smallest": (2, 2, 2, 1, 3, 4, 16, 1, 8),
    "three-small": (3, 7, 4, 5, 7, 8, 8, 4, 16),
    "three-wide": (3, 16, 32, 14, 16, 32, 64, 4, 16),
    "four": (4, 8, 16, 10, 16, 16, 64, 8, 32),
    "five-narrow": (5, 5, 5, 6, 8, 8, 16, 4, 32),
    "eight": (8, 8, 16, 10, 16, 16, 32, 8, 16),
}
ILLEGAL = {
    "STREAMS": (0, 9),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "PIECE_W": (8, 24),
    "short-piece": {"VALUE_W": 12, "CODE_W": 8, "COUNT_W": 6, "PIECE_W": 8},
    "WORD_W": (8, 48),
    "LANES": (6,),
    "BLOCK_VALUES": (0, 4, 96),
}
MUTATED = "three-small"
ICARUS_ROUNDS = {
    "one": 1, "two-smallest": 6, "three-small": 1, "three-wide": 1, "four": 1, "five-narrow": 2,
    "eight": 1,
}  # fmt: skip

ROUNDS = int(os.environ.get("ROUNDS") or 6)


@dataclass
class Piece:
    """One beat that left the channel."""

    entry: bool
    data: int
    count: int
    last: bool


@dataclass(frozen=True)
class Stored:
    """What a block leaves: its entry, and pieces of so many bits, the last one marked."""

    code_bits: int
    offset_bits: int
    crc: int
    pieces: tuple[str, ...]

    @classmethod
    def of(
        cls, values: np.ndarray, table: SymbolTable, code_w: int, word_w: int, beat_w: int
    ) -> Stored:
        """Values by the model, coded, or raw where that would take more bits or more words."""
        block, raw = encode_block(values, table, code_w), verbatim(values.tolist(), table.value_w)
        crc = zlib.crc32(values.astype("<u2" if table.value_w > 8 else "u1").tobytes())
        coded = (*_cut(str(block.code), word_w), *_cut(str(block.offsets), word_w))
        if block.bits > raw.bits or len(coded) > len(_cut(str(raw), word_w)):
            return cls(0, raw.bits, crc, tuple(_cut(str(raw), beat_w)))
        words = tuple(word.ljust(word_w, "0") for word in coded)
        return cls(block.code.bits, block.offsets.bits, crc, words)

    @property
    def raw(self) -> bool:
        """Whether it is stored raw."""
        return self.code_bits == 0


def _cut(bits: str, size: int) -> list[str]:
    return [bits[at : at + size] for at in range(0, len(bits), size)]


class EncoderChannelBench:
    """Brings blocks, each as soon as there is room, and checks them in the order they leave."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W", "STREAMS")
        *coder, piece_w, streams = map(parameter, names)
        self.widths = EngineWidths(*coder, piece_w, 16, streams)
        self.word_w, self.lanes, self.most = map(parameter, ("WORD_W", "LANES", "BLOCK_VALUES"))
        self.bits_w, self.data_w = map(parameter, ("BITS_W", "DATA_W"))
        self.table = self.widths.random_table()
        self.pieces: list[Piece] = []
        self.ready = 1.0  # part of the cycles in which a piece is taken
        self.gaps = 0.0  # part of the cycles without a beat

    @classmethod
    async def started(cls, dut) -> EncoderChannelBench:
        """A bench after reset."""
        bench = cls(dut)
        dut.fill_valid.value = 0
        dut.m_ready.value = 0
        bench.use(bench.table)
        start_clock(dut)
        await reset(dut)
        cocotb.start_soon(bench._take())
        return bench

    def use(self, table) -> None:
        """Put a table on the row buses."""
        self.table = table
        for name, value in row_buses(table, self.widths.symbols).items():
            if hasattr(self.dut, name):
                getattr(self.dut, name).value = value

    async def bring(self, values: np.ndarray, null_end: bool = False) -> None:
        """Bring one block; with null_end a beat without values ends it, if its beats are full."""
        limit = 200 + 40 * self.widths.streams * self.most
        while True:
            await FallingEdge(self.dut.clk)
            if self.dut.fill_ready.value == 1:
                break
            limit -= 1
            assert limit, "hang: no room for a block"
        beats = [values[at : at + self.lanes] for at in range(0, len(values), self.lanes)]
        beats += [values[:0]] if null_end and len(values) % self.lanes == 0 else []
        await RisingEdge(self.dut.clk)
        for place, beat in enumerate(beats):
            while random.random() < self.gaps:
                self.dut.fill_valid.value = 0
                await RisingEdge(self.dut.clk)
            empty = range(self.lanes - len(beat))
            lanes = [*beat.tolist(), *(random.getrandbits(self.widths.value_w) for _ in empty)]
            self.dut.fill_valid.value = 1
            self.dut.fill_data.value = sum(
                lane << (at * self.widths.value_w) for at, lane in enumerate(lanes)
            )
            self.dut.fill_count.value = len(beat)
            self.dut.fill_last.value = int(place == len(beats) - 1)
            await RisingEdge(self.dut.clk)
        self.dut.fill_valid.value = 0

    def stored(self, values: np.ndarray) -> Stored:
        """What a block should leave with the table of now."""
        beat_w = self.lanes * self.widths.value_w
        return Stored.of(values, self.table, self.widths.code_w, self.word_w, beat_w)

    async def expect(self, values: np.ndarray) -> None:
        """Check the next block that leaves."""
        wanted = self.stored(values)
        story = f"{len(values)} values {values[:20].tolist()} with {self.table}"
        await self._until(1)
        head = self.pieces.pop(0)
        assert head.entry, f"a piece where an entry should be: {story}"
        assert not head.last, f"an entry is the last of a block: {story}"
        mask = (1 << self.bits_w) - 1
        found = (head.data & mask, head.data >> self.bits_w & mask, head.data >> 2 * self.bits_w)
        entry = (wanted.code_bits, wanted.offset_bits, wanted.crc)
        found = (*found[:2], found[2] & 0xFFFFFFFF)
        assert found == entry, f"entry {found}, expected {entry}: {story}"
        for place, bits in enumerate(wanted.pieces):
            await self._until(1)
            piece, at = self.pieces.pop(0), f"piece {place} of {len(wanted.pieces)}"
            assert not piece.entry, f"an entry for {at}: {story}"
            data = f"{piece.data:0{self.data_w}b}"
            assert piece.count == len(bits), f"{at}: {piece.count} bits, not {len(bits)}: {story}"
            assert data == bits.ljust(self.data_w, "0"), f"{at}: {data}, expected {bits}: {story}"
            assert piece.last == (place == len(wanted.pieces) - 1), f"last at {at}: {story}"

    async def _until(self, count: int) -> None:
        for _ in range(400 + 60 * self.widths.streams * self.most):
            if len(self.pieces) >= count:
                return
            await FallingEdge(self.dut.clk)
        raise AssertionError("hang: nothing leaves")

    async def _take(self) -> None:
        waiting: Piece | None = None
        while True:
            await RisingEdge(self.dut.clk)
            self.dut.m_ready.value = int(random.random() < self.ready)
            await FallingEdge(self.dut.clk)
            piece = self._shown()
            assert waiting in (None, piece), f"{waiting} became {piece} before it was taken"
            waiting = piece
            if piece and self.dut.m_ready.value == 1:
                self.pieces.append(piece)
                waiting = None

    def _shown(self) -> Piece | None:
        """What waits at the output."""
        if self.dut.rst.value == 1 or self.dut.m_valid.value == 0:
            return None
        names = ("m_entry", "m_data", "m_count", "m_last")
        entry, data, count, last = (getattr(self.dut, name).value for name in names)
        size = 0 if entry == 1 else int(count)
        return Piece(entry == 1, int(data), size, last == 1)

    def any_values(self) -> np.ndarray:
        """A block of any length and kind."""
        length = random.choice((1, self.lanes, self.most, random.randint(1, self.most)))
        return self.widths.any_values(self.table, length)

    def drawn(self, values: range) -> np.ndarray:
        """A block of full length, of some values."""
        drawn = random.choices(values, k=self.most)
        return np.array(drawn, dtype=pattern_dtype(self.widths.value_w))

    async def send(self, blocks: list[np.ndarray]) -> None:
        """Bring blocks while those before leave, and check all."""

        async def bring_all() -> None:
            for values in blocks:
                await self.bring(values, random.random() < 0.2)

        task = cocotb.start_soon(bring_all())
        for values in blocks:
            await self.expect(values)
        await task


@cocotb.test()
async def codes_any_blocks(dut):
    bench = await EncoderChannelBench.started(dut)
    for _ in range(ROUNDS):
        bench.use(bench.widths.random_table())
        bench.ready = random.choice((1.0, 0.9, 0.3))
        bench.gaps = random.choice((0.0, 0.0, 0.5, 0.9))
        await bench.send([bench.any_values() for _ in range(random.randint(1, 12))])


@cocotb.test()
async def waits_for_values_that_come_slowly(dut):
    bench = await EncoderChannelBench.started(dut)
    bench.gaps = 1 - 1 / (3 * bench.lanes * bench.widths.streams)
    few = min(bench.most, 3 * bench.lanes)
    await bench.send([bench.widths.any_values(bench.table, few) for _ in range(2)])


@cocotb.test()
async def stores_what_does_not_shrink_raw(dut):
    bench = await EncoderChannelBench.started(dut)
    bench.use(bench.widths.random_table())
    rare = [
        np.array([random.getrandbits(bench.widths.value_w) for _ in range(bench.most)])
        for _ in range(2 * bench.widths.streams)
    ]
    await bench.send([values.astype(np.uint16) for values in rare])


@cocotb.test()
@cocotb.skipif(parameter("SYMBOLS") == 1, reason="with one group all blocks are raw")
async def keeps_coded_what_is_as_long_as_raw(dut):
    """And what is a bit shorter, but not what is a bit longer."""
    bench = await EncoderChannelBench.started(dut)
    value_w, count_w = bench.widths.value_w, bench.widths.count_w
    for surplus in (-1, 0, 1):
        cases = borderline_blocks(value_w, count_w, bench.word_w, bench.most, surplus)
        for case in (cases[0], cases[-1], *random.choices(cases, k=3)):
            table, values = case.drawn(value_w, count_w)
            bits = encode_block(values, table, bench.widths.code_w).bits
            assert bits - len(values) * value_w == surplus, case
            bench.use(table)
            assert bench.stored(values).raw == (surplus > 0), case
            await bench.send([values])


@cocotb.test()
@cocotb.skipif(
    parameter("SYMBOLS") < 3 or parameter("COUNT_W") < 2,
    reason="no table of these widths makes such runs",
)
async def is_exact_for_long_runs_of_pending_bits(dut):
    bench = await EncoderChannelBench.started(dut)
    widths = bench.widths
    bench.use(centred_table(widths.value_w, widths.count_w))
    blocks = [hostile_values(bench.table, bench.most, widths.code_w) for _ in range(3)]
    await bench.send(blocks)


def all_code(widths: EngineWidths) -> tuple[SymbolTable, range]:
    """A table, and values of it that are the longest code and have no offsets."""
    groups = min(widths.symbols, 1 << widths.count_w)
    cum = (*range(groups), 1 << widths.count_w)
    table = SymbolTable(widths.value_w, widths.count_w, tuple(range(groups)), cum)
    return table, range(max(groups - 1, 1))


def all_offsets(widths: EngineWidths) -> tuple[SymbolTable, range]:
    """A table, and values of it that take hardly any code, and offsets one bit short of a value."""
    half, total = 1 << widths.value_w - 1, 1 << widths.count_w
    if widths.symbols == 1:
        return SymbolTable(widths.value_w, widths.count_w, (0,), (0, total)), range(half)
    table = SymbolTable(widths.value_w, widths.count_w, (0, half), (0, total - 1, total))
    return table, range(half)


def most_of_both(widths: EngineWidths) -> tuple[SymbolTable, range]:
    """A table, and values of it with long offsets and the longest code."""
    total = 1 << widths.count_w
    if widths.symbols == 1:
        return all_offsets(widths)
    table = SymbolTable(widths.value_w, widths.count_w, (0, 1), (0, total - 1, total))
    return table, range(1, 1 << widths.value_w)


@cocotb.test()
async def stores_what_is_all_code_or_all_offsets_or_much_of_both(dut):
    bench = await EncoderChannelBench.started(dut)
    for extreme in (all_code, all_offsets, most_of_both):
        table, values = extreme(bench.widths)
        bench.use(table)
        bench.ready = random.choice((1.0, 0.5))
        await bench.send([bench.drawn(values) for _ in range(2 * bench.widths.streams)])


@cocotb.test()
async def takes_no_more_blocks_than_it_can_hold_while_none_leaves(dut):
    bench = await EncoderChannelBench.started(dut)
    table, values = all_offsets(bench.widths)
    bench.use(table)
    bench.ready = 0.0
    task = cocotb.start_soon(
        bench.send([bench.drawn(values) for _ in range(4 * bench.widths.streams)])
    )
    for _ in range(4 * bench.widths.streams * bench.most):
        await FallingEdge(dut.clk)
    bench.ready = 1.0
    await task


@cocotb.test()
async def takes_a_value_every_cycle(dut):
    bench = await EncoderChannelBench.started(dut)
    blocks = [
        bench.widths.any_values(bench.table, bench.most) for _ in range(6 * bench.widths.streams)
    ]
    start = cocotb.simtime.get_sim_time("ns")
    await bench.send(blocks)
    cycles = (cocotb.simtime.get_sim_time("ns") - start) / 10
    values = sum(map(len, blocks))
    # the first blocks fill and the last ones empty the engine, raw ones take slots to be read
    spent = values * (1 + 1 / bench.lanes) + 3 * bench.widths.streams * (bench.most + 60)
    assert cycles < spent, f"{values} values took {cycles:.0f} cycles, more than {spent:.0f}"


@cocotb.test()
async def begins_anew_after_a_reset(dut):
    bench = await EncoderChannelBench.started(dut)
    for _ in range(3):
        task = cocotb.start_soon(bench.bring(bench.any_values()))
        for _ in range(random.randint(1, 3 * bench.most)):
            await FallingEdge(dut.clk)
        task.cancel()
        dut.fill_valid.value = 0
        await reset(dut)
        bench.pieces.clear()
        await bench.send([bench.any_values() for _ in range(3)])
