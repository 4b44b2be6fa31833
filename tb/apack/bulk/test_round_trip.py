# SPDX-License-Identifier: Apache-2.0
"""The bulk path of the tops: memory is what the container packer writes, a difference is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.apack import SymbolTable, histogram, solve
from model.tensors import read_tensors
from model.zoo.wakeword import wakeword_paths
from tb.apack.bulk.tops_round_trip import (
    Shape,
    TopsRoundTrip,
    build_tops,
    mismatches,
    run_tops_round_trip,
)
from tb.apack.env.memory_image import MemoryImage
from tb.sim.cocotb_run import chosen_seed, chosen_simulator

SMALL = Shape(block_values=256, fifo_w=10)
WIDE = Shape(engines=2, streams=2, lanes=4, word_w=32, block_values=128, fifo_w=10)
# Icarus takes ten seconds for a thousand values.
MOST_VALUES = {"verilator": 20_000, "icarus": 600}


def weights(most: int) -> np.ndarray:
    """The largest weight tensor of a microWakeWord model, or its first values: (count,) uint8."""
    _, path = wakeword_paths()[0]
    tensor = max(read_tensors(path, 8), key=lambda tensor: tensor.values.size)
    return tensor.values.reshape(-1)[: min(most, MOST_VALUES[chosen_simulator()])]


def wide_values(count: int) -> np.ndarray:
    """(count,) patterns of 12 bits, most of them near zero."""
    drawn = np.random.default_rng(chosen_seed()).laplace(0, 100, count).round().clip(-2048, 2047)
    return (drawn.astype(np.int64) & 0xFFF).astype(np.uint16)


def round_trip(
    values: np.ndarray, table: SymbolTable, shape: Shape, block: int, folder: Path, overlap: bool
) -> tuple[MemoryImage, TopsRoundTrip]:
    build = build_tops(table, chosen_simulator(), shape)
    found = run_tops_round_trip(build, shape, values, table, block, folder, overlap)
    return MemoryImage.of(values, table, block, shape.word_w, shape.code_w), found


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("block", [256, 64])
def test_real_weights_come_back_and_memory_is_the_container(block, overlap, tmp_path):
    values = weights(20_000 if overlap else 4_000)
    table = solve(histogram(values, 8))
    shape = SMALL if overlap else replace(SMALL, fifo_w=13)
    image, found = round_trip(values, table, shape, block, tmp_path, overlap)
    assert mismatches(values, image, found) == (0, [])
    written = MemoryImage(image.record, tuple(found.words.tolist()), image.entries)
    assert np.array_equal(written.values(), values)


def test_wide_values_on_several_engines(tmp_path):
    values = wide_values(min(5_001, MOST_VALUES[chosen_simulator()]))
    table = solve(histogram(values, 12), value_w=12)
    image, found = round_trip(values, table, WIDE, 128, tmp_path, overlap=True)
    assert mismatches(values, image, found) == (0, [])


@pytest.fixture(scope="module")
def good_run(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    values = weights(600)
    table = solve(histogram(values, 8))
    folder = tmp_path_factory.mktemp("good")
    return values, *round_trip(values, table, SMALL, 64, folder, overlap=True)


def changed(array: np.ndarray, index: int) -> np.ndarray:
    copy = array.copy()
    copy[index] ^= copy.dtype.type(1)
    return copy


def test_a_sound_run_has_no_mismatch(good_run):
    assert mismatches(*good_run) == (0, [])


@pytest.mark.parametrize(("field", "line"), [("words", "memory word 3"), ("decoded", "decoded va")])
def test_one_changed_entry_is_one_mismatch(good_run, field, line):
    values, image, found = good_run
    wrong = replace(found, **{field: changed(getattr(found, field), 3)})
    count, lines = mismatches(values, image, wrong)
    assert count == 1
    assert lines[0].startswith(line)


def test_every_other_difference_is_a_mismatch(good_run):
    values, image, found = good_run
    for field, wrong in {
        "entries": [*found.entries[:-1], (0xFF, 0)],
        "decoded": found.decoded[:-1],
        "words": np.append(found.words, np.uint64(0)),
        "marked": [0],
        "end": "hang",
        "compressor": found.compressor | {"BITS": 0},
        "decompressor": found.decompressor | {"EVENTS": 0},
    }.items():
        assert mismatches(values, image, replace(found, **{field: wrong}))[0] == 1, field
