# SPDX-License-Identifier: Apache-2.0
"""Illegal symbol tables of every kind, with the row that is the first wrong one."""

from __future__ import annotations

from model.apack import IllegalTable, SymbolTable

Rows = list[tuple[int, int]]


def first_wrong_row(rows: Rows, symbols: int, value_w: int, count_w: int) -> int | None:
    """The first row (base, cum at the group's end) that breaks a rule; None for a legal table."""
    total, last_base, last_cum = 1 << count_w, -1, 0
    for row, (base, cum) in enumerate(rows):
        last = row == len(rows) - 1
        base_fits = base == 0 if row == 0 else last_base < base < 1 << value_w
        cum_fits = last_cum < cum and (cum == total if last else cum < total)
        if row == symbols or not base_fits or not cum_fits:
            return row
        last_base, last_cum = base, cum
    return None


def is_legal(rows: Rows, symbols: int, value_w: int, count_w: int) -> bool:
    """Whether the model takes the table and it fits the rows of the hardware."""
    try:
        SymbolTable(value_w, count_w, [base for base, _ in rows], [0, *(cum for _, cum in rows)])
    except IllegalTable:
        return False
    return len(rows) <= symbols


def illegal_tables(value_w: int, symbols: int, count_w: int) -> list[tuple[Rows, int]]:
    """One table for each way to break a rule, with its first wrong row."""
    total, top = 1 << count_w, (1 << value_w) - 1
    tables: list[Rows] = [
        [(1, total)],
        [(0, 0)],
        [(0, total - 1)],
        [(0, total + 1)],
        [(0, 2 * total - 1)],
    ]
    groups = min(symbols, top + 1, total)
    if groups >= 2:
        tables += [
            [(1, 1), (2, total)],
            [(0, 1), (0, total)],
            [(0, 0), (1, total)],
            [(0, 1), (1, 1)],
            [(0, 1), (1, total - 1)],
            [(0, 1), (1, total + 1)],
            [(0, total), (1, total)],
            [(0, total), (1, total + 1)],
        ]
    if groups >= 3:
        tables += [
            [(0, 1), (2, 2), (2, total)],
            [(0, 1), (2, 2), (1, total)],
            [(0, 2), (1, 1), (2, total)],
            [(0, 1), (1, 2), (2, 2)],
            [(0, 1), (0, 1), (0, 1)],
        ]
    tables.append(_rows_too_many(symbols, top, total))
    found = [(rows, first_wrong_row(rows, symbols, value_w, count_w)) for rows in tables]
    for rows, row in found:
        assert row is not None and not is_legal(rows, symbols, value_w, count_w), rows
    return found


def _rows_too_many(symbols: int, top: int, total: int) -> Rows:
    """`symbols` + 1 rows; those before the last are legal where so many fit the widths."""
    rows = [(min(i, top), min(i + 1, total - 1)) for i in range(symbols + 1)]
    return [*rows[:-1], (rows[-1][0], total)]
