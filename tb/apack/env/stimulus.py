# SPDX-License-Identifier: Apache-2.0
"""Random and hostile stimulus for the coder: tables of every shape, values that strain them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.apack import SymbolTable
from model.apack.hostile import pending_run
from model.tensors import pattern_dtype


def random_table(value_w: int, symbols: int, count_w: int) -> SymbolTable:
    """A legal table: few or many groups, large or single-value ones, even or extreme counts."""
    most = min(symbols, 1 << value_w, 1 << count_w)
    groups = random.choice((1, most, random.randint(1, most)))
    base = random.choice((_scattered, _crowded))(groups, 1 << value_w)
    cum = random.choice((_scattered, _crowded, _even))(groups, 1 << count_w)
    return SymbolTable(value_w, count_w, base, (*cum, 1 << count_w))


def tables_of_every_size(value_w: int, symbols: int, count_w: int) -> Iterator[SymbolTable]:
    """Tables of 1 group, of 2, and so on; the groups after the first begin anywhere, or high up."""
    values, total = 1 << value_w, 1 << count_w
    for groups in range(1, min(symbols, values, total) + 1):
        for low in (1, values // 3, values // 2, values - groups):
            starts = range(max(min(low, values - groups + 1), 1), values)
            base = (0, *sorted(random.sample(starts, groups - 1)))
            cum = (0, *sorted(random.sample(range(1, total), groups - 1)), total)
            yield SymbolTable(value_w, count_w, base, cum)


def edge_values(table: SymbolTable) -> list[int]:
    """The first and the last value of each group, in any order."""
    ends = [(base, base + size - 1) for base, size in zip(table.base, table.sizes, strict=True)]
    values = [value for pair in ends for value in pair]
    return random.sample(values, len(values))


def _scattered(groups: int, total: int) -> tuple[int, ...]:
    """Group starts anywhere below `total`, the first at 0."""
    return (0, *sorted(random.sample(range(1, total), groups - 1)))


def _crowded(groups: int, total: int) -> tuple[int, ...]:
    """Groups of size one but for one of them, which takes all the rest."""
    large = random.randrange(groups)
    return tuple(i if i <= large else total - groups + i for i in range(groups))


def _even(groups: int, total: int) -> tuple[int, ...]:
    return tuple(i * total // groups for i in range(groups))


def random_values(table: SymbolTable, length: int) -> np.ndarray:
    """Values for a table: uniform, as probable as it says, or at the edges of its groups.

    Returns (length,) unsigned patterns, uint8 for value_w <= 8 and uint16 above.
    """
    draw = random.choice((_uniform, _probable, _edges, _one_group))
    dtype = pattern_dtype(table.value_w)
    return np.fromiter((value for value in draw(table, length)), dtype, length)


def _uniform(table: SymbolTable, length: int) -> list[int]:
    return random.choices(range(1 << table.value_w), k=length)


def _probable(table: SymbolTable, length: int) -> list[int]:
    symbols = random.choices(range(table.groups), weights=table.counts, k=length)
    return [_within(table, symbol) for symbol in symbols]


def _edges(table: SymbolTable, length: int) -> list[int]:
    symbols = random.choices(range(table.groups), k=length)
    ends = (0, -1)
    return [table.base[s] + random.choice(ends) % table.sizes[s] for s in symbols]


def _one_group(table: SymbolTable, length: int) -> list[int]:
    symbol = random.randrange(table.groups)
    return [_within(table, symbol) for _ in range(length)]


def _within(table: SymbolTable, symbol: int) -> int:
    return table.base[symbol] + random.randrange(table.sizes[symbol])


@dataclass(frozen=True)
class Borderline:
    """A block whose bits, coded, are a given number more than raw.

    The counts of its first group are all counts over a power of two, so that each value takes the
    same whole number of bits of code; the end of the code stream takes two more.

    code_bits, first_w: bits of code and of offset of a value of the first group.
    first, second: numbers of values of the two groups; those of the second, if any, take a bit of
        code and all bits of a value for their offset.
    """

    code_bits: int
    first_w: int
    first: int
    second: int

    def words(self, value_w: int, word_w: int) -> tuple[int, int]:
        """Words of `word_w` bits that the block takes coded, and raw."""
        count = self.first + self.second
        streams = (
            count * self.code_bits + 2,
            self.first * self.first_w + self.second * value_w,
        )
        coded = sum(-(-bits // word_w) for bits in streams)
        return coded, -(-count * value_w // word_w)

    def drawn(self, value_w: int, count_w: int) -> tuple[SymbolTable, np.ndarray]:
        """The table, and values of the block in any order."""
        second, total = 1 << self.first_w, 1 << count_w
        cum = (0, total >> self.code_bits, total)
        groups = [range(second)] * self.first + [range(second, 1 << value_w)] * self.second
        values = [random.choice(group) for group in random.sample(groups, len(groups))]
        dtype = pattern_dtype(value_w)
        return SymbolTable(value_w, count_w, (0, second), cum), np.array(values, dtype)


def borderline_blocks(
    value_w: int, count_w: int, word_w: int, most: int, surplus: int
) -> list[Borderline]:
    """All blocks of 1 to `most` values whose coded bits are `surplus`, 1 or less, more than raw.

    Those that take no more words coded than raw, so that the bits decide; if there are none, and
    the blocks are raw in any case, all.
    """
    found = []
    for count in range(1, most + 1):
        if (2 - surplus) % count == 0:
            width = value_w - (2 - surplus) // count  # bits of a coded value
            for code_bits in range(1, min(count_w, width) + 1):
                found.append(Borderline(code_bits, width - code_bits, count, 0))
        for saved in range(1, value_w):  # bits that a value of the first group is shorter than raw
            first, rest = divmod(count + 2 - surplus, saved + 1)
            if rest == 0 and 0 < first < count:
                found.append(Borderline(1, value_w - 1 - saved, first, count - first))
    words = [each.words(value_w, word_w) for each in found]
    sharp = [each for each, (coded, raw) in zip(found, words, strict=True) if coded <= raw]
    return sharp or (found if surplus > 0 else [])


def hostile_values(table: SymbolTable, length: int, code_w: int) -> np.ndarray:
    """Values that keep bits pending as long as the table lets them; some runs end early."""
    run = random.choice((None, random.randint(1, 60)))
    return pending_run(table, length, code_w, random.getrandbits(32), run)
