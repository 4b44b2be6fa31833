# SPDX-License-Identifier: Apache-2.0
"""apack_encoder_engine: the pieces of blocks, and where a decoder takes them, against the model."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, Timer

from model.apack import SymbolTable, encode_block
from model.apack.coder import OFFSETS
from model.apack.hostile import pending_run
from tb.apack.env.ordinary import ordinary_table, ordinary_values
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import (
    edge_values,
    hostile_values,
    most_ahead,
    random_values,
    tables_of_every_size,
)
from tb.apack.env.widths import CoderWidths
from tb.bus.combinational import parameter
from tb.bus.cycles import cycles, now, reset, start_clock, until

PARAMETERS = ("STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W")
SETS = {
    "one": (1, 8, 16, 10, 16),
    "one-long-code": (1, 16, 32, 14, 32),
    "two-smallest": (2, 2, 2, 1, 3),
    "two-wide": (2, 16, 32, 14, 16),
    "four": (4, 8, 16, 10, 16),
    "four-narrow": (4, 4, 5, 6, 8),
    "four-one-row": (4, 12, 1, 4, 10),
    "eight": (8, 8, 16, 10, 16),
    "eight-long-pieces": (8, 7, 11, 16, 20),
}
ILLEGAL = {
    "STREAMS": (0, 3, 16),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "CODE_W": (33,),
    "long-count": {"COUNT_W": 17, "CODE_W": 32},
}
MUTATED = "four-narrow"
ICARUS_ROUNDS = 2

ROUNDS = int(os.environ.get("ROUNDS") or 12)

ONE_WORD = 1 << 20  # bytes of a word that holds any block, so that only far ones are raw
LENGTHS = (1, 2, 3, 12, 50)


@dataclass(eq=False)
class Block:
    """A block that was sent, and what has left of it.

    owners: whose piece each place has, as the engine takes them; the numbers that takes and pieces
    are said to have are checked against those of their stream.
    """

    values: np.ndarray
    table: SymbolTable
    pieces: list[int] | None  # of the model; None for a block that is too far ahead
    owners: list[int] = field(default_factory=list)
    found: dict[int, list[int]] = field(default_factory=dict)  # pieces of each owner
    far: bool = False

    @property
    def story(self) -> str:
        """The block, for people."""
        return f"{len(self.values)} values {self.values[:40].tolist()} with {self.table}"

    def placed(self) -> list[int]:
        """The pieces in the order of their places."""
        left = {owner: deque(pieces) for owner, pieces in self.found.items()}
        return [left[owner].popleft() for owner in self.owners]


class EncoderEngineBench:
    """Sends blocks slot by slot, gathers takes and pieces, and puts blocks together from them."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W")
        self.widths = CoderWidths(*map(parameter, names))
        self.streams, self.piece_w = map(parameter, ("STREAMS", "PIECE_W"))
        self.first = -(-self.widths.code_w // self.piece_w)
        self.idle = 0.0  # part of the slots that are left unused
        self.ready = 1.0  # part of the cycles in which an offset piece may leave
        self.taken = 0  # slots with a value or an end
        self.forget()

    def forget(self) -> None:
        """Nothing was sent."""
        self.slots: deque[tuple[Block, int | None]] = deque()  # a value, or None for an end
        self.sent: list[Block] = []
        self.coding: deque[Block] = deque()  # blocks whose code has not ended
        self.offsets: deque[Block] = deque()  # blocks whose offset pieces have not all left
        self.ended: list[Block] = []
        self.place = 0  # of the next value in its block
        self.ends = 0  # slots of an end that is under way
        self.row: SymbolTable | None = None
        self.waiting: tuple[int, ...] | None = None

    @classmethod
    async def started(cls, dut) -> EncoderEngineBench:
        """A bench after reset."""
        bench = cls(dut)
        bench._drive()
        dut.m_offset_ready.value = 0
        start_clock(dut)
        await reset(dut)
        cocotb.start_soon(bench._run())
        return bench

    def send(self, values: Sequence[int] | np.ndarray, table: SymbolTable) -> Block:
        """Queue a block."""
        values = np.array(values, np.uint16)
        wanted = encode_block(values, table, self.streams, self.widths.code_w, ONE_WORD)
        block = Block(values, table, None if wanted.raw else list(wanted.pieces))
        block.owners = [k for k in range(self.streams) for _ in range(self.first)]
        self.slots += [(block, int(value)) for value in values]
        self.slots += [(block, None)] * self.streams
        for blocks in (self.sent, self.coding, self.offsets):
            blocks.append(block)
        return block

    def any_values(self, table: SymbolTable) -> np.ndarray:
        """A short block, or a long one, of any kind."""
        turns = self.streams * random.randint(1, 3) + random.choice((-1, 0, 1))
        length = max(random.choice((*LENGTHS, turns)), 1)
        if random.random() < 0.2:
            return hostile_values(table, length, self.widths.code_w)
        return random_values(table, length)

    async def expect_all(self) -> None:
        """Wait until all blocks have left, compare them, and see that nothing follows."""
        limit = 500 + 60 * len(self.slots) + 100 * self.streams * len(self.sent)
        await until(self.dut, self._all_left, limit, f"the end of {len(self.sent)} blocks")
        await cycles(self.dut, 4 * self.streams + 12)
        for block in self.sent:
            assert block.far == (block.pieces is None), f"far is {block.far}: {block.story}"
            if not block.far:
                found = block.placed()
                assert found == block.pieces, f"{found}, expected {block.pieces}: {block.story}"
        for blocks in (self.sent, self.ended, self.offsets):
            blocks.clear()

    def _all_left(self) -> bool:
        whole = all(block.pieces is None or _is_whole(block) for block in self.ended)
        return len(self.ended) == len(self.sent) and whole

    async def _run(self) -> None:
        falling = FallingEdge(self.dut.clk)
        while True:
            await falling
            if self.dut.rst.value == 1:
                self._drive()
                continue
            self._show_rows()
            self.dut.m_offset_ready.value = int(random.random() < self.ready)
            await Timer(1, "ns")
            self._gather()
            self._gather_offset()
            if self.dut.s_ready.value == 1:
                self.row = None
                self._next_slot(int(self.dut.s_stream.value))

    def _show_rows(self) -> None:
        """The table of the value that was taken last; any other table otherwise."""
        table = self.row or self.widths.random_table()
        for name, rows in row_buses(table, self.widths.symbols).items():
            if hasattr(self.dut, name):
                getattr(self.dut, name).value = rows

    def _next_slot(self, stream: int) -> None:
        block, value = self.slots[0] if self.slots else (None, None)
        waits = self.ends == 0 and random.random() < self.idle
        if block is None or waits or (value is not None and stream != self.place % self.streams):
            self._drive()
            return
        self.slots.popleft()
        self.taken += 1
        if value is None:
            self.ends = (self.ends + 1) % self.streams
            self.place = 0
            self._drive(s_end=1, s_last=int(self.ends == 0))
        else:
            self.place += 1
            self.row = block.table
            self._drive(s_valid=1, s_value=value)

    def _drive(self, **slot: int) -> None:
        """Show a slot; it is idle if nothing is said, and its value then any."""
        noise = random.getrandbits(self.widths.value_w)
        values = {"s_valid": 0, "s_value": noise, "s_end": 0, "s_last": 0, **slot}
        for name, value in values.items():
            getattr(self.dut, name).value = value

    def _gather(self) -> None:
        """What the engine says in this cycle of takes and code pieces."""
        dut = self.dut
        code_take, offset_take, valid, far, end = (
            int(getattr(dut, name).value)
            for name in ("m_code_take", "m_offset_take", "m_code_valid", "m_far", "m_end")
        )
        if not (code_take or offset_take or valid or far or end):
            return
        assert self.coding, "the engine says something of no block"
        block, stream = self.coding[0], int(dut.m_stream.value)
        exact = block.pieces is not None
        if code_take:
            number = block.owners.count(stream)
            found = int(dut.m_take_number.value)
            assert not exact or found == number % 16, f"take {found}, not {number}: {block.story}"
            block.owners.append(stream)
        if offset_take:
            block.owners.append(OFFSETS)
        if valid:
            pieces = block.found.setdefault(stream, [])
            found = int(dut.m_code_number.value)
            assert not exact or found == len(pieces) % 16, f"piece {found}: {block.story}"
            first = int(dut.m_code_first.value)
            assert first == (len(pieces) < self.first) or not exact, f"first {first}: {block.story}"
            pieces.append(int(dut.m_code_data.value))
        block.far = block.far or bool(far)
        if end:
            self.ended.append(self.coding.popleft())

    def _gather_offset(self) -> None:
        """The offset piece that leaves in this cycle, if one does."""
        dut = self.dut
        if dut.m_offset_valid.value == 0:
            assert self.waiting is None, "an offset piece was taken back"
            return
        piece = (int(dut.m_offset_data.value), int(dut.m_offset_last.value))
        assert self.waiting in (None, piece), f"{self.waiting} became {piece} while it waited"
        self.waiting = None if dut.m_offset_ready.value == 1 else piece
        if self.waiting is not None:
            return
        while self.offsets and self.offsets[0] in self.ended and _is_whole(self.offsets[0]):
            self.offsets.popleft()  # those that have no offsets
        block = self.offsets[0]
        block.found.setdefault(OFFSETS, []).append(piece[0])
        if piece[1]:
            self.offsets.popleft()


def _is_whole(block: Block) -> bool:
    """Whether as many offset pieces have left as were taken."""
    return len(block.found.get(OFFSETS, ())) == block.owners.count(OFFSETS)


@cocotb.test()
async def codes_any_blocks_at_any_pace(dut):
    bench = await EncoderEngineBench.started(dut)
    for _ in range(2 * ROUNDS):
        bench.idle = random.choice((0.0, 0.0, 0.3, 0.8))
        bench.ready = random.choice((1.0, 0.8, 0.1))
        tables = [bench.widths.random_table() for _ in range(2)]
        for _ in range(random.randint(1, 8)):
            table = random.choice(tables)
            bench.send(bench.any_values(table), table)
        await bench.expect_all()


@cocotb.test()
async def codes_the_edges_of_each_group_of_tables_of_every_size(dut):
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    tables = list(tables_of_every_size(widths.value_w, widths.symbols, widths.count_w))
    for table in random.sample(tables, min(len(tables), 3 * ROUNDS)):
        bench.send(edge_values(table), table)
    await bench.expect_all()


@cocotb.test()
async def fills_the_last_offset_piece_to_every_bit(dut):
    """Also with one group of all values, so that offsets are as wide as values."""
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    most = min(widths.symbols, 1 << widths.count_w, 1 << widths.value_w)
    for groups in (1, most):
        table = SymbolTable.uniform(widths.value_w, groups, widths.count_w)
        for length in range(1, 2 * bench.piece_w // widths.value_w + 2):
            bench.send(random_values(table, length), table)
        await bench.expect_all()


@cocotb.test()
async def fills_code_pieces_to_every_bit(dut):
    """Streams of one group take no shifts, of two as many as they have values."""
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    for shifts in range(min(widths.count_w, widths.symbols - 1) + 1):
        total = 1 << widths.count_w
        groups = min(shifts + 1, 1 << widths.value_w)
        cum = (0, *(total >> shifts - at for at in range(groups - 1)), total)
        table = SymbolTable(widths.value_w, widths.count_w, tuple(range(groups)), cum)
        for length in random.sample(range(1, 3 * bench.piece_w), 6):
            turns = [value for _ in range(length) for value in [0] * bench.streams]
            bench.send(turns, table)
        await bench.expect_all()


@cocotb.test()
async def codes_values_of_the_least_count_that_take_the_most_shifts(dut):
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    total = 1 << widths.count_w
    groups = min(widths.symbols, total, 1 << widths.value_w)
    for _ in range(ROUNDS):
        large = random.randrange(groups)
        cum = [at if at <= large else total - groups + at for at in range(groups + 1)]
        table = SymbolTable(widths.value_w, widths.count_w, tuple(range(groups)), tuple(cum))
        rare = [at for at in range(groups) if at != large] or [0]
        bench.send(random.choices(rare, k=40 * bench.streams), table)
    await bench.expect_all()


@cocotb.test()
@cocotb.skipif(
    parameter("SYMBOLS") < 3 or parameter("COUNT_W") < 2, reason="no table makes such runs"
)
async def says_who_is_too_far_ahead(dut):
    """At 8 pieces nobody is, at 9 the block is, and the next one is as if nothing had been."""
    bench = await EncoderEngineBench.started(dut)
    widths, streams = bench.widths, bench.streams
    table = widths.hostile_table()
    run = pending_run(table, 9 * bench.piece_w, widths.code_w)
    length = 1 + next(
        at for at, ahead in enumerate(most_ahead(run, table, 1, widths.code_w)) if ahead > 8
    )
    for stream in range(streams):
        for taken in (length - 1, length, length + 1, 3 * length, length - 1):
            values = random_values(table, streams * (taken + 2))
            values[stream::streams][:taken] = run[:taken]
            bench.send(values, table)
            bench.send(bench.any_values(table), table)
        bench.ready = random.choice((1.0, 0.3))
        far = [block.pieces is None for block in bench.sent[::2]]
        assert far[1] and far[2], "the run is not too long"
        await bench.expect_all()


@cocotb.test()
async def takes_a_slot_a_cycle(dut):
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    table = ordinary_table(widths)
    for _ in range(max(ROUNDS // 3, 1)):
        blocks = [ordinary_values(widths, 64 * bench.streams) for _ in range(4)]
        begin, taken = now(), bench.taken
        for values in blocks:
            bench.send(values, table)
        slots = sum(map(len, blocks)) + len(blocks) * bench.streams
        await until(dut, lambda end=taken + slots: bench.taken == end, 3 * slots, "the last slot")
        # pieces that are left at each stream's end, the turn to begin with, an offset in the way
        more = (len(blocks) * bench.streams + 2) * (bench.first + 1) + bench.streams + 8
        spent = now() - begin - slots
        assert spent <= more, f"{spent} cycles above {slots} slots, {more} allowed"
        await bench.expect_all()


@cocotb.test()
async def waits_for_an_offset_piece_and_loses_nothing(dut):
    bench = await EncoderEngineBench.started(dut)
    table = SymbolTable.uniform(bench.widths.value_w, 1, bench.widths.count_w)
    for _ in range(ROUNDS):
        bench.ready = 0.0
        for _ in range(8):
            bench.send(random_values(table, 16 * bench.piece_w // bench.widths.value_w), table)
        await cycles(dut, 200 + 16 * bench.piece_w)
        taken = bench.taken
        await cycles(dut, 50)
        assert bench.taken == taken, "a slot was taken while an offset piece waits for another"
        bench.ready = 1.0
        await bench.expect_all()


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    bench = await EncoderEngineBench.started(dut)
    for _ in range(4 * ROUNDS):
        bench.idle = random.choice((0.0, 0.3))
        bench.ready = random.choice((1.0, 0.3))
        table = random.choice((bench.widths.random_table, bench.widths.hostile_table))()
        for _ in range(4):
            bench.send(bench.any_values(table), table)
        await cycles(dut, random.choice((random.randint(0, 20), random.randint(0, 150))))
        dut.rst.value = 1
        bench.forget()
        await reset(dut, 1)
        bench.forget()
        bench.ready = 1.0
        await cycles(dut, random.choice((0, 0, random.randint(1, 2 * bench.streams))))
        for _ in range(2):
            bench.send(bench.any_values(table), table)
        await bench.expect_all()
