# SPDX-License-Identifier: Apache-2.0
"""Probability counts of the groups: integers of at least 1 that sum to 2**count_w."""

from __future__ import annotations

import numba
import numpy as np

from ..errors import InputError


def log2_table(count_w: int) -> np.ndarray:
    """log2 of 0 .. 2**count_w + 1, with 0 for index 0: float64."""
    return np.log2(np.maximum(1, np.arange((1 << count_w) + 2)))


def assign_counts(totals: np.ndarray, count_w: int) -> np.ndarray:
    """The counts that minimise -sum totals * log2(count): int64, same shape.

    Raises InputError when there are more groups than counts.
    """
    totals = np.asarray(totals, dtype=np.float64)
    if not 1 <= len(totals) <= 1 << count_w:
        raise InputError(f"{len(totals)} groups cannot share {1 << count_w} counts")
    return optimal_counts(totals, 1 << count_w, log2_table(count_w))[0]


@numba.njit(cache=True)
def optimal_counts(totals, available, logs):
    """Greedy by marginal gain, which is optimal because the cost is convex in each count.

    Returns the counts, and the prices of one count between which they stay optimal: the best
    gain not taken and the smallest gain taken (infinite when none was).
    """
    counts = np.ones(len(totals), dtype=np.int64)
    gains = totals * logs[2]
    smallest = np.inf
    for _ in range(available - len(totals)):
        row = np.argmax(gains)
        smallest = gains[row]
        counts[row] += 1
        gains[row] = totals[row] * (logs[counts[row] + 1] - logs[counts[row]])
    return counts, gains.max(), smallest


def proportional_counts(totals: np.ndarray, count_w: int) -> np.ndarray:
    """Counts proportional to the totals, rounded down, at least 1; the largest takes the rest."""
    available = 1 << count_w
    counts = np.maximum(1, totals * available // max(1, totals.sum()))
    while counts.sum() > available:
        counts[counts.argmax()] -= 1
    counts[totals.argmax()] += available - counts.sum()
    return counts
