# SPDX-License-Identifier: Apache-2.0
"""Values as weights are: close around 0, of both signs, and a table that suits them."""

from __future__ import annotations

import random

import numpy as np

from model.apack import SymbolTable
from model.tensors import pattern_dtype
from tb.apack.env.widths import CoderWidths

SCALE = 3.0  # how far they stand from 0


def ordinary_table(widths: CoderWidths) -> SymbolTable:
    """A good table of values that stand close around 0, of both signs."""
    values, total = 1 << widths.value_w, 1 << widths.count_w
    near = [0, *(sign << at for at in range(widths.value_w - 1) for sign in (1, -1))]
    starts = sorted({each % values for each in near[: min(widths.symbols, total)]})
    sizes = np.diff([*starts, values])
    away = np.minimum(starts, values - np.array(starts))
    weights = sizes * np.exp(-away / SCALE)
    counts = 1 + ((total - len(starts)) * weights / weights.sum()).astype(int)
    cum = [0, *np.cumsum(counts).tolist()]
    return SymbolTable(widths.value_w, widths.count_w, tuple(starts), (*cum[:-1], total))


def ordinary_values(widths: CoderWidths, length: int) -> np.ndarray:
    """Such values."""
    drawn = np.random.default_rng(random.getrandbits(32)).laplace(0, SCALE, length)
    return (drawn.astype(np.int64) % (1 << widths.value_w)).astype(pattern_dtype(widths.value_w))
