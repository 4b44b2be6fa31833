# SPDX-License-Identifier: Apache-2.0
"""The proven best symbol table: groups and integer counts optimised together.

For fixed groups, choosing integer counts is a separable convex problem, so putting a price on each
count (a Lagrange multiplier) loses nothing. Under a price the groups no longer compete for counts,
and dynamic programming over (groups left, start) finds the best partition. Its cost less the price
of all counts is a lower bound for every table, and its own best counts give an actual table. The
search moves the price until bound and table meet, which nearly always happens within two or three
prices. Otherwise partial tables are extended group by group, now with counts that are spent, and
the bounds of several prices leave few of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numba
import numpy as np

from .counts import log2_table, optimal_counts
from .table import SymbolTable

EXACT_VALUE_W = 12
BOUNDARY_CELLS = 1024
_PRICES = 40
_BOUNDING_PRICES = 3
_SPREAD = 0.02
_LABELS = 4_000_000
_POINTS = 1 << 25
_LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Solution:
    """A table with the certificate of its quality, all in bits for the whole histogram.

    No table of as many groups takes fewer than lower_bound bits; `proven` says that bits equals
    it up to rounding, 1e-10 bits a value. Where groups may not begin at every value, as above 12
    bits, lower_bound is for the boundaries allowed, and nothing is proven. labels: partial tables
    extended where prices were not enough.
    """

    table: SymbolTable
    bits: float
    lower_bound: float
    proven: bool
    labels: int


def solve_exact(
    histogram: np.ndarray,
    value_w: int,
    symbols: int,
    count_w: int,
    boundaries: np.ndarray | None = None,
) -> Solution:
    """The best table of at most `symbols` groups for int64 counts of 2**value_w values.

    boundaries: where groups may begin and end, ascending from 0 to 2**value_w. By default that is
    anywhere up to 12 bits, and above at those of `adaptive_boundaries`.
    """
    if boundaries is None:
        boundaries = np.arange((1 << value_w) + 1)
        if value_w > EXACT_VALUE_W:
            boundaries = adaptive_boundaries(histogram, value_w)
    below = np.concatenate([[0.0], np.cumsum(histogram, dtype=np.float64)])[boundaries]
    widths = np.array([0, *((size - 1).bit_length() for size in range(1, (1 << value_w) + 1))])
    groups = min(symbols, len(boundaries) - 1, 1 << count_w)
    starts, bits, bound, labels = _search(below, boundaries, widths, groups, count_w)
    totals = np.diff([*below[starts], below[-1]])
    counts = optimal_counts(totals, 1 << count_w, log2_table(count_w))[0]
    cum = (0, *np.cumsum(counts).tolist())
    table = SymbolTable(value_w, count_w, tuple(boundaries[starts].tolist()), cum)
    fixed = below[-1] * count_w
    everywhere = len(boundaries) == (1 << value_w) + 1
    proven = everywhere and bits - bound <= _tolerance(below)
    return Solution(table, bits + fixed, min(bits, bound) + fixed, proven, labels)


def adaptive_boundaries(
    histogram: np.ndarray, value_w: int, cells: int = BOUNDARY_CELLS
) -> np.ndarray:
    """Boundaries of at most `cells` dyadic cells, the fullest halved again and again: (cells + 1,).

    A cell of 2**k values begins at a multiple of 2**k, and k is small where many values are. For
    weights as bits of BF16 1,024 cells cost 0.001 bits a value against 4,096, and as many multiples
    of 64 cost 0.38; `make bench-solver` measures it.
    """
    below = np.concatenate([[0], np.cumsum(histogram)])

    def entry(start: int, size: int) -> tuple[int, int, int]:
        """Of two cells the fuller comes first, and of equally full ones the larger."""
        return -int(below[start + size] - below[start]), -size, start

    whole, starts = [entry(0, 1 << value_w)], [0]
    while whole and len(starts) < cells:
        _, size, start = heappop(whole)
        half = -size // 2
        starts.append(start + half)
        if half > 1:
            heappush(whole, entry(start, half))
            heappush(whole, entry(start + half, half))
    return np.array([*sorted(starts), 1 << value_w])


@numba.njit(cache=True, inline="always")
def _tolerance(below):
    """Rounding of a sum of bits: 1e-10 bits a value."""
    return 1e-10 * below[-1]


@numba.njit(cache=True)
def _best_count(total, price, available):
    """The count, to within one, that is best for a group at this price."""
    return int(max(1.0, min(total / (price * _LN2) + 0.5, available)))


@numba.njit(cache=True)
def _priced(total, width, price, available, logs):
    """Bits and price of one group with the count that is best at this price."""
    if total == 0.0:
        return price
    count = _best_count(total, price, available)
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
        demand += _best_count(total, price, available)
    return demand - available


def _search(
    below: np.ndarray, grid: np.ndarray, widths: np.ndarray, groups: int, count_w: int
) -> tuple[np.ndarray, float, float, int]:
    """Starts of the best groups, their bits, the lower bound, partial tables extended."""
    problem = (below, grid, widths, 1 << count_w, log2_table(count_w))
    prices = np.empty(_PRICES + 2)
    bounds = np.empty(_PRICES + 2)
    tables = np.empty((_PRICES + 2, len(grid), groups + 1))
    tried, starts, bits = _search_prices(*problem, prices, bounds, tables)
    order = np.argsort(-bounds[:tried])
    bound = bounds[order[0]]
    if bits - bound <= _tolerance(below) or len(grid) << count_w > _POINTS:
        return starts, bits, bound, 0
    for row, factor in ((tried, 1 - _SPREAD), (tried + 1, 1 + _SPREAD)):
        prices[row] = prices[order[0]] * factor
        _solve_suffixes(below, grid, widths, prices[row], *problem[3:], tables[row])
    chosen = np.array([*order[:_BOUNDING_PRICES], tried, tried + 1])
    starts, bits, labels, complete = _close_gap(*problem, prices, tables, chosen, starts, bits)
    return starts, bits, bits if complete else bound, labels


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
        if bits - bound <= _tolerance(below) or own_low <= price <= own_high:
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


@numba.njit(cache=True)
def _count_window(here, total, budget, price, rest, limit, logs):
    """First and last count with which a group can be part of a table below the limit.

    here: bits up to and with the group, less its counts' part; budget: counts not spent before it;
    rest: priced bits of all values after it, which need a count too. One count is enough for
    values that never occur.
    """
    most = min(1, budget - 1) if total == 0.0 else budget - 1
    if most < 1:
        return 1, 0
    favourite = max(1, min(_best_count(total, price, budget), most))
    first, last = favourite + 1, favourite
    while (
        first > 1 and here - total * logs[first - 1] - price * (budget - first + 1) + rest < limit
    ):
        first -= 1
    while (
        last < most and here - total * logs[last + 1] - price * (budget - last - 1) + rest < limit
    ):
        last += 1
    return first, last


@numba.njit(cache=True)
def _allowed(bits, budget, end, left, prices, tables, chosen, limit):
    """Whether at every chosen price the bits so far and the bound of the rest stay below."""
    bound = -np.inf
    for row in chosen:
        bound = max(bound, bits - prices[row] * budget + tables[row, end, left])
    return bound < limit


@numba.njit(cache=True)
def _path(label, starts_of, parents, used):
    """Starts of the used + 1 groups on the way to a label and after it."""
    starts = np.zeros(used + 1, dtype=np.int64)
    for row in range(used, -1, -1):
        starts[row] = starts_of[label]
        label = parents[label]
    return starts


@numba.njit(cache=True)
def _close_gap(below, grid, widths, available, logs, prices, tables, chosen, starts, bits):
    """The best table by extending partial ones group by group, with the bounds to prune them.

    A label is a number of values covered and of counts spent. It is dropped when at most as many
    groups lead to the same for at most as many bits, or when `_allowed` says that no table below
    the best one continues it. Returns the starts of the best groups, their bits, the number of
    labels, and whether all of them were followed.
    """
    cells, groups = len(grid) - 1, tables.shape[2] - 1
    limit = bits - _tolerance(below)
    least = np.full((cells, available + 1), np.inf)
    places = np.full((cells, available + 1), -1, dtype=np.int64)
    at, spent = np.empty(_LABELS, dtype=np.int64), np.empty(_LABELS, dtype=np.int64)
    reached, parents = np.empty(_LABELS), np.empty(_LABELS, dtype=np.int64)
    at[0], spent[0], reached[0] = 0, 0, 0.0
    first_label, labels = 0, 1
    for used in range(groups):
        left, layer_end = groups - used - 1, labels
        for label in range(first_label, layer_end):
            start, budget = at[label], available - spent[label]
            for end in range(start + 1, cells):
                total, width = below[end] - below[start], widths[grid[end] - grid[start]]
                here = reached[label] + total * width
                price, rest = prices[chosen[0]], tables[chosen[0], end, left]
                first, last = _count_window(here, total, budget, price, rest, limit, logs)
                for count in range(first, last + 1):
                    sum_bits, counts = here - total * logs[count], spent[label] + count
                    if sum_bits >= least[end, counts] or not _allowed(
                        sum_bits, budget - count, end, left, prices, tables, chosen[1:], limit
                    ):
                        continue
                    least[end, counts] = sum_bits
                    if places[end, counts] < layer_end:
                        if labels == _LABELS:
                            return starts, bits, labels, False
                        places[end, counts] = labels
                        labels += 1
                    row = places[end, counts]
                    at[row], spent[row], reached[row] = end, counts, sum_bits
                    parents[row] = label
            total, width = below[cells] - below[start], widths[grid[cells] - grid[start]]
            sum_bits = reached[label] + total * (width - logs[budget])
            if sum_bits < limit:
                bits, limit = sum_bits, sum_bits - _tolerance(below)
                starts = _path(label, at, parents, used)
        first_label = layer_end
    return starts, bits, labels, True
