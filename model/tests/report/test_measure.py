# SPDX-License-Identifier: Apache-2.0
"""Sizes of one tensor: the codec's own output, the raw fallback, the zero point."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from model.apack import encode_block, entropy_bits, histogram, solve
from model.apack.container import Container, pack, write_container
from model.apack.container.layout import HEADER_BYTES
from model.apack.fast import BLOCK_VALUES
from model.codecs import CODECS
from model.report.measure import apack_size, centre, measure
from model.tensors import Tensor
from model.tests.report.parts import bell

UNIFORM = np.random.default_rng(5).permutation(np.tile(np.arange(256), 40)).astype(np.uint8)


def patterns(values: int, seed: int) -> np.ndarray:
    return np.rint(bell(values, seed) * 30).astype(np.int8).view(np.uint8)


def tensor(values: np.ndarray) -> Tensor:
    return Tensor("w", values, "int8", scale=(0.5,) * 9, zero_point=(0,), axis=0)


def test_coded_bits_are_those_of_the_readable_encoder() -> None:
    values = patterns(20_000, 1)
    table = solve(histogram(values, 8))
    parts = range(0, values.size, BLOCK_VALUES)
    blocks = [encode_block(values[i : i + BLOCK_VALUES], table) for i in parts]
    size = apack_size(tensor(values), table)
    assert size.coded == sum(block.bits for block in blocks)
    assert size.stored == sum(-(-block.bits // 64) * 64 for block in blocks)
    assert (size.blocks, size.raw_blocks) == (2, 0)


def test_a_block_that_would_grow_counts_as_raw() -> None:
    skewed = solve(histogram(np.zeros(100, np.uint8), 8))
    size = apack_size(tensor(UNIFORM), skewed)
    assert size.raw_blocks == size.blocks == 1
    assert size.stored == size.coded == UNIFORM.size * 8
    assert size.largest_block_excess == 0


def test_the_total_is_what_the_tensor_adds_to_a_file(tmp_path: Path) -> None:
    shipped = tensor(patterns(9000, 1))
    table = solve(histogram(shipped.values, 8))
    bare = replace(shipped, name="", scale=(), zero_point=(), axis=None)
    written = write_container(tmp_path / "w.apack", [pack(bare, table)])
    with Container(tmp_path / "w.apack") as container:
        gap = container.tensors[0].table_start - container.tensors[0].start
    assert apack_size(shipped, table).total == 8 * (written - gap - HEADER_BYTES)


def test_baselines_see_the_real_zero_and_apack_the_patterns() -> None:
    values = np.where(np.arange(4000) % 4, 131, 140).astype(np.uint8)
    size = measure(Tensor("map", values.reshape(40, 100), "uint8", 8, (0.5,), (131,)))
    zvc = next(codec for codec in CODECS if codec.key == "zvc")
    assert size.others["zvc"] == zvc.coded_bits(centre(values, 131, 8), 8) == 4000 + 8 * 1000
    assert size.counts[131] == 3000 and size.zero_integer == 131
    assert size.entropy == entropy_bits(histogram(values, 8))


def test_centre_wraps_and_keeps_the_type() -> None:
    centred = centre(np.array([3, 5, 255], np.uint8), 5, 8)
    assert centred.dtype == np.uint8 and centred.tolist() == [254, 0, 250]


def test_two_inputs_of_one_map_add_up() -> None:
    first, second = (measure(Tensor("map", patterns(5000, seed), "int8")) for seed in (1, 2))
    both = first.over_input(second)
    assert both.values == 10000 and both.raw == 80000
    assert both.apack.total == first.apack.total + second.apack.total
    for codec in CODECS:
        assert both.bits(codec) == first.bits(codec) + second.bits(codec)
    assert both.entropy == first.entropy + second.entropy
    assert np.array_equal(both.counts, first.counts + second.counts)


def test_a_given_table_is_used_and_its_cost_shows() -> None:
    values = patterns(5000, 1)
    table = solve(histogram(UNIFORM, 8))
    size = measure(Tensor("map", values, "int8"), table)
    assert size.table == table
    assert size.apack.coded == apack_size(tensor(values), table).coded > 1.05 * size.own_table
