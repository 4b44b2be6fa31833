# SPDX-License-Identifier: Apache-2.0
"""The row buses between the table and its users: row 0 in the low bits."""

from __future__ import annotations

import random
from collections.abc import Iterable

from model.apack import SymbolTable
from tb.bus.frames import packed


def row_buses(table: SymbolTable, symbols: int) -> dict[str, int]:
    """Row buses that hold a table; the rows above its groups, which mean nothing, are random."""

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
