# SPDX-License-Identifier: Apache-2.0
"""Finds the symbol table of a tensor: groups of values and their probability counts."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .table import COUNT_W_RANGE, VALUE_W_RANGE, SymbolTable

METHODS = ("exact", "paper")
MAX_SYMBOLS = 64


def solve(
    histogram: np.ndarray,
    value_w: int = 8,
    symbols: int = 16,
    count_w: int = 10,
    method: str = "exact",
) -> SymbolTable:
    """The table of at most `symbols` groups for a histogram of 2**value_w bins.

    method: "exact", the proven best table (see `solve_exact` for its certificate), or "paper",
    the heuristic of the APack paper. Raises InputError for a histogram of the wrong shape, with
    negative counts or no values, and for parameters out of range.
    """
    if method not in METHODS:
        raise InputError(f"unknown solver {method!r}; the solvers are {' and '.join(METHODS)}")
    histogram = checked_histogram(histogram, value_w)
    if not 1 <= symbols <= MAX_SYMBOLS:
        raise InputError(f"{symbols} groups; 1 to {MAX_SYMBOLS} are possible")
    if count_w not in COUNT_W_RANGE:
        raise InputError(f"count_w is {count_w}; 1 to {COUNT_W_RANGE.stop - 1} are legal")
    # Imported here: Numba, which compiles them, takes longer to load than all else together.
    if method == "paper":
        from .paper_solver import solve_paper

        return solve_paper(histogram, value_w, symbols, count_w)
    from .exact_solver import solve_exact

    return solve_exact(histogram, value_w, symbols, count_w).table


def checked_histogram(histogram: np.ndarray, value_w: int) -> np.ndarray:
    """A histogram as int64 (2**value_w,), or InputError that says what is wrong with it."""
    if value_w not in VALUE_W_RANGE:
        raise InputError(f"value_w is {value_w}; 2 to {VALUE_W_RANGE.stop - 1} are legal")
    histogram = np.asarray(histogram)
    if histogram.shape != (1 << value_w,):
        raise InputError(
            f"the histogram has shape {histogram.shape}; "
            f"values of {value_w} bits need ({1 << value_w},)"
        )
    if histogram.dtype.kind not in "iu":
        raise InputError(f"the histogram is {histogram.dtype}; counts are integers")
    if (histogram < 0).any():
        bin_index = int((histogram < 0).argmax())
        raise InputError(f"histogram[{bin_index}] is {histogram[bin_index]}; counts are 0 or more")
    if not histogram.any():
        raise InputError("the histogram is empty: no values to build a table from")
    if histogram.astype(np.float64).sum() >= 2.0**52:
        raise InputError("the histogram counts more than 2**52 values")
    return histogram.astype(np.int64)
