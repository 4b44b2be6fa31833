from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.apack import ApackError, encode_block, entropy_bits, solve
from model.apack.solver import assign_counts


@given(st.lists(st.integers(0, 50), min_size=1, max_size=4), st.integers(2, 5))
def test_counts_are_optimal_against_all_assignments(totals, count_w):
    totals = np.array(totals)
    cost = lambda counts: -(totals * np.log2(counts)).sum()  # noqa: E731
    best = min(
        cost(np.diff([0, *cuts, 1 << count_w]))
        for cuts in combinations(range(1, 1 << count_w), len(totals) - 1)
    )
    counts = assign_counts(totals, count_w)
    assert counts.min() >= 1 and counts.sum() == 1 << count_w
    assert cost(counts) == pytest.approx(best)


def test_every_value_stays_codable():
    histogram = np.zeros(256, dtype=np.int64)
    histogram[7] = 1000
    table = solve(histogram)
    block = encode_block(np.arange(256), table)
    assert block.count == 256
    assert table.expected_bits(histogram) < 20


def test_few_groups_come_close_to_entropy():
    rng = np.random.default_rng(5)
    values = np.clip(np.round(rng.laplace(0, 9, 100_000)), -128, 127).astype(np.int8)
    histogram = np.bincount(values.view(np.uint8), minlength=256)
    table = solve(histogram)
    assert table.groups <= 16
    entropy = entropy_bits(histogram)
    assert entropy <= table.expected_bits(histogram) <= 1.01 * entropy


@pytest.mark.parametrize(
    ("histogram", "message"),
    [
        (np.zeros(256, dtype=int), "empty"),
        (np.ones(255, dtype=int), "shape"),
        (np.ones(256), "integers"),
        (-np.ones(256, dtype=int), "0 or more"),
    ],
)
def test_bad_histograms(histogram, message):
    with pytest.raises(ApackError, match=message):
        solve(histogram)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 10), st.integers(1, 64), st.integers(1, 12), st.integers(0, 1000))
def test_tables_are_legal_for_any_shape(value_w, symbols, count_w, seed):
    histogram = np.random.default_rng(seed).poisson(1.0, 1 << value_w)
    histogram[0] += 1
    table = solve(histogram, value_w, symbols, count_w)
    assert table.groups <= symbols and table.value_w == value_w and table.count_w == count_w
