# SPDX-License-Identifier: Apache-2.0
"""The APack paper's heuristic search for a symbol table, for comparison with the exact one.

Source: arXiv 2201.08830, section V. It starts from uniform groups. A round takes the boundaries one
after the other, tries every place between the neighbours and, one level deeper, every place of an
adjacent boundary as well, and keeps the best; the search ends when a round gains less than 1 %.
The counts, which the paper leaves open, are proportional to the group totals and at least 1.
"""

from __future__ import annotations

import numba
import numpy as np

from .counts import proportional_counts
from .table import SymbolTable

_GAIN = 0.01
_STEPS = 256


def solve_paper(histogram: np.ndarray, value_w: int, symbols: int, count_w: int) -> SymbolTable:
    """The heuristic's table for int64 counts of 2**value_w values.

    Above 8 bits boundaries move in steps of 1/256 of the value range, to bound the time.
    """
    groups = min(symbols, 1 << value_w, 1 << count_w)
    below = np.concatenate([[0.0], np.cumsum(histogram, dtype=np.float64)])
    cuts = np.array([(row << value_w) // groups for row in range(groups + 1)])
    step = max(1, (1 << value_w) // _STEPS)
    bits = _total_bits(cuts, below)
    while True:
        moved, moved_bits = improve(cuts, below, step)
        gain = bits - moved_bits
        cuts, bits = moved, moved_bits
        if gain < _GAIN * (bits + gain) or gain <= 0:
            break
    totals = np.diff(below[cuts]).astype(np.int64)
    cum = (0, *np.cumsum(proportional_counts(totals, count_w)).tolist())
    return SymbolTable(value_w, count_w, tuple(cuts[:-1].tolist()), cum)


@numba.njit(cache=True)
def _bits(start, end, below):
    """Ideal code bits and offset bits of one group."""
    total = below[end] - below[start]
    if total == 0.0:
        return 0.0
    width = 0
    while (1 << width) < end - start:
        width += 1
    return total * (width + np.log2(below[-1] / total))


@numba.njit(cache=True)
def _total_bits(cuts, below):
    bits = 0.0
    for row in range(len(cuts) - 1):
        bits += _bits(cuts[row], cuts[row + 1], below)
    return bits


@numba.njit(cache=True)
def _around(cuts, row, below):
    """Bits of the two groups that meet at a boundary."""
    return _bits(cuts[row - 1], cuts[row], below) + _bits(cuts[row], cuts[row + 1], below)


@numba.njit(cache=True)
def improve(cuts, below, step):
    """The cuts after moving each boundary, alone or with a neighbour, to the best; their bits."""
    best, best_cuts = _total_bits(cuts, below), cuts.copy()
    for row in range(1, len(cuts) - 1):
        here, cuts = best, best_cuts
        trial = cuts.copy()
        old = _around(cuts, row, below)
        for place in range(cuts[row - 1] + 1, cuts[row + 1], step):
            trial[row] = place
            bits = here - old + _around(trial, row, below)
            if bits < best:
                best, best_cuts = bits, trial.copy()
            for neighbour in (row - 1, row + 1):
                if 0 < neighbour < len(cuts) - 1:
                    best, best_cuts = _move_neighbour(
                        trial, neighbour, bits, below, step, best, best_cuts
                    )
    return best_cuts, best


@numba.njit(cache=True)
def _move_neighbour(trial, row, bits, below, step, best, best_cuts):
    """The second level of the search: boundary `row` to every place, `trial` as found after."""
    kept = trial[row]
    old = _around(trial, row, below)
    for place in range(trial[row - 1] + 1, trial[row + 1], step):
        trial[row] = place
        moved_bits = bits - old + _around(trial, row, below)
        if moved_bits < best:
            best, best_cuts = moved_bits, trial.copy()
    trial[row] = kept
    return best, best_cuts
