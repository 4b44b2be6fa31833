# SPDX-License-Identifier: Apache-2.0
"""apack_loop: what enters the encoder leaves the decoder, whatever the values, tables and paces."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

import cocotb
from cocotb.triggers import Event

from model.apack import SymbolTable
from tb.apack.env.coder import CoderBench, story_of, value_beats
from tb.apack.env.expected import FAULTS, Outcome
from tb.apack.env.stimulus import hostile_values, random_values
from tb.bus.cycles import cycles, within
from tb.bus.frames import assert_frame
from tb.bus.pace import always, every_other, rarely
from tb.bus.streams import StreamDriver, StreamMonitor

SOURCES = ("apack_loop.v",)
PARAMETERS = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "BLOCK_W")
SETS = {
    "default": (8, 16, 10, 16, 32, 24),
    "smallest": (2, 2, 1, 3, 3, 3),
    "narrow": (4, 5, 6, 8, 8, 6),
    "one-row": (12, 1, 4, 10, 16, 5),
    "wide": (16, 32, 14, 16, 64, 16),
    "long-code": (7, 11, 16, 20, 40, 10),
}

ROUNDS = int(os.environ.get("ROUNDS") or 12)


class LoopBench(CoderBench):
    """Drives the encoder's values and both tables, and expects the same values back."""

    table_ports = ("s_axis_encoder_table", "s_axis_decoder_table")
    table_status = ("encoder_table_valid", "decoder_table_valid")

    def __init__(self, dut) -> None:
        super().__init__(dut)
        self.values_in = StreamDriver(dut, "s_axis_value")
        self.value = StreamMonitor(dut, "m_axis_value")
        self.drivers.append(self.values_in)
        self.monitors.append(self.value)

    def send(self, values: Sequence[int], nulls: float = 0.0) -> Event:
        """Send a block; returns the event of its last beat being taken."""
        taken = Event()
        self.values_in.append(value_beats(values, nulls), event=taken)
        return taken

    async def expect(self, values: Sequence[int], table: SymbolTable) -> None:
        """Wait for the next block and compare it with what was sent."""
        wanted = Outcome([int(value) for value in values], frozenset(), True)
        frame = await self.value.next_frame(5000 + 800 * len(values))
        assert_frame(frame, wanted.frame(), self.value.name, story_of(table, values, self.checked))
        self.checked += 1

    async def expect_all_well(self) -> None:
        """Everything has left, and no unit found anything wrong."""
        await self.expect_nothing_more()
        await self.expect_status(table_illegal=0, block_too_long=0, **dict.fromkeys(FAULTS, 0))


@cocotb.test()
async def returns_any_values_with_any_table_at_any_pace(dut):
    bench = await LoopBench.started(dut)
    for _ in range(ROUNDS):
        bench.pace()
        table = bench.widths.random_table()
        await bench.load(table)
        lengths = random.choices((0, 1, 2, random.randint(3, 60), random.randint(60, 200)), k=6)
        blocks = [random_values(table, bench.widths.longest(length)) for length in lengths]
        for values in blocks:
            bench.send(values, nulls=random.choice((0.0, 0.3)))
        for values in blocks:
            await bench.expect(values, table)
        await bench.expect_all_well()


@cocotb.test()
async def returns_hostile_values(dut):
    bench = await LoopBench.started(dut)
    for length in (*[150] * ROUNDS, 4096):
        table = bench.widths.random_table() if length < 4096 else bench.widths.hostile_table()
        values = hostile_values(table, bench.widths.longest(length), bench.widths.code_w)
        await bench.load(table)
        bench.send(values)
        await bench.expect(values, table)
    await bench.expect_all_well()


@cocotb.test()
async def returns_a_block_of_every_value_with_every_number_of_groups(dut):
    bench = await LoopBench.started(dut)
    widths = bench.widths
    most = min(widths.symbols, 1 << widths.value_w, 1 << widths.count_w)
    for groups in range(1, most + 1):
        table = SymbolTable.uniform(widths.value_w, groups, widths.count_w)
        values = random.sample(range(1 << widths.value_w), k=min(256, 1 << widths.value_w))
        length = widths.longest(256)
        blocks = [values[i : i + length] for i in range(0, len(values), length)]
        await bench.load(table)
        for block in blocks:
            bench.send(block)
        for block in blocks:
            await bench.expect(block, table)
    await bench.expect_all_well()


@cocotb.test()
async def changes_the_table_between_blocks(dut):
    """The encoder gets its next table while the decoder still works with the last one."""
    bench = await LoopBench.started(dut)
    encoder, decoder = range(2)
    bench.value.pace(rarely(20))
    tables = [bench.widths.random_table() for _ in range(ROUNDS)]
    blocks = [random_values(table, bench.widths.longest(30)) for table in tables]
    for index, (table, values) in enumerate(zip(tables, blocks, strict=True)):
        await within(3000, bench.offer_table(table, encoder).wait(), "the encoder's table")
        loaded = bench.offer_table(table, decoder)
        await within(3000, bench.send(values).wait(), "the block's last value")
        await within(3000, loaded.wait(), "the decoder's table")
        await cycles(dut, 20)
        assert bench.value.ended == index, "the decoder was to be within this block"
    for table, values in zip(tables, blocks, strict=True):
        await bench.expect(values, table)
    await bench.expect_all_well()


@cocotb.test()
async def starts_again_after_a_reset_at_any_time(dut):
    bench = await LoopBench.started(dut)
    for cycle in range(0, 240, 10):
        bench.pace(lambda: random.choice((always, every_other, lambda: rarely(2)))())
        table = bench.widths.random_table()
        await bench.load(table)
        for _ in range(3):
            bench.send(random_values(table, bench.widths.longest(30)))
        await cycles(dut, cycle)
        await bench.restart()
        await bench.expect_status(busy=0, encoder_table_valid=0, decoder_table_valid=0)
        table = bench.widths.random_table()
        values = random_values(table, bench.widths.longest(10))
        await bench.load(table)
        bench.send(values)
        await bench.expect(values, table)
