# SPDX-License-Identifier: Apache-2.0
"""apack_symbol_search: the group whose slice holds a position, and its row."""

from __future__ import annotations

import random
from itertools import pairwise

import cocotb

from model.apack import SymbolTable
from tb.apack.env.intervals import any_interval
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import random_table, tables_of_every_size
from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W")
SETS = {
    "default": (8, 16, 10, 16),
    "smallest": (2, 2, 1, 3),
    "one-row": (12, 1, 4, 10),
    "wide": (16, 32, 14, 16),
    "narrow": (4, 5, 6, 8),
}
ILLEGAL = {
    "SYMBOLS": (0,),
}


async def check(dut, table: SymbolTable) -> None:
    """Search a random interval at the ends of its slices and in between; compare with the model."""
    buses = row_buses(table, parameter("SYMBOLS"))
    interval = any_interval(parameter("CODE_W"))
    size = interval.high - interval.low + 1
    slices = [interval.slice_start(cum, table.count_w) for cum in table.cum]
    names = ("symbol", "base", "limit", "offset_w", "slice_lo", "slice_hi")
    for symbol, (start, end) in enumerate(pairwise(slices)):
        wanted = [
            symbol,
            table.base[symbol],
            table.sizes[symbol] - 1,
            table.offset_w[symbol],
            start,
            end,
        ]
        for position in {start, end - 1, random.randrange(start, end)}:
            inputs = {**buses, "range": size, "position": position}
            found = await outputs_for(dut, inputs, *names)
            assert found == wanted, (
                f"{position} of {size} in {table.to_json()}: {found}, expected {wanted}"
            )


@cocotb.test()
async def finds_any_position_in_any_interval(dut):
    for _ in range(50):
        await check(
            dut, random_table(parameter("VALUE_W"), parameter("SYMBOLS"), parameter("COUNT_W"))
        )


@cocotb.test()
async def finds_the_slices_of_tables_of_every_size(dut):
    widths = (parameter(name) for name in ("VALUE_W", "SYMBOLS", "COUNT_W"))
    for table in tables_of_every_size(*widths):
        await check(dut, table)


@cocotb.test()
async def finds_the_only_group(dut):
    await check(dut, SymbolTable.uniform(parameter("VALUE_W"), 1, parameter("COUNT_W")))
