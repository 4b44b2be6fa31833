# SPDX-License-Identifier: Apache-2.0
"""Tables for activations: made from a few profiled inputs, used on all others.

Source: arXiv 2201.08830, section V: activation histograms come from up to 9 inputs. A table must
code any value, also one that profiling never met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..tensors.statistics import entropy_bits
from .solver import checked_histogram, solve
from .table import SymbolTable

# An occurrence weighs this many times what the mere possibility of a value does.
SEEN_WEIGHT = 16


@dataclass(frozen=True)
class ProfileCost:
    """What inputs outside the profile cost, in bits: profiled table, own table, entropy."""

    values: int
    profiled_bits: float
    own_bits: float
    entropy_bits: float

    @property
    def penalty(self) -> float:
        """Fraction by which the profiled table exceeds the inputs' own table."""
        return self.profiled_bits / self.own_bits - 1 if self.own_bits else 0.0


def merge_profiles(histograms: Sequence[np.ndarray], value_w: int = 8) -> np.ndarray:
    """The weights to solve a table from: int64 (2**value_w,).

    Each occurrence in any input weighs SEEN_WEIGHT, and each value of the range weighs one more,
    so that values never seen get short codes where they cost nothing. Raises InputError when
    there is no histogram, or a bad one.
    """
    if not len(histograms):
        raise InputError("no input was profiled")
    merged = sum(checked_histogram(histogram, value_w) for histogram in histograms)
    return merged * SEEN_WEIGHT + 1


def profiled_table(
    histograms: Sequence[np.ndarray],
    value_w: int = 8,
    symbols: int = 16,
    count_w: int = 10,
    method: str = "exact",
) -> SymbolTable:
    """One table for all inputs like the profiled ones; see `solve` for the parameters."""
    return solve(merge_profiles(histograms, value_w), value_w, symbols, count_w, method)


def profile_cost(table: SymbolTable, unseen: np.ndarray, symbols: int = 16) -> ProfileCost:
    """The cost of an unseen input's histogram under a profiled table and under its own."""
    unseen = checked_histogram(unseen, table.value_w)
    own = solve(unseen, table.value_w, symbols, table.count_w)
    return ProfileCost(
        int(unseen.sum()),
        table.expected_bits(unseen),
        own.expected_bits(unseen),
        entropy_bits(unseen),
    )
