"""The proven best symbol table: groups and integer counts optimised together.

For fixed groups, choosing integer counts is a separable convex problem, so putting a price on each
count (a Lagrange multiplier) loses nothing. Under a price the groups no longer compete for counts,
and dynamic programming over (groups left, start) finds the best partition. Its cost less the price
of all counts is a lower bound for every table, and its own best counts give an actual table. The
search moves the price until bound and table meet, which nearly always happens within two or three
prices. Otherwise branch and bound visits every partition whose bound is below the best table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from model.apack.counts import log2_table, optimal_counts
from model.apack.table import SymbolTable

EXACT_VALUE_W = 12
_GRID_CELLS = 1024
_PRICES = 40
_BOUNDING_PRICES = 3
_SPREAD = 0.02
_PARTITIONS = 2_000_000
_LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Solution:
    """A table with the certificate of its quality, all in bits for the whole histogram.

    No table of as many groups takes fewer than lower_bound bits; `proven` says that bits equals
    it up to rounding (1e-10). lower_bound holds for groups that start at the grid's values; up
    to 12 bits the grid is all values.
    """

    table: SymbolTable
    bits: float
    lower_bound: float
    proven: bool
    partitions: int


def solve_exact(histogram: np.ndarray, value_w: int, symbols: int, count_w: int) -> Solution:
    """The best table of at most `symbols` groups for int64 counts of 2**value_w values.

    Above 12 bits group boundaries are taken from a grid of 1,024 cells, fine where values are.
    """
    grid = np.arange((1 << value_w) + 1)
    if value_w > EXACT_VALUE_W:
        grid = _grid(histogram, value_w)
    below = np.concatenate([[0.0], np.cumsum(histogram, dtype=np.float64)])[grid]
    widths = np.array([0, *((size - 1).bit_length() for size in range(1, (1 << value_w) + 1))])
    groups = min(symbols, len(grid) - 1, 1 << count_w)
    starts, bits, bound, partitions = _search(below, grid, widths, groups, count_w)
    totals = np.diff([*below[starts], below[-1]])
    counts = optimal_counts(totals, 1 << count_w, log2_table(count_w))[0]
    cum = (0, *np.cumsum(counts).tolist())
    table = SymbolTable(value_w, count_w, tuple(grid[starts].tolist()), cum)
    fixed = below[-1] * count_w
    proven = value_w <= EXACT_VALUE_W and bits - bound <= _tolerance(bits)
    return Solution(table, bits + fixed, min(bits, bound) + fixed, proven, partitions)


def _grid(histogram: np.ndarray, value_w: int) -> np.ndarray:
    """Boundaries of dyadic cells, the fullest one halved again and again: int64 (cells + 1,)."""
    below = np.concatenate([[0], np.cumsum(histogram)])
    cells = [(0, 1 << value_w)]
    while len(cells) < _GRID_CELLS:
        fullest = max(cells, key=lambda cell: _weight(below, cell))
        if fullest[1] == 1:
            break
        cells.remove(fullest)
        start, half = fullest[0], fullest[1] // 2
        cells += [(start, half), (start + half, half)]
    return np.array([*sorted(start for start, _ in cells), 1 << value_w])


def _weight(below: np.ndarray, cell: tuple[int, int]) -> tuple[bool, int, int]:
    """Cells that can be halved first, then by their values, then by their size."""
    start, size = cell
    return size > 1, int(below[start + size] - below[start]), size


@numba.njit(cache=True, inline="always")
def _tolerance(bits):
    return 1e-10 * abs(bits) + 1e-9


@numba.njit(cache=True)
def _priced(total, width, price, available, logs):
    """Bits and price of one group with the count that is best at this price."""
    if total == 0.0:
        return price
    count = int(max(1.0, min(total / (price * _LN2) + 0.5, available)))
    best = price * count - total * logs[count]
    if count > 1:
        best = min(best, price * (count - 1) - total * logs[count - 1])
    if count < available:
        best = min(best, price * (count + 1) - total * logs[count + 1])
    return total * width + best


@numba.njit(cache=True)
def _solve_suffixes(below, grid, widths, price, available, logs, best):
    """Fill best[start, groups left] with the least priced bits of all values from start on."""
    cells = len(grid) - 1
    groups = best.shape[1] - 1
    best[:] = np.inf
    best[cells, :] = 0.0
    for start in range(cells - 1, -1, -1):
        row = best[start]
        for end in range(start + 1, cells + 1):
            total, width = below[end] - below[start], widths[grid[end] - grid[start]]
            bits = _priced(total, width, price, available, logs)
            rest = best[end]
            for left in range(groups):
                sum_bits = rest[left] + bits
                row[left + 1] = sum_bits if sum_bits < row[left + 1] else row[left + 1]


@numba.njit(cache=True)
def _trace(below, grid, widths, price, available, logs, best):
    """The starts of the groups that _solve_suffixes found."""
    cells = len(grid) - 1
    left = best.shape[1] - 1
    starts = np.zeros(left, dtype=np.int64)
    found = start = 0
    while start < cells:
        starts[found] = start
        least, choice = np.inf, cells
        for end in range(start + 1, cells + 1):
            total, width = below[end] - below[start], widths[grid[end] - grid[start]]
            bits = best[end, left - 1] + _priced(total, width, price, available, logs)
            if bits < least:
                least, choice = bits, end
        start = choice
        left -= 1
        found += 1
    return starts[:found]


@numba.njit(cache=True)
def _with_own_counts(starts, below, grid, widths, available, logs):
    """Bits of a partition with its best counts, and the prices between which they are best."""
    totals = np.empty(len(starts))
    bits = 0.0
    for row in range(len(starts)):
        end = starts[row + 1] if row + 1 < len(starts) else len(grid) - 1
        totals[row] = below[end] - below[starts[row]]
        bits += totals[row] * widths[grid[end] - grid[starts[row]]]
    counts, low, high = optimal_counts(totals, available, logs)
    for row in range(len(starts)):
        bits -= totals[row] * logs[counts[row]]
    return bits, low, high


@numba.njit(cache=True)
def _excess_demand(starts, below, price, available):
    """Counts the groups want at a price beyond those available: the slope of the bound."""
    demand = 0.0
    for row in range(len(starts)):
        end_total = below[starts[row + 1]] if row + 1 < len(starts) else below[-1]
        total = end_total - below[starts[row]]
        demand += np.floor(max(1.0, min(total / (price * _LN2) + 0.5, available)))
    return demand - available


def _search(
    below: np.ndarray, grid: np.ndarray, widths: np.ndarray, groups: int, count_w: int
) -> tuple[np.ndarray, float, float, int]:
    """Starts of the best groups, their bits, the lower bound, partitions visited one by one."""
    problem = (below, grid, widths, 1 << count_w, log2_table(count_w))
    prices = np.empty(_PRICES + 2)
    bounds = np.empty(_PRICES + 2)
    tables = np.empty((_PRICES + 2, len(grid), groups + 1))
    tried, starts, bits = _search_prices(*problem, prices, bounds, tables)
    order = np.argsort(-bounds[:tried])
    bound = bounds[order[0]]
    if bits - bound <= _tolerance(bits):
        return starts, bits, bound, 0
    for row, factor in ((tried, 1 - _SPREAD), (tried + 1, 1 + _SPREAD)):
        prices[row] = prices[order[0]] * factor
        _solve_suffixes(below, grid, widths, prices[row], *problem[3:], tables[row])
    chosen = np.array([*order[:_BOUNDING_PRICES], tried, tried + 1])
    starts, bits, partitions = _branch_and_bound(*problem, prices, tables, chosen, starts, bits)
    return starts, bits, bits if partitions < _PARTITIONS else bound, partitions


@numba.njit(cache=True)
def _search_prices(below, grid, widths, available, logs, prices, bounds, tables):
    """Try prices until bound and table meet or the bound stops rising.

    Fills prices, bounds and tables; returns how many, and the best groups with their bits.
    """
    price = max(below[-1], 1e-3) / (available * _LN2)
    low, low_bound, low_slope = 0.0, 0.0, 0.0
    high, high_bound, high_slope = np.inf, 0.0, 0.0
    bits, best_starts = np.inf, np.zeros(1, dtype=np.int64)
    tried = 0
    while tried < _PRICES:
        table = tables[tried]
        _solve_suffixes(below, grid, widths, price, available, logs, table)
        prices[tried] = price
        bounds[tried] = table[0, -1] - price * available
        starts = _trace(below, grid, widths, price, available, logs, table)
        own_bits, own_low, own_high = _with_own_counts(starts, below, grid, widths, available, logs)
        tried += 1
        if own_bits < bits:
            bits, best_starts = own_bits, starts
        bound = bounds[:tried].max()
        if bits - bound <= _tolerance(bits) or own_low <= price <= own_high:
            break
        slope = _excess_demand(starts, below, price, available)
        if price < own_low:
            low, low_bound, low_slope = price, bounds[tried - 1], slope
        else:
            high, high_bound, high_slope = price, bounds[tried - 1], slope
        price = (own_low + own_high) / 2 if own_high < np.inf else 2 * own_low
        if not low < price < high:
            # The bound is concave: its tangents on both sides meet above its top.
            if low == 0.0 or low_slope <= high_slope:
                break
            price = high_bound - low_bound + low_slope * low - high_slope * high
            price /= low_slope - high_slope
            top = low_bound + low_slope * (price - low)
            if not low < price < high or top - bound <= 0.02 * (bits - bound):
                break
    return tried, best_starts, bits


@numba.njit(cache=True, inline="always")
def _mixed(total, width):
    """A 64-bit hash of a group's content; sums of it identify sets of groups."""
    mixed = np.uint64(total) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(width + 1)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@numba.njit(cache=True)
def _branch_and_bound(
    below, grid, widths, available, logs, prices, tables, chosen, best_starts, bits
):
    """Visit every partition that any chosen price allows to beat `bits`.

    Ways to reach a value with groups of the same content, as among values that never occur, have
    the same continuations; only the first is followed (told apart by a 64-bit hash).
    """
    cells, groups = len(grid) - 1, tables.shape[2] - 1
    limit = bits - _tolerance(bits)
    starts = np.zeros(groups + 1, dtype=np.int64)
    ends = np.zeros(groups + 1, dtype=np.int64)
    spent = np.zeros((groups + 1, len(chosen)))
    content = np.zeros(groups + 1, dtype=np.uint64)
    spent[0] = -prices[chosen] * available
    seen = {(np.uint64(0), 0)}
    partitions = depth = 0
    while depth >= 0 and partitions < _PARTITIONS:
        ends[depth] += 1
        start, end = starts[depth], ends[depth]
        if end > cells:
            depth -= 1
            continue
        total, width = below[end] - below[start], widths[grid[end] - grid[start]]
        promising = True
        for row in range(len(chosen)):
            price = prices[chosen[row]]
            priced = spent[depth, row] + _priced(total, width, price, available, logs)
            spent[depth + 1, row] = priced
            if priced + tables[chosen[row], end, groups - depth - 1] >= limit:
                promising = False
                break
        if not promising:
            continue
        content[depth + 1] = content[depth] + _mixed(total, width if total else 0)
        state = (content[depth + 1], end * (groups + 1) + depth)
        if state in seen:
            continue
        seen.add(state)
        if end == cells:
            partitions += 1
            own_bits = _with_own_counts(starts[: depth + 1], below, grid, widths, available, logs)[
                0
            ]
            if own_bits < bits:
                bits, best_starts = own_bits, starts[: depth + 1].copy()
                limit = bits - _tolerance(bits)
            continue
        depth += 1
        starts[depth] = ends[depth] = end
    return best_starts, bits, partitions
