# SPDX-License-Identifier: Apache-2.0
"""The bulk path: memory is the model's, tensors follow each other, a difference is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.apack import histogram, solve
from model.apack.fast import EncodedBlocks
from model.tensors import pattern_dtype, read_tensors
from model.zoo.wakeword import wakeword_paths
from tb.apack.bulk import round_trip as round_trip_module
from tb.apack.bulk.round_trip import (
    UNITS,
    BulkRun,
    Sent,
    Shape,
    build_bulk,
    differences,
    run_bulk,
    run_differences,
)
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


def small_values(value_w: int, count: int, scale: float) -> np.ndarray:
    """(count,) patterns of value_w bits, most of them near zero."""
    drawn = np.random.default_rng(chosen_seed()).laplace(0, scale, count).round()
    half = 1 << value_w - 1
    patterns = drawn.clip(-half, half - 1).astype(np.int64) & 2 * half - 1
    return patterns.astype(pattern_dtype(value_w))


def sent_of(values: np.ndarray, value_w: int = 8) -> Sent:
    return Sent(values, solve(histogram(values, value_w), value_w=value_w))


def several(count: int) -> list[Sent]:
    """Tensors of different tables and lengths: short ones, whole beats and not."""
    lengths = (count, 3, count // 4, 1, 64, count // 2 + 1)
    return [sent_of(small_values(8, n, 2 + 5 * place)) for place, n in enumerate(lengths)]


def round_trip(
    tensors: list[Sent], shape: Shape, block: int, folder: Path, overlap: bool
) -> tuple[list[EncodedBlocks], BulkRun]:
    build = build_bulk(tensors[0].table, chosen_simulator(), shape)
    found = run_bulk(build, shape, tensors, block, folder, overlap)
    return [sent.expected(shape, block) for sent in tensors], found


def all_differences(
    tensors: list[Sent], expected: list[EncodedBlocks], found: BulkRun
) -> dict[str, tuple[int, str]]:
    wrong = {}
    for place, one in enumerate(zip(tensors, expected, found.tensors, strict=True)):
        wrong |= {f"{place}: {kind}": of_kind for kind, of_kind in differences(*one).items()}
    return wrong | run_differences(tensors[-1], expected[-1], found)


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("block", [256, 64])
def test_real_weights_come_back_and_memory_is_the_model_s(block, overlap, tmp_path):
    tensors = [sent_of(weights(20_000 if overlap else 4_000))]
    shape = SMALL if overlap else replace(SMALL, fifo_w=13)
    assert all_differences(tensors, *round_trip(tensors, shape, block, tmp_path, overlap)) == {}


def test_wide_values_on_several_engines(tmp_path):
    values = small_values(12, min(5_001, MOST_VALUES[chosen_simulator()]), 100)
    tensors = [sent_of(values, 12)]
    assert all_differences(tensors, *round_trip(tensors, WIDE, 128, tmp_path, True)) == {}


@pytest.mark.parametrize("overlap", [True, False])
def test_tensors_follow_each_other_with_tables_of_their_own(overlap, tmp_path):
    tensors = several(MOST_VALUES[chosen_simulator()] // 4)
    shape = replace(SMALL, fifo_w=13)
    expected, found = round_trip(tensors, shape, 64, tmp_path, overlap)
    assert all_differences(tensors, expected, found) == {}
    for unit in UNITS:
        spans = [tensor.cycles[unit] for tensor in found.tensors]
        assert all(0 < span < found.cycles for span in spans)
        assert sum(spans) < found.cycles


def test_a_table_is_loaded_while_the_tensor_before_runs(tmp_path):
    """So that equal tensors in a row take no longer than their values, but for the first."""
    count = 2048 if chosen_simulator() == "verilator" else 256
    sent = sent_of(small_values(8, count, 12))
    _, found = round_trip([sent] * 4, replace(SMALL, fifo_w=13), 256, tmp_path, overlap=False)
    for unit in UNITS:
        first, *others = [tensor.cycles[unit] for tensor in found.tensors]
        assert max(others) < first
        assert max(others) < count + 20 * count // 256 + 60


@pytest.fixture(scope="module")
def good_run(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    tensors = [sent_of(weights(200)), sent_of(weights(300))]
    folder = tmp_path_factory.mktemp("good")
    return tensors, *round_trip(tensors, SMALL, 64, folder, overlap=True)


def changed(array: np.ndarray, index: int) -> np.ndarray:
    copy = array.copy()
    copy[index] ^= copy.dtype.type(1)
    return copy


def with_tensor(found: BulkRun, place: int, **fields: object) -> BulkRun:
    tensors = list(found.tensors)
    tensors[place] = replace(tensors[place], **fields)
    return replace(found, tensors=tensors)


def test_a_sound_run_has_no_difference(good_run):
    assert all_differences(*good_run) == {}


@pytest.mark.parametrize(
    ("field", "kind"), [("words", "memory word"), ("decoded", "decoded value")]
)
def test_one_changed_entry_is_one_difference(good_run, field, kind):
    tensors, expected, found = good_run
    wrong = with_tensor(found, 1, **{field: changed(getattr(found.tensors[1], field), 3)})
    differ = all_differences(tensors, expected, wrong)
    assert list(differ) == [f"1: {kind}"]
    count, line = differ[f"1: {kind}"]
    assert count == 1
    assert line.startswith(f"{kind} 3: ")


def test_every_other_difference_is_one(good_run):
    tensors, expected, found = good_run
    one = found.tensors[0]
    for wrong in (
        with_tensor(found, 0, decoded=one.decoded[:-1]),
        with_tensor(found, 0, words=np.append(one.words, np.uint64(0))),
        with_tensor(found, 0, marked=[0]),
        replace(found, end="hang"),
        *(
            replace(found, counters=found.counters | {unit: found.counters[unit] | {name: 0}})
            for unit in UNITS
            for name in ("BITS", "EVENTS")
        ),
    ):
        differ = all_differences(tensors, expected, wrong)
        assert [count for count, _ in differ.values()] == [1], differ


def test_a_memory_that_breaks_bits_is_seen(tmp_path, monkeypatch):
    """Of its words one in 64 comes back with a bit inverted: in a header or in pieces."""
    loop = round_trip_module.SOURCES[1]
    broken = tmp_path / loop.name
    text = loop.read_text(encoding="utf-8")
    right = ".s_data  ({m_axis_memory_tlast, m_axis_memory_tkeep, m_axis_memory_tdata})"
    assert right in text
    flipped = "_tdata ^ {{WORD_W-1{1'b0}}, &m_axis_memory_tdata[5:0]}}"
    broken.write_text(text.replace(right, right.replace("_tdata}", flipped)), encoding="utf-8")
    sources = (round_trip_module.SOURCES[0], broken, *round_trip_module.SOURCES[2:])
    monkeypatch.setattr(round_trip_module, "SOURCES", sources)
    tensors = [sent_of(weights(20_000))]
    expected, found = round_trip(tensors, SMALL, 256, tmp_path / "run", overlap=True)
    wrong = all_differences(tensors, expected, found)
    assert "0: beat marked as damaged" in wrong
    assert "BAD_BLOCKS of the decompressor" in wrong
    assert "0: memory word" not in wrong  # which are seen as the compressor writes them
