# SPDX-License-Identifier: Apache-2.0
"""Rows of a table: as they are loaded, and on the buses between the table and its users."""

from __future__ import annotations

import random
from collections.abc import Iterable

from model.apack import SymbolTable
from tb.bus.frames import Beat, packed


def rows_of(table: SymbolTable) -> list[tuple[int, int]]:
    """The rows (base, cum at the group's end) that load a table."""
    return list(zip(table.base, table.cum[1:], strict=True))


def table_beats(rows: Iterable[tuple[int, int]], value_w: int) -> list[Beat]:
    """Beats of the table port."""
    beats = [{"tdata": cum << value_w | base, "tlast": 0} for base, cum in rows]
    beats[-1]["tlast"] = 1
    return beats


def row_buses(table: SymbolTable, symbols: int) -> dict[str, int]:
    """Row buses that hold a table, row 0 in the low bits; those above its groups are random."""

    def bus(rows: Iterable[int], width: int) -> int:
        filled = [*rows, *(random.getrandbits(width) for _ in range(symbols - table.groups))]
        return packed(filled, width)

    return {
        "row_valid": (1 << table.groups) - 1,
        "row_base": bus(table.base, table.value_w),
        "row_limit": bus((size - 1 for size in table.sizes), table.value_w),
        "row_offset_w": bus(table.offset_w, table.value_w.bit_length()),
        "row_cum": bus(table.cum[1:], table.count_w + 1),
    }
