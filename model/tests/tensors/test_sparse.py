# SPDX-License-Identifier: Apache-2.0
"""Sparse tensors of TensorFlow Lite come back with their zeros."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.apack import ApackError
from model.tensors import read_file
from model.tensors.sparse import Level, dense
from model.tests.tensors.models import Constant, Sparsity, tflite_file


def sparsify(
    array: np.ndarray, order: Sequence[int], blocked: Sequence[int], sizes: Sequence[int],
    compressed: Sequence[bool],
) -> tuple[list[int], Sparsity]:  # fmt: skip
    """The stored values and levels of an array, cell by cell, as the format's description has it.

    sizes: of the blocks of dimensions `blocked`. compressed: whether a level is of rows that leave
    out what is all zeros.
    """
    rank = array.ndim
    lengths = list(array.shape)
    for dimension, size in zip(blocked, sizes, strict=True):
        lengths[dimension] //= size
    lengths += sizes

    def cell(place: Sequence[int]) -> int:
        at = dict(zip(order, place, strict=True))
        index = [at[dimension] for dimension in range(rank)]
        for inner, (dimension, size) in enumerate(zip(blocked, sizes, strict=True), rank):
            index[dimension] = index[dimension] * size + at[inner]
        return int(array[tuple(index)])

    def empty(prefix: tuple[int, ...]) -> bool:
        rest = [range(lengths[what]) for what in order[len(prefix) :]]
        return not any(cell((*prefix, *tail)) for tail in itertools.product(*rest))

    rows: list[tuple[int, ...]] = [()]
    levels: list = []
    for what, by_rows in zip(order, compressed, strict=True):
        kept = [
            [i for i in range(lengths[what]) if not by_rows or not empty((*row, i))] for row in rows
        ]
        segments = [0, *itertools.accumulate(map(len, kept))]
        entries = list(itertools.chain.from_iterable(kept))
        levels.append((segments, entries) if by_rows else lengths[what])
        rows = [(*row, i) for row, own in zip(rows, kept, strict=True) for i in own]
    return [cell(row) for row in rows], Sparsity(list(order), levels, list(blocked))


@settings(max_examples=60, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture
])  # fmt: skip
@given(data=st.data())
def test_every_order_block_and_level_comes_back(tmp_path: Path, data: st.DataObject) -> None:
    rank = data.draw(st.integers(2, 3))
    shape = data.draw(st.lists(st.sampled_from([2, 4, 6]), min_size=rank, max_size=rank))
    blocked = data.draw(st.lists(st.integers(0, rank - 1), unique=True, max_size=2))
    order = [*data.draw(st.permutations(range(rank))), *range(rank, rank + len(blocked))]
    compressed = [*data.draw(st.lists(st.booleans(), min_size=rank, max_size=rank))]
    compressed += [False] * len(blocked)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    array = rng.integers(-128, 128, shape) * (rng.random(shape) < data.draw(st.floats(0.1, 1)))
    values, sparsity = sparsify(array, order, blocked, [2] * len(blocked), compressed)
    if not values:
        return
    raw = np.array(values, np.int8).tobytes()
    path = tflite_file(tmp_path / "m.tflite", [Constant("w", raw, tuple(shape), sparsity=sparsity)])
    (tensor,) = read_file(path).tensors
    assert tensor.integers().tolist() == array.tolist()
    assert tensor.note == "sparse in the file, coded with its zeros"


def test_indices_of_more_than_a_byte(tmp_path: Path) -> None:
    sparsity = Sparsity([0, 1], [2, ([0, 1, 2], [299, 0])])
    path = tflite_file(tmp_path / "m.tflite", [Constant("w", b"\1\2", (2, 300), sparsity=sparsity)])
    (tensor,) = read_file(path).tensors
    assert tensor.values[0, 299] == 1 and tensor.values[1, 0] == 2 and tensor.values.sum() == 3


ROWS = (np.array([0, 1, 2]), np.array([0, 1]))


@pytest.mark.parametrize(
    ("levels", "order", "blocked", "message"),
    [
        ([Level(2), Level(2)], [0, 1], [], "do not fit each other"),
        ([Level(1), Level(1)], [0, 1], [], "2 stored values where its sparse format has 1"),
        ([Level(2)], [0, 1], [], "do not fit its shape"),
        ([Level(2), Level(1)], [0, 0], [], "do not fit its shape"),
        ([Level(2), Level(1), Level(1)], [0, 1, 2], [2], "a dimension that it does not have"),
        ([Level(3), Level(0, *ROWS)], [0, 1], [], "do not fit each other"),
        ([Level(1 << 40), Level(1 << 40)], [0, 1], [], "do not fit each other"),
        ([Level(2), Level(0, np.array([0, 2, 1]), ROWS[1])], [0, 1], [], "do not fit each other"),
        ([Level(2), Level(0, ROWS[0], np.array([0, 2]))], [0, 1], [], "outside of its shape"),
        ([Level(2), Level(0, ROWS[0], np.array([0, -1]))], [0, 1], [], "outside of its shape"),
        ([Level(2), Level(0, *ROWS), Level(0, *ROWS)], [0, 1, 2], [1], "sparse themselves"),
    ],
)
def test_levels_that_contradict_are_refused(
    levels: list[Level], order: list[int], blocked: list[int], message: str
) -> None:
    with pytest.raises(ApackError, match=message):
        dense(np.array([1, 2], np.int8), (2, 2), levels, order, blocked)


def test_a_tensor_of_any_size_is_not_made_of_a_few_bytes() -> None:
    levels = [Level(1), Level(0, np.array([0, 1]), np.array([5]))]
    with pytest.raises(ApackError, match="more than 268435456 values"):
        dense(np.array([1], np.int8), (1, 1 << 40), levels, [0, 1], [])
