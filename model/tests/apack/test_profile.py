# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from model.apack import ApackError, encode_block, entropy_bits, histogram
from model.apack.profile import merge_profiles, profile_cost, profiled_table


def inputs(count, scale=12.0):
    rng = np.random.default_rng(4)
    drawn = [rng.exponential(scale, 20_000).astype(int).clip(max=255) for _ in range(count)]
    return [histogram(values, 8) for values in drawn]


def test_merging_adds_inputs_and_leaves_no_value_out():
    first, second = np.array([3, 0, 0, 1]), np.array([1, 0, 2, 0])
    assert merge_profiles([first, second], 2).tolist() == [65, 1, 33, 17]


def test_a_value_never_profiled_is_codable_and_not_dear():
    seen = np.zeros(256, dtype=np.int64)
    seen[:40] = 1000
    table = profiled_table([seen])
    assert encode_block(np.arange(256), table).count == 256
    dearest = max(table.expected_bits(row) for row in np.eye(256, dtype=np.int64))
    assert dearest <= 18


def test_unseen_inputs_of_the_same_kind_cost_little_more():
    *profiled, unseen = inputs(4)
    cost = profile_cost(profiled_table(profiled), unseen)
    assert cost.values == 20_000
    assert cost.entropy_bits == entropy_bits(unseen)
    assert cost.entropy_bits <= cost.own_bits <= cost.profiled_bits
    assert 0 <= cost.penalty < 0.01


def test_unseen_inputs_of_another_kind_cost_more():
    cost = profile_cost(profiled_table(inputs(1)), inputs(1, scale=60.0)[0])
    assert cost.penalty > 0.05


def test_no_profile_is_an_error():
    with pytest.raises(ApackError, match="no input was profiled"):
        merge_profiles([])
