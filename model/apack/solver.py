"""Finds the symbol table of a tensor: groups of values and their probability counts."""

from __future__ import annotations

import heapq

import numba
import numpy as np

from model.apack.errors import ApackError
from model.apack.table import SymbolTable


def solve(
    histogram: np.ndarray,
    value_w: int = 8,
    symbols: int = 16,
    count_w: int = 10,
    method: str = "exact",
) -> SymbolTable:
    """The table of at most `symbols` groups that codes a histogram of 2**value_w bins best.

    Raises ApackError for a histogram of the wrong shape, with negative counts or no values.
    """
    if method != "exact":
        raise ApackError(f"unknown solver {method!r}; use exact")
    histogram = _checked(histogram, value_w)
    groups = min(symbols, 1 << value_w, 1 << count_w)
    base = _best_partition(histogram, groups)
    totals = np.add.reduceat(histogram, base)
    cum = np.concatenate([[0], np.cumsum(assign_counts(totals, count_w))])
    return SymbolTable(value_w, count_w, tuple(base.tolist()), tuple(cum.tolist()))


def _checked(histogram: np.ndarray, value_w: int) -> np.ndarray:
    histogram = np.asarray(histogram)
    if histogram.shape != (1 << value_w,):
        raise ApackError(f"a histogram of shape {histogram.shape}; ({1 << value_w},) is needed")
    if histogram.dtype.kind not in "iu" or (histogram < 0).any():
        raise ApackError("a histogram holds integers of 0 or more")
    if not histogram.any():
        raise ApackError("the histogram is empty: no values to build a table from")
    return histogram.astype(np.int64)


def assign_counts(totals: np.ndarray, count_w: int) -> np.ndarray:
    """Integer counts >= 1 that sum to 2**count_w and minimise -sum totals * log2(count).

    Greedy by marginal gain, which is optimal because the cost is convex in each count.
    """
    counts = np.ones(len(totals), dtype=np.int64)
    gains = [(-total * np.log2(2.0), row) for row, total in enumerate(totals.tolist())]
    heapq.heapify(gains)
    for _ in range((1 << count_w) - len(totals)):
        _, row = gains[0]
        counts[row] += 1
        gain = totals[row] * np.log2((counts[row] + 1) / counts[row])
        heapq.heapreplace(gains, (-gain, row))
    return counts


@numba.njit(cache=True)
def _best_partition(histogram: np.ndarray, groups: int) -> np.ndarray:
    """Start values of the groups that minimise ideal code bits plus offset bits."""
    size = len(histogram)
    prefix = np.zeros(size + 1, dtype=np.int64)
    prefix[1:] = np.cumsum(histogram)
    total = prefix[size]
    best = np.full((groups + 1, size + 1), np.inf)
    origin = np.zeros((groups + 1, size + 1), dtype=np.int64)
    best[0, 0] = 0.0
    for end in range(1, size + 1):
        for start in range(end):
            n = prefix[end] - prefix[start]
            width = 0
            while (1 << width) < end - start:
                width += 1
            cost = n * width + (n * np.log2(total / n) if n else 0.0)
            for used in range(groups):
                if best[used, start] + cost < best[used + 1, end]:
                    best[used + 1, end] = best[used, start] + cost
                    origin[used + 1, end] = start
    used = np.argmin(best[:, size])
    base = np.zeros(used, dtype=np.int64)
    end = size
    for row in range(used - 1, -1, -1):
        end = origin[row + 1, end]
        base[row] = end
    return base
