# SPDX-License-Identifier: Apache-2.0
"""The symbol table: which values share an arithmetically coded symbol, and its probability."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import InputError
from .errors import IllegalTable

VALUE_W_RANGE = range(2, 17)
COUNT_W_RANGE = range(1, 17)


@dataclass(frozen=True)
class SymbolTable:
    """G groups of contiguous values that cover 0 .. 2**value_w - 1.

    Group i covers base[i] .. base[i+1]-1 with probability (cum[i+1]-cum[i]) / 2**count_w.
    Raises IllegalTable, naming the row, when the rules are broken.
    """

    value_w: int
    count_w: int
    base: tuple[int, ...]
    cum: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("base", "cum"):
            object.__setattr__(self, name, _integers(name, getattr(self, name)))
        _check_width("value_w", self.value_w, VALUE_W_RANGE)
        _check_width("count_w", self.count_w, COUNT_W_RANGE)
        _check_base(self.base, self.value_w)
        _check_cum(self.cum, self.count_w, len(self.base))

    @property
    def groups(self) -> int:
        """Number of groups, G."""
        return len(self.base)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of values in each group."""
        ends = (*self.base[1:], 1 << self.value_w)
        return tuple(end - start for start, end in zip(self.base, ends, strict=True))

    @cached_property
    def offset_w(self) -> tuple[int, ...]:
        """Offset bits of each group: ceil(log2(size)), 0 for a group of one value."""
        return tuple((size - 1).bit_length() for size in self.sizes)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Probability count of each group, in units of 2**-count_w."""
        return tuple(b - a for a, b in zip(self.cum, self.cum[1:], strict=False))

    def symbol_of(self, value: int) -> int:
        """The group that holds a value."""
        if not 0 <= value < 1 << self.value_w:
            raise InputError(f"value {value} is not an unsigned pattern of {self.value_w} bits")
        return bisect_right(self.base, value) - 1

    def expected_bits(self, histogram: np.ndarray) -> float:
        """Code and offset bits these values should take: sum n_i (log2(2**count_w/c_i) + w_i)."""
        if len(histogram) != 1 << self.value_w:
            raise InputError(
                f"a histogram of {len(histogram)} bins for a table of {self.value_w}-bit values"
            )
        totals = np.add.reduceat(np.asarray(histogram, dtype=np.float64), self.base)
        bits = self.count_w - np.log2(self.counts) + np.array(self.offset_w)
        return float(totals @ bits)

    def to_json(self) -> str:
        """One line of JSON: {"value_w", "count_w", "base", "cum"}."""
        fields = {name: getattr(self, name) for name in ("value_w", "count_w", "base", "cum")}
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str) -> SymbolTable:
        """Parse to_json's text. Raises IllegalTable for bad JSON, missing or unknown keys."""
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise IllegalTable(f"the table is not JSON: {error}") from None
        wanted = {"value_w", "count_w", "base", "cum"}
        if not isinstance(fields, dict) or set(fields) != wanted:
            found = sorted(fields) if isinstance(fields, dict) else type(fields).__name__
            raise IllegalTable(f"the table needs the keys {sorted(wanted)}, found {found}")
        return cls(**fields)

    def save(self, path: str | Path) -> None:
        """Write the table as JSON."""
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> SymbolTable:
        """Read a table from a JSON file; errors name the file."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except IllegalTable as error:
            raise IllegalTable(f"{path}: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot read the table: {error}") from None

    @classmethod
    def uniform(cls, value_w: int = 8, groups: int = 16, count_w: int = 10) -> SymbolTable:
        """Groups of equal size (to within one value) and equal probability (one count)."""
        _check_width("value_w", value_w, VALUE_W_RANGE)
        _check_width("count_w", count_w, COUNT_W_RANGE)
        limit = 1 << min(value_w, count_w)
        if not 1 <= groups <= limit:
            raise IllegalTable(f"{groups} groups; 1 to {limit} fit these widths")
        base = tuple((i << value_w) // groups for i in range(groups))
        cum = tuple((i << count_w) // groups for i in range(groups + 1))
        return cls(value_w, count_w, base, cum)


def _integers(name: str, row: object) -> tuple[int, ...]:
    if isinstance(row, np.ndarray):
        row = row.tolist()
    if not isinstance(row, (list, tuple)):
        raise IllegalTable(f"{name} is not a list of integers")
    for index, entry in enumerate(row):
        if isinstance(entry, bool) or not isinstance(entry, (int, np.integer)):
            raise IllegalTable(f"{name}[{index}] is {entry!r}, not an integer")
    return tuple(int(entry) for entry in row)


def _check_width(name: str, width: object, legal: range) -> None:
    integer = isinstance(width, int) and not isinstance(width, bool)
    if not integer or width not in legal:
        raise IllegalTable(f"{name} is {width!r}; {legal.start} to {legal.stop - 1} are legal")


def _check_base(base: tuple[int, ...], value_w: int) -> None:
    if not base:
        raise IllegalTable("base is empty; a table has at least one group")
    if base[0] != 0:
        raise IllegalTable(f"base[0] is {base[0]}; the first group must start at 0")
    for row in range(1, len(base)):
        if base[row] <= base[row - 1]:
            raise IllegalTable(
                f"base[{row}] is {base[row]}, not above base[{row - 1}] = {base[row - 1]}"
            )
        if base[row] >= 1 << value_w:
            raise IllegalTable(f"base[{row}] is {base[row]}, not a value of {value_w} bits")


def _check_cum(cum: tuple[int, ...], count_w: int, groups: int) -> None:
    if len(cum) != groups + 1:
        raise IllegalTable(f"cum has {len(cum)} entries; {groups} groups need {groups + 1}")
    if cum[0] != 0:
        raise IllegalTable(f"cum[0] is {cum[0]}; it must be 0")
    for row in range(1, len(cum)):
        if cum[row] <= cum[row - 1]:
            raise IllegalTable(
                f"cum[{row}] is {cum[row]}, not above cum[{row - 1}] = {cum[row - 1]}; "
                f"group {row - 1} needs a count of at least 1"
            )
    if cum[-1] != 1 << count_w:
        raise IllegalTable(
            f"cum[{groups}] is {cum[-1]}; the last entry must be 2**count_w = {1 << count_w}"
        )
