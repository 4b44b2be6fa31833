# SPDX-License-Identifier: Apache-2.0
"""Random and hostile stimulus for the coder: tables of every shape, values that strain them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate, pairwise

import numpy as np

from model.apack import Interval, SymbolTable, encode_block
from model.apack.coder import MOST_AHEAD, piece_width
from model.apack.hostile import centred_table, pending_run
from model.tensors import pattern_dtype


def random_table(value_w: int, symbols: int, count_w: int) -> SymbolTable:
    """A legal table: few or many groups, large or single-value ones, even or extreme counts."""
    most = min(symbols, 1 << value_w, 1 << count_w)
    groups = random.choice((1, most, random.randint(1, most)))
    base = random.choice((_scattered, _crowded))(groups, 1 << value_w)
    cum = random.choice((_scattered, _crowded, _even))(groups, 1 << count_w)
    return SymbolTable(value_w, count_w, base, (*cum, 1 << count_w))


def cheap_value_table(value_w: int, symbols: int, count_w: int) -> tuple[SymbolTable, int]:
    """A table with any groups, of which one is a single value with half of all counts; that value.

    Among enough of these, blocks are coded whatever the other values take.
    """
    total = 1 << count_w
    groups = random.randint(2, min(symbols, 1 << value_w, total // 2 + 1))
    base = list(_scattered(groups, 1 << value_w))
    cheap = random.randrange(groups)
    if cheap < groups - 1:
        base[cheap + 1] = base[cheap] + 1
    else:
        base[cheap] = (1 << value_w) - 1
    ends = [*sorted(random.sample(range(1, total // 2), groups - 2)), total // 2]
    counts = [end - start for start, end in pairwise([0, *ends])]
    counts.insert(cheap, total // 2)
    return SymbolTable(value_w, count_w, base, (0, *accumulate(counts))), base[cheap]


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


def most_ahead(values: np.ndarray, table: SymbolTable, streams: int, code_w: int) -> list[int]:
    """Pieces that each value's stream runs ahead of its encoder, once the value is coded."""
    piece_w = piece_width(table)
    intervals = [Interval(code_w) for _ in range(streams)]
    shifts, pending, decided = [0] * streams, [0] * streams, [0] * streams
    found = []
    for number, value in enumerate(values.tolist()):
        k = number % streams
        intervals[k].narrow(table, table.symbol_of(value))
        for taken in intervals[k].shifts():
            shifts[k] += 1
            if taken == intervals[k].quarter:
                pending[k] += 1
            else:
                decided[k] += 1 + pending[k]
                pending[k] = 0
        found.append(-(-(code_w + shifts[k]) // piece_w) - decided[k] // piece_w)
    return found


def run_to_the_limit(value_w: int, count_w: int, streams: int, code_w: int) -> tuple:
    """A table, and values of a block whose last one takes a stream a piece too far ahead.

    Without the last value the block is coded: a value of a run takes about half the bits of raw.
    """
    table = centred_table(value_w, count_w, 1 << count_w - min(value_w // 2, count_w - 1))
    length = (MOST_AHEAD + 2) * piece_width(table)
    runs = [pending_run(table, length, code_w, random.getrandbits(32)) for _ in range(streams)]
    values = np.stack(runs, axis=1).reshape(-1)
    ahead = most_ahead(values, table, streams, code_w)
    last = next(place for place, pieces in enumerate(ahead) if pieces > MOST_AHEAD)
    return table, values[: last + 1]


def grown_in_its_last_value(
    value_w: int, count_w: int, streams: int, code_w: int, word_w: int, most: int
) -> tuple | None:
    """A table, and values of a block that is coded without its last value and raw with it.

    None when no such block of `most` values or fewer is found.
    """
    total = 1 << count_w
    table = SymbolTable(value_w, count_w, (0, 1), (0, total - 1, total))
    dtype = pattern_dtype(value_w)
    for _ in range(200):
        rare = random.uniform(0, 0.6)
        values = [random.getrandbits(value_w) if random.random() < rare else 0 for _ in range(most)]
        coded = False
        for length in range(random.randint(1, most // 2), most + 1):
            part = np.array(values[:length], dtype)
            raw = encode_block(part, table, streams, code_w, word_w // 8).raw
            if raw and coded:
                return table, part
            coded = not raw
    return None


def hostile_values(table: SymbolTable, length: int, code_w: int) -> np.ndarray:
    """Values that keep bits pending as long as the table lets them; some runs end early."""
    run = random.choice((None, random.randint(1, 60)))
    return pending_run(table, length, code_w, random.getrandbits(32), run)
