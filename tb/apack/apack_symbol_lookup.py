# SPDX-License-Identifier: Apache-2.0
"""apack_symbol_lookup: the group of a value and its row."""

from __future__ import annotations

import random

import cocotb

from model.apack import SymbolTable
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import random_table, tables_of_every_size
from tb.bus.combinational import outputs_for, parameter

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


async def check(dut, table: SymbolTable, values: list[int]) -> None:
    """Look values up and compare with the model."""
    buses = row_buses(table, parameter("SYMBOLS"))
    names = ("symbol", "offset", "offset_w", "cum_lo", "cum_hi")
    for value in values:
        found = await outputs_for(dut, {**buses, "value": value}, *names)
        symbol = table.symbol_of(value)
        wanted = [
            symbol,
            value - table.base[symbol],
            table.offset_w[symbol],
            table.cum[symbol],
            table.cum[symbol + 1],
        ]
        assert found == wanted, f"{value} in {table.to_json()}: {found}, expected {wanted}"


@cocotb.test()
async def finds_any_value_in_any_table(dut):
    value_w = parameter("VALUE_W")
    for _ in range(25):
        table = random_table(value_w, parameter("SYMBOLS"), parameter("COUNT_W"))
        edges = {end for base in table.base for end in (base, base - 1)} - {-1}
        others = random.choices(range(1 << value_w), k=20)
        await check(dut, table, [*edges, (1 << value_w) - 1, *others])


@cocotb.test()
async def finds_the_edges_of_each_group_of_tables_of_every_size(dut):
    widths = (parameter(name) for name in ("VALUE_W", "SYMBOLS", "COUNT_W"))
    for table in tables_of_every_size(*widths):
        edges = {end for base in table.base for end in (base, base - 1)} - {-1}
        await check(dut, table, [*edges, (1 << table.value_w) - 1])


@cocotb.test()
async def finds_the_only_group(dut):
    value_w = parameter("VALUE_W")
    table = SymbolTable.uniform(value_w, 1, parameter("COUNT_W"))
    await check(dut, table, [0, 1, (1 << value_w) - 1])
