# SPDX-License-Identifier: Apache-2.0
"""A second encoder, written from the mathematics instead of the procedure.

The low end of the interval is one exact integer that grows with the stream, in units of the last
bit of the code register. There is no pending counter and nothing is emitted on the way: carries
run through the big integer, and the code stream is read off it at the end. Nor is there a count of
bits left over: whose piece is next follows from how many bits a decoder needs in all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from model.apack import SymbolTable


@dataclass
class Line:
    """A code stream: the interval low .. low + size - 1, and where the register's zero is in it."""

    code_w: int
    low: int = 0
    size: int = field(init=False)
    origin: int = 0
    shifts: int = 0

    def __post_init__(self) -> None:
        self.size = 2**self.code_w

    def code(self, group: int, table: SymbolTable) -> None:
        """Narrow the interval to a group's slice, in finer units while a half holds it."""
        above = self.size * table.cum[group + 1] // 2**table.count_w
        below = self.size * table.cum[group] // 2**table.count_w
        self.low, self.size = self.low + below, above - below
        while (start := self._half_around()) is not None:
            self.low, self.size, self.origin = 2 * self.low, 2 * self.size, 2 * start
            self.shifts += 1

    def text(self) -> str:
        """All bits, as text of 0 and 1."""
        quarter = 2 ** (self.code_w - 2)
        final = self.origin + (quarter if self.low - self.origin < quarter else 2 * quarter)
        return format(final // quarter, f"0{self.shifts + 2}b")

    def decided(self) -> int:
        """First bits that all numbers of the interval share."""
        differing = (self.low ^ (self.low + self.size - 1)).bit_length()
        return self.code_w + self.shifts - differing

    def _half_around(self) -> int | None:
        """The start of the lower, upper or middle half that holds the interval, if one does."""
        quarter = 2 ** (self.code_w - 2)
        for start in (self.origin, self.origin + 2 * quarter, self.origin + quarter):
            if start <= self.low and self.low + self.size <= start + 2 * quarter:
                return start
        return None


def encode(values: np.ndarray, table: SymbolTable, code_w: int = 16) -> tuple[str, str]:
    """The code and the offset stream of one stream's values, as text of 0 and 1."""
    line, offsets = Line(code_w), ""
    for value in (int(v) for v in values):
        line.code(group_of(value, table), table)
        offsets += offset_of(value, table)
    return line.text(), offsets


def block(
    values: np.ndarray, table: SymbolTable, streams: int, code_w: int, piece_w: int
) -> tuple[list[int], int]:
    """A coded block's pieces, and how many of a stream were taken and not complete at most."""
    lines = [Line(code_w) for _ in range(streams)]
    order = [(stream, place) for stream in range(streams) for place in range(-(-code_w // piece_w))]
    offsets, ahead = "", 0
    for index, value in enumerate(int(v) for v in values):
        line = lines[index % streams]
        before = -(-(code_w + line.shifts) // piece_w)
        line.code(group_of(value, table), table)
        after = -(-(code_w + line.shifts) // piece_w)
        order += [(index % streams, place) for place in range(before, after)]
        before = -(-len(offsets) // piece_w)
        offsets += offset_of(value, table)
        order += [(streams, place) for place in range(before, -(-len(offsets) // piece_w))]
        ahead = max(ahead, after - line.decided() // piece_w)
    texts = [*(line.text() for line in lines), offsets]
    taken = (texts[stream][place * piece_w : (place + 1) * piece_w] for stream, place in order)
    return [int(text.ljust(piece_w, "0"), 2) for text in taken], ahead


def group_of(value: int, table: SymbolTable) -> int:
    """The group that holds a value."""
    return max(row for row in range(table.groups) if table.base[row] <= value)


def offset_of(value: int, table: SymbolTable) -> str:
    """A value's offset, as text of 0 and 1."""
    group = group_of(value, table)
    size = [*table.base, 2**table.value_w][group + 1] - table.base[group]
    width = next(w for w in range(17) if 2**w >= size)
    return format(value - table.base[group], f"0{width}b") if width else ""
