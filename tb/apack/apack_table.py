# SPDX-License-Identifier: Apache-2.0
"""apack_table: loads legal tables, names the first wrong row of illegal ones."""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.triggers import Event, FallingEdge

from model.apack import SymbolTable
from tb.apack.env.illegal import Rows, first_wrong_row, illegal_tables, is_legal
from tb.apack.env.rows import rows_of, table_beats
from tb.apack.env.stimulus import random_table, tables_of_every_size
from tb.bus.cycles import cycles, pulse, reset, start_clock, within
from tb.bus.frames import unpacked
from tb.bus.pace import any_pace
from tb.bus.streams import StreamDriver

PARAMETERS = ("VALUE_W", "SYMBOLS", "COUNT_W")
SETS = {
    "default": (8, 16, 10),
    "smallest": (2, 2, 1),
    "one-row": (12, 1, 4),
    "wide": (16, 32, 14),
    "narrow": (4, 5, 6),
}
ILLEGAL = {
    "SYMBOLS": (0,),
}
MEANINGFUL = (
    ("row_", "table_valid"),
    ("table_illegal_row", "table_illegal"),
)

ROUNDS = int(os.environ.get("ROUNDS") or 12)


class TableBench:
    """Drives the table port and reads the rows and the status."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("VALUE_W", "SYMBOLS", "COUNT_W")
        self.value_w, self.symbols, self.count_w = (int(getattr(dut, n).value) for n in names)
        self.port = StreamDriver(dut, "s_axis_table")
        dut.load_enable.value = 1
        dut.status_clear.value = 0

    @classmethod
    async def started(cls, dut) -> TableBench:
        """A bench after reset."""
        bench = cls(dut)
        start_clock(dut)
        await reset(dut)
        return bench

    def random_table(self) -> SymbolTable:
        """A legal table."""
        return random_table(self.value_w, self.symbols, self.count_w)

    def offer(self, rows: Rows) -> Event:
        """Send rows; returns the event of the last one being taken."""
        taken = Event()
        self.port.append(table_beats(rows, self.value_w), event=taken)
        return taken

    async def load(self, rows: Rows) -> None:
        """Send rows and wait until the last one is taken."""
        await within(100 + 40 * len(rows), self.offer(rows).wait(), "the last row")

    async def expect(self, valid: int, illegal: int, row: int | None = None) -> None:
        """Compare the status in the middle of this cycle."""
        await FallingEdge(self.dut.clk)
        names = ("table_valid", "table_illegal", "table_illegal_row")
        found = [int(getattr(self.dut, name).value) for name in names]
        wanted = [valid, illegal, found[2] if row is None else row]
        assert found == wanted, f"valid, illegal, row {found}, expected {wanted}"

    async def expect_rows(self, table: SymbolTable) -> None:
        """Compare the row buses with the table."""
        await self.expect(valid=1, illegal=0)
        limits = [size - 1 for size in table.sizes]
        assert int(self.dut.row_valid.value) == (1 << table.groups) - 1, table
        for name, width, wanted in (
            ("row_base", self.value_w, table.base),
            ("row_limit", self.value_w, limits),
            ("row_offset_w", self.value_w.bit_length(), table.offset_w),
            ("row_cum", self.count_w + 1, table.cum[1:]),
        ):
            bus = getattr(self.dut, name).value[width * table.groups - 1 : 0].to_unsigned()
            found = unpacked(bus, width, table.groups)
            assert found == list(wanted), f"{name} {found}, expected {wanted}"


@cocotb.test()
async def holds_any_legal_table(dut):
    bench = await TableBench.started(dut)
    await bench.expect(valid=0, illegal=0, row=0)
    for _ in range(3 * ROUNDS):
        bench.port.set_valid_generator(any_pace())
        table = bench.random_table()
        await bench.load(rows_of(table))
        await bench.expect_rows(table)
        await cycles(dut, random.choice((0, 10)))
        await bench.expect_rows(table)


@cocotb.test()
async def holds_tables_of_every_number_of_groups(dut):
    bench = await TableBench.started(dut)
    for table in tables_of_every_size(bench.value_w, bench.symbols, bench.count_w):
        await bench.load(rows_of(table))
        await bench.expect_rows(table)


@cocotb.test()
async def names_the_first_wrong_row_of_any_illegal_table(dut):
    bench = await TableBench.started(dut)
    for rows, row in illegal_tables(bench.value_w, bench.symbols, bench.count_w):
        await bench.load(rows)
        await bench.expect(valid=0, illegal=1, row=row)
        await pulse(dut.status_clear, dut.clk)
        await bench.expect(valid=0, illegal=0)


@cocotb.test()
async def refuses_a_last_count_that_is_any_bit_off(dut):
    bench = await TableBench.started(dut)
    for bit in range(bench.count_w):
        for cum in ((1 << bench.count_w) + (1 << bit), (1 << bench.count_w) - (1 << bit)):
            await bench.load([(0, cum)])
            await bench.expect(valid=0, illegal=1, row=0)
            await pulse(dut.status_clear, dut.clk)


@cocotb.test()
async def names_the_first_wrong_row_of_a_spoilt_table(dut):
    bench = await TableBench.started(dut)
    for _ in range(20 * ROUNDS):
        rows = spoilt(rows_of(bench.random_table()), bench)
        row = first_wrong_row(rows, bench.symbols, bench.value_w, bench.count_w)
        assert is_legal(rows, bench.symbols, bench.value_w, bench.count_w) == (row is None), rows
        await bench.load(rows)
        await bench.expect(valid=int(row is None), illegal=int(row is not None), row=row)
        if row is not None:
            await pulse(dut.status_clear, dut.clk)


def spoilt(rows: Rows, bench: TableBench) -> Rows:
    """Rows with up to three of their numbers changed, by one or to any other; some end early."""
    rows = list(rows)
    for _ in range(random.randint(1, 3)):
        row = random.randrange(len(rows))
        base, cum = rows[row]
        change = random.choice((-1, 0, 1, random.getrandbits(16)))
        rows[row] = random.choice(
            (
                ((base + change) % (1 << bench.value_w), cum),
                (base, (cum + change) % (2 << bench.count_w)),
            )
        )
    return rows[: random.choice((len(rows), random.randint(1, len(rows))))]


@cocotb.test()
async def a_wrong_table_of_the_most_rows_and_more(dut):
    """Far more rows than there is room for are taken, refused and forgotten."""
    bench = await TableBench.started(dut)
    total = 1 << bench.count_w
    for count in (bench.symbols + 1, 2 * bench.symbols + 1, 4 * bench.symbols + 3):
        rows = [(i % (1 << bench.value_w), min(i + 1, total)) for i in range(count)]
        row = first_wrong_row(rows, bench.symbols, bench.value_w, bench.count_w)
        await bench.load(rows)
        await bench.expect(valid=0, illegal=1, row=row)
        await pulse(dut.status_clear, dut.clk)
        table = bench.random_table()
        await bench.load(rows_of(table))
        await bench.expect_rows(table)


@cocotb.test()
async def is_invalid_from_the_first_row_to_the_last(dut):
    bench = await TableBench.started(dut)
    for _ in range(ROUNDS):
        table = bench.random_table()
        await bench.load(rows_of(table))
        await bench.expect(valid=1, illegal=0)
        table = bench.random_table()
        for row, beat in enumerate(table_beats(rows_of(table), bench.value_w), start=1):
            taken = Event()
            bench.port.append([beat], event=taken)
            await within(100, taken.wait(), "a row")
            await cycles(dut, random.choice((0, 0, 3)))
            await bench.expect(valid=int(row == table.groups), illegal=0)
        await bench.expect_rows(table)


@cocotb.test()
async def keeps_the_error_until_it_is_cleared(dut):
    bench = await TableBench.started(dut)
    tables = illegal_tables(bench.value_w, bench.symbols, bench.count_w)
    table = bench.random_table()
    for rows, row in random.sample(tables, k=min(len(tables), ROUNDS)):
        await bench.load(rows)
        await bench.load(rows_of(table))
        await bench.expect(valid=1, illegal=1, row=row)
    await pulse(dut.status_clear, dut.clk)
    await bench.expect_rows(table)


@cocotb.test()
async def an_error_in_the_cycle_of_a_clear_is_not_lost(dut):
    bench = await TableBench.started(dut)
    dut.status_clear.value = 1
    await bench.load([(1, 1 << bench.count_w)])
    await bench.expect(valid=0, illegal=1, row=0)
    await bench.expect(valid=0, illegal=0)


@cocotb.test()
async def takes_rows_only_while_enabled(dut):
    bench = await TableBench.started(dut)
    for _ in range(ROUNDS):
        table = bench.random_table()
        await bench.load(rows_of(table))
        dut.load_enable.value = 0
        other = bench.random_table()
        taken = bench.offer(rows_of(other))
        await cycles(dut, 10)
        assert not taken.is_set(), "rows were taken while load_enable was low"
        await bench.expect_rows(table)
        for _ in range(2 * other.groups):
            await cycles(dut, random.randint(1, 3))
            dut.load_enable.value = random.getrandbits(1)
        dut.load_enable.value = 1
        await within(200, taken.wait(), "the last row")
        await bench.expect_rows(other)


@cocotb.test()
async def a_reset_forgets_the_rows_so_far(dut):
    bench = await TableBench.started(dut)
    for _ in range(ROUNDS):
        table = bench.random_table()
        beats = table_beats(rows_of(table), bench.value_w)
        wrong = {"tdata": 1, "tlast": 0}
        bench.port.append(random.choice((beats, beats[:-1], [*beats[:-1], wrong])))
        await cycles(dut, random.randint(0, table.groups + 3))
        bench.port.abort()
        await reset(dut, 1)
        await bench.expect(valid=0, illegal=0, row=0)
        table = bench.random_table()
        await bench.load(rows_of(table))
        await bench.expect_rows(table)
