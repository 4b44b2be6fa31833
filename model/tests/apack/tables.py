# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: legal tables, and values for them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from model.apack import SymbolTable
from model.tensors import pattern_dtype


@st.composite
def tables(draw: st.DrawFn, max_value_w: int = 10, max_count_w: int = 14) -> SymbolTable:
    """Any legal table, with small and large groups and counts alike."""
    value_w = draw(st.integers(2, max_value_w))
    count_w = draw(st.integers(1, max_count_w))
    most = min(1 << value_w, 1 << count_w, 20)
    groups = draw(st.integers(1, most))
    inner_base = draw(_distinct(1, (1 << value_w) - 1, groups - 1))
    inner_cum = draw(_distinct(1, (1 << count_w) - 1, groups - 1))
    return SymbolTable(
        value_w, count_w, (0, *sorted(inner_base)), (0, *sorted(inner_cum), 1 << count_w)
    )


@st.composite
def tables_and_values(
    draw: st.DrawFn, max_length: int = 300, max_count_w: int = 14
) -> tuple[SymbolTable, np.ndarray]:
    """A table and values that favour one of its groups."""
    table = draw(tables(max_count_w=max_count_w))
    length = draw(st.integers(0, max_length))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(0, 1 << table.value_w, length)
    favourite = draw(st.integers(0, table.groups - 1))
    often = rng.random(length) < draw(st.floats(0, 1))
    values[often] = table.base[favourite] + rng.integers(0, table.sizes[favourite], often.sum())
    return table, values.astype(pattern_dtype(table.value_w))


def _distinct(low: int, high: int, count: int) -> st.SearchStrategy[set[int]]:
    if count == 0:
        return st.just(set())
    return st.sets(st.integers(low, high), min_size=count, max_size=count)
