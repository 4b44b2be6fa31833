# SPDX-License-Identifier: Apache-2.0
"""Legal value sequences that hurt an arithmetic coder most: endless runs of pending bits.

A pending run grows while the interval straddles the middle of the code space. For a given table
at most one group straddles it, so the run is found by walking that group again and again.
"""

from __future__ import annotations

import copy
from itertools import product

import numpy as np

from ..tensors.quantize import pattern_dtype
from .coder import CODE_W, Interval
from .table import SymbolTable

_LONGEST_PREFIX = 2


def centred_table(value_w: int = 8, count_w: int = 10, centre: int = 2) -> SymbolTable:
    """Three groups; the middle one has `centre` (even) counts placed evenly around one half.

    Each value of the middle group adds count_w - log2(centre) pending bits (centre a power of
    two): 9 for the defaults, so 4,096 values leave a run of 36,864 bits.
    """
    half = 1 << (count_w - 1)
    middle = 1 << (value_w - 1)
    return SymbolTable(
        value_w,
        count_w,
        (0, middle - 1, middle + 1),
        (0, half - centre // 2, half + centre // 2, 2 * half),
    )


def pending_run(
    table: SymbolTable,
    length: int,
    code_w: int = CODE_W,
    seed: int = 0,
    run: int | None = None,
    streams: int = 1,
) -> np.ndarray:
    """`length` values that keep each stream's interval on the middle of the code space.

    When a group boundary falls exactly on the middle, the run must end; the values then start
    the next one. With `run`, a random value is put in after every `run` values of a stream, which
    ends most runs, upwards or downwards. Offsets are random. Returns (length,) unsigned patterns,
    which a coder deals to so many streams.
    """
    rng = np.random.default_rng(seed)
    values = np.zeros(length, dtype=pattern_dtype(table.value_w))
    for stream in range(streams):
        part = values[stream::streams]
        symbols = _symbols(table, len(part), code_w, rng, run)
        part[:] = [table.base[symbol] + rng.integers(table.sizes[symbol]) for symbol in symbols]
    return values


def _symbols(
    table: SymbolTable, length: int, code_w: int, rng: np.random.Generator, run: int | None
) -> list[int]:
    """The symbols of one stream."""
    interval = Interval(code_w)
    symbols: list[int] = []
    known: dict[tuple[int, int], tuple[list[int], Interval]] = {}
    while len(symbols) < length:
        limit = min(run or length, length - len(symbols))
        state = (interval.low, interval.high)
        if state not in known:
            known[state] = _next_run(interval, table, limit)
        symbols.extend(known[state][0])
        interval = copy.copy(known[state][1])
        if run:
            symbols.append(int(rng.integers(table.groups)))
            _step(interval, table, symbols[-1])
    return symbols[:length]


def longest_pending_run(values: np.ndarray, table: SymbolTable, code_w: int = CODE_W) -> int:
    """The largest number of pending bits that coding `values` in one stream holds."""
    interval = Interval(code_w)
    pending = longest = 0
    for value in np.asarray(values).reshape(-1).tolist():
        interval.narrow(table, table.symbol_of(value))
        for taken in interval.shifts():
            pending = pending + 1 if taken == interval.quarter else 0
            longest = max(longest, pending)
    return longest


def _next_run(interval: Interval, table: SymbolTable, limit: int) -> tuple[list[int], Interval]:
    """The symbols of the longest run after trying every short way to start one.

    Returns them with the interval they lead to; at least one symbol, also when no run exists.
    """
    best: list[int] = [0]
    reached = copy.copy(interval)
    _step(reached, table, 0)
    longest = 0
    for prefix_length in range(_LONGEST_PREFIX + 1):
        for prefix in product(_candidates(table), repeat=prefix_length):
            trial = copy.copy(interval)
            for symbol in prefix:
                _step(trial, table, symbol)
            run = _walk(trial, table, limit)
            if len(run) > longest:
                longest, best, reached = len(run), [*prefix, *run], trial
        if longest >= limit // 2:
            break
    return best, reached


def _candidates(table: SymbolTable) -> range:
    """At most 16 groups to try as the start of a run."""
    return range(0, table.groups, -(-table.groups // 16))


def _walk(interval: Interval, table: SymbolTable, limit: int) -> list[int]:
    symbols: list[int] = []
    while len(symbols) < limit:
        symbol = _straddling(interval, table)
        if symbol is None:
            break
        _step(interval, table, symbol)
        symbols.append(symbol)
    return symbols


def _straddling(interval: Interval, table: SymbolTable) -> int | None:
    """The group whose slice has the middle strictly inside, if there is one."""
    for symbol in range(table.groups):
        start = interval.low + interval.slice_start(table.cum[symbol], table.count_w)
        end = interval.low + interval.slice_start(table.cum[symbol + 1], table.count_w)
        if start < interval.half < end:
            return symbol
    return None


def _step(interval: Interval, table: SymbolTable, symbol: int) -> None:
    interval.narrow(table, symbol)
    for _ in interval.shifts():
        pass
