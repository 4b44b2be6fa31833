# SPDX-License-Identifier: Apache-2.0
"""apack_decoder_engine: the values of each block out of its pieces, whatever the pieces are."""

from __future__ import annotations

import os
import random
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

import cocotb
from cocotb.triggers import FallingEdge

from model.apack.coder import OFFSETS, EncodedBlock, decode_pieces
from model.apack.table import SymbolTable
from tb.apack.env.decoded import DecoderWidths, damaged
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import edge_values, tables_of_every_size
from tb.bus.combinational import outputs_for
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W")
SETS = {
    "four": (4, 8, 16, 10, 16),
    "one-smallest": (1, 2, 2, 1, 3),
    "one-wide": (1, 16, 32, 14, 16),
    "two-long-pieces": (2, 16, 7, 16, 18),
    "two-longest": (2, 9, 11, 16, 32),
    "four-long-code": (4, 7, 5, 6, 24),
    "four-one-row": (4, 12, 1, 4, 10),
    "eight": (8, 8, 16, 10, 16),
    "eight-narrow": (8, 4, 5, 6, 8),
}
ILLEGAL = {
    "STREAMS": (0, 3, 16),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "CODE_W": (33,),
}
MUTATED = "four"
ICARUS_ROUNDS = 1
MEANINGFUL = (("m_value", "m_valid"), ("m_illegal", "m_valid"), ("m_last", "m_valid"))

ROUNDS = int(os.environ.get("ROUNDS") or 10)
TAKE_DELAYS = {1: 0, 2: 1, 4: 3, 8: 6}  # cycles from a slot to its pieces, by STREAMS
VALUE_DELAY = 2  # cycles from there to its value


class Kind(IntEnum):
    """What a slot does."""

    IDLE = 0
    FIRST = 1
    VALUE = 2
    RAW = 3


@dataclass
class Progress:
    """A block on its way: its pieces, whose each is in the model, and how many have been taken."""

    block: EncodedBlock
    owners: tuple[int, ...]
    story: str
    taken: int = 0

    def next_pieces(self) -> list[int]:
        """The next two pieces, zeros behind the last."""
        return [*self.block.pieces[self.taken :], 0, 0][:2]


@dataclass(frozen=True)
class Slot:
    """A slot, and what must come of it.

    may_take: whose pieces it may take, in order; FIRST takes all of them.
    """

    kind: Kind
    last: bool = False
    may_take: tuple[int, ...] = ()
    value: int | None = None
    illegal: bool | None = None  # None: not known
    progress: Progress | None = None

    def __str__(self) -> str:
        return f"{self.kind!r}, value {self.value}, {self.progress}"


IDLE = Slot(Kind.IDLE)


class DecoderEngineBench:
    """Sends slots, shows pieces, compares pieces taken and values in every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.widths = DecoderWidths.of(dut)
        self.delay = TAKE_DELAYS[self.widths.streams]
        self.table = self.widths.random_table()
        self.idle = 0.0  # part of the slots that are idle
        self.flight = deque([IDLE] * 10, maxlen=10)  # the newest at the end
        self.values = 0

    @classmethod
    async def started(cls, dut) -> DecoderEngineBench:
        """A bench after reset."""
        bench = cls(dut)
        start_clock(dut)
        bench.show(bench.table)
        dut.s_kind.value = Kind.IDLE
        dut.rst.value = 1
        await FallingEdge(dut.clk)
        await FallingEdge(dut.clk)
        dut.rst.value = 0
        return bench

    def show(self, table: SymbolTable) -> None:
        """Put a table on the row buses."""
        self.table = table
        for name, rows in row_buses(table, self.widths.symbols).items():
            getattr(self.dut, name).value = rows

    def slots(self, block: EncodedBlock, story: str) -> list[Slot]:
        """The slots of a block, as the model decodes it."""
        widths, table = self.widths, self.table
        found = decode_pieces(block, table, widths.streams, widths.code_w)
        progress = Progress(block, found.owners, f"{story}, table {table.to_json()}")
        first = -(-widths.code_w // widths.piece_w)
        slots = [
            Slot(Kind.FIRST, may_take=(stream,) * first, progress=progress)
            for stream in range(0 if block.raw else widths.streams)
        ]
        for index, value in enumerate(found.values):
            illegal = None if found.outside is not None else False
            if found.outside is not None and index <= found.outside:
                illegal = index == found.outside
            kind, may_take = Kind.VALUE, (index % widths.streams, OFFSETS)
            if block.raw:
                kind, may_take = Kind.RAW, (OFFSETS,)
            last = index == block.count - 1
            slots.append(Slot(kind, last, may_take, int(value), illegal, progress))
        return slots

    def any_block(self) -> EncodedBlock:
        """A block: sound, raw, damaged, or of any pieces."""
        widths = self.widths
        length = random.choice(
            (1, widths.streams + 1, random.randint(1, 150), random.randint(100, 150))
        )
        values = widths.any_values(self.table, length)
        block = widths.encoded(values, self.table)
        draw = random.random()
        if draw < 0.15:
            return widths.raw(values, self.table)
        if draw < 0.25:
            return damaged(block)
        if draw < 0.4:
            return widths.other_offsets(block, self.table)
        if draw < 0.5:
            return widths.random_pieces(length, random.randint(1, 40), random.random() < 0.3)
        return block

    async def block(self, block: EncodedBlock, story: str) -> None:
        """Send a block's slots, and wait until the last has taken its pieces."""
        for number, slot in enumerate(self.slots(block, story)):
            while number and random.random() < self.idle:
                for _ in range(1 if block.raw else self.widths.streams):
                    await self.cycle(IDLE)
            await self.cycle(slot)
        for _ in range(self.delay):
            await self.cycle(IDLE)

    async def cycle(self, slot: Slot) -> None:
        """One cycle, in which a slot begins and others take their pieces and leave."""
        dut, width = self.dut, self.widths.piece_w
        self.flight.append(slot)
        taking, leaving = self.flight[-1 - self.delay], self.flight[-1 - self.delay - VALUE_DELAY]
        first, second = random.getrandbits(width), random.getrandbits(width)
        if taking.progress is not None:
            first, second = taking.progress.next_pieces()
        inputs = {"s_kind": slot.kind, "s_last": self._last_of(slot)}
        inputs["s_pieces"] = first << width | second
        names = ("m_take", "m_end", "m_valid")
        take, end, valid = await outputs_for(dut, inputs, *names)
        self._check_take(taking, take)
        assert end == taking.last, f"m_end is {end}; {taking}"
        assert valid == (leaving.value is not None), f"m_valid is {valid}; {leaving}"
        if valid:
            self._check_value(leaving)
        await FallingEdge(dut.clk)

    def _check_take(self, slot: Slot, take: int) -> None:
        if slot.progress is None:
            assert take == 0, f"{take} pieces taken by an idle slot"
            return
        progress = slot.progress
        owners = progress.owners[progress.taken : progress.taken + take]
        progress.taken += take
        if slot.kind == Kind.FIRST:
            assert owners == slot.may_take, f"took the pieces of {owners}; {slot}"
        wanted = tuple(owner for owner in slot.may_take if owner in owners)
        assert len(owners) == take, f"took {take} pieces, {len(owners)} are left; {slot}"
        assert slot.kind == Kind.FIRST or owners == wanted, f"took those of {owners}; {slot}"
        assert not slot.last or progress.taken == len(progress.owners), f"pieces are left; {slot}"

    def _last_of(self, slot: Slot) -> int:
        """s_last, which means nothing with a slot without a value."""
        return int(slot.last) if slot.value is not None else random.getrandbits(1)

    def _check_value(self, slot: Slot) -> None:
        found = int(self.dut.m_value.value)
        assert found == slot.value, f"value {found}, expected {slot}"
        assert int(self.dut.m_last.value) == slot.last, f"m_last is wrong; {slot}"
        if slot.illegal is not None:
            assert int(self.dut.m_illegal.value) == slot.illegal, f"m_illegal is wrong; {slot}"
        self.values += 1

    async def drain(self) -> None:
        """Let leave what is under way."""
        for _ in range(self.delay + VALUE_DELAY):
            await self.cycle(IDLE)

    async def restart(self) -> None:
        """A cycle of reset, in which a slot may begin."""
        kind = random.choice(tuple(Kind))
        await outputs_for(self.dut, {"rst": 1, "s_kind": kind, "s_last": random.getrandbits(1)})
        await FallingEdge(self.dut.clk)
        await outputs_for(self.dut, {"rst": 0, "s_kind": Kind.IDLE})
        self.flight.extend([IDLE] * 10)


@cocotb.test()
async def decodes_any_blocks(dut):
    bench = await DecoderEngineBench.started(dut)
    for number in range(6 * ROUNDS):
        bench.show(bench.widths.random_table())
        bench.idle = random.choice((0.0, 0.0, 0.2))
        for _ in range(3):
            await bench.block(bench.any_block(), f"block {number}")
    await bench.drain()


@cocotb.test()
async def decodes_the_edges_of_tables_of_every_size(dut):
    bench = await DecoderEngineBench.started(dut)
    widths = bench.widths
    tables = list(tables_of_every_size(widths.value_w, widths.symbols, widths.count_w))
    for table in random.sample(tables, min(len(tables), 2 * ROUNDS)):
        bench.show(table)
        await bench.block(widths.encoded(edge_values(table), table), "edges")
    await bench.drain()


@cocotb.test()
async def shifts_that_end_with_a_piece(dut):
    """Each value takes the same whole number of code bits, and as many of its offset, or none."""
    bench = await DecoderEngineBench.started(dut)
    widths = bench.widths
    if widths.symbols == 1:
        tables = [SymbolTable.uniform(widths.value_w, 1, widths.count_w)]
    else:
        tables = [
            SymbolTable(
                widths.value_w, widths.count_w, (0, low), (0, 1 << bits, 1 << widths.count_w)
            )
            for bits in range(widths.count_w)
            for low in (1, 1 << widths.value_w - 1, (1 << widths.value_w) - 1)
        ]
    for table in random.sample(tables, min(len(tables), 2 * ROUNDS)):
        bench.show(table)
        small = [random.randrange(table.sizes[0]) for _ in range(6 * widths.streams)]
        large = [table.base[-1] + random.randrange(table.sizes[-1]) for _ in small]
        for values in (small, large):
            block = widths.encoded(values, table)
            await bench.block(block, "all of one group")
    await bench.drain()


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    bench = await DecoderEngineBench.started(dut)
    for number in range(3 * ROUNDS):
        block = bench.any_block()
        slots = bench.slots(block, f"block {number}")
        for slot in slots[: random.randint(1, len(slots))]:
            await bench.cycle(slot)
        await bench.restart()
        bench.show(bench.widths.random_table())
        await bench.block(bench.any_block(), f"after a reset {number}")
    await bench.drain()
