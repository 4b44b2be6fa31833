# SPDX-License-Identifier: Apache-2.0
"""The bulk path: what comes back is what the model says, and a difference is found and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.apack import SymbolTable, histogram, solve
from model.apack.fast import encode_blocks
from model.tensors import pattern_dtype
from tb.apack.bulk.round_trip import build_round_trip, mismatches, run_round_trip
from tb.sim.cocotb_run import chosen_seed, chosen_simulator


def laplace_values(value_w: int, count: int) -> np.ndarray:
    """Weights as networks have them: (count,) patterns, most of them near zero."""
    random = np.random.default_rng(chosen_seed())
    signed = np.round(random.laplace(0, 1 << (value_w - 4), count)).astype(np.int64)
    limit = 1 << (value_w - 1)
    patterns = np.clip(signed, -limit, limit - 1) & ((1 << value_w) - 1)
    return patterns.astype(pattern_dtype(value_w))


def round_trip(values: np.ndarray, table: SymbolTable, block_values: int, folder: Path) -> tuple:
    build = build_round_trip(table, chosen_simulator())
    found = run_round_trip(build, values, table, block_values, folder)
    return encode_blocks(values, table, block_values), found


@pytest.mark.parametrize(
    ("value_w", "count", "block_values"),
    [(8, 5000, 4096), (8, 1, 4096), (8, 1000, 1), (12, 3001, 1000), (4, 4099, 64)],
)
def test_hardware_agrees_with_the_model_in_every_word(value_w, count, block_values, tmp_path):
    values = laplace_values(value_w, count)
    table = solve(histogram(values, value_w), value_w=value_w)
    expected, found = round_trip(values, table, block_values, tmp_path)
    assert mismatches(values, expected, found) == (0, [])
    blocks = -(-count // block_values)
    assert found.encoder_cycles <= count + 16 * blocks
    assert found.decoder_cycles <= count + 16 * blocks


def test_memory_between_the_units_fills_and_wraps(tmp_path):
    """More blocks of one value than it has places: the decoder takes longer for each."""
    values = laplace_values(8, 2000)
    table = solve(histogram(values, 8))
    build = build_round_trip(table, chosen_simulator(), fifo_w=6)
    found = run_round_trip(build, values, table, 1, tmp_path)
    assert mismatches(values, encode_blocks(values, table, 1), found) == (0, [])


@pytest.fixture(scope="module")
def good_run(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    values = laplace_values(8, 2000)
    table = solve(histogram(values, 8))
    expected, found = round_trip(values, table, 512, tmp_path_factory.mktemp("good"))
    return values, expected, found


def changed(array: np.ndarray, index: int) -> np.ndarray:
    copy = array.copy()
    copy[index] = copy[index] ^ 1
    return copy


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("code", "code word 3"),
        ("offsets", "offset word 3"),
        ("code_bits", "bits of code stream 3"),
        ("offset_bits", "bits of offset stream 3"),
        ("decoded", "decoded value 3"),
        ("failed", "block marked as wrong 3"),
    ],
)
def test_one_changed_entry_is_one_mismatch(good_run, field, line):
    values, expected, found = good_run
    wrong = replace(found, **{field: changed(getattr(found, field), 3)})
    count, lines = mismatches(values, expected, wrong)
    assert count == 1
    assert lines[0].startswith(line)


def test_missing_and_surplus_entries_are_mismatches(good_run):
    values, expected, found = good_run
    short = replace(found, decoded=found.decoded[:-2])
    assert mismatches(values, expected, short)[0] == 2
    long = replace(found, code=np.append(found.code, np.uint32(0)))
    assert mismatches(values, expected, long)[0] == 1


@pytest.mark.parametrize(
    "report", [{"end": "hang"}, {}, {"end": "done", "code_early": "1"}, {"end": "illegal_table"}]
)
def test_a_run_that_did_not_end_well_is_a_mismatch(good_run, report):
    values, expected, found = good_run
    assert mismatches(values, expected, replace(found, report=report))[0] == 1
