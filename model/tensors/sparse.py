# SPDX-License-Identifier: Apache-2.0
"""Sparse tensors of TensorFlow Lite, with their zeros.

A level of the format stands for a dimension, or for a dimension inside the blocks that others are
cut into; the levels are nested in the order in which values are stored. See
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/schema/schema.fbs,
SparsityParameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError

# A file of some bytes can name a tensor of any size.
MOST_VALUES = 1 << 28


@dataclass(frozen=True)
class Level:
    """One level: dense with `size` entries each time, or as compressed rows.

    segments, indices: of compressed rows, as usual: row r has the entries indices[segments[r]] to
    indices[segments[r + 1] - 1].
    """

    size: int = 0
    segments: np.ndarray | None = None
    indices: np.ndarray | None = None


def dense(
    values: np.ndarray,
    shape: tuple[int, ...],
    levels: Sequence[Level],
    order: Sequence[int],
    blocked: Sequence[int],
) -> np.ndarray:
    """The dense array (shape) of stored values (n,).

    order: what each level stands for: dimension d < rank, or rank + k for the inside of the blocks
    of dimension blocked[k]. Raises InputError for levels that do not fit each other, the shape or
    the values.
    """
    rank = len(shape)
    if math.prod(shape) > MOST_VALUES:
        raise InputError(f"more than {MOST_VALUES} values with its zeros")
    if sorted(order) != list(range(rank + len(blocked))) or len(levels) != len(order):
        raise InputError("the levels of its sparse format do not fit its shape")
    if any(not 0 <= dimension < rank for dimension in blocked):
        raise InputError("its sparse format cuts a dimension that it does not have")
    coordinates = _coordinates(levels, len(values))
    place = dict(zip(order, coordinates, strict=True))
    size = {what: level.size for what, level in zip(order, levels, strict=True)}
    index = [place[dimension] for dimension in range(rank)]
    for inner, dimension in enumerate(blocked, rank):
        if not size[inner]:
            raise InputError("blocks of its sparse format are sparse themselves")
        index[dimension] = index[dimension] * size[inner] + place[inner]
    if len(values) and any(
        at.min() < 0 or at.max() >= length for at, length in zip(index, shape, strict=True)
    ):
        raise InputError("a value of its sparse format lies outside of its shape")
    array = np.zeros(shape, dtype=values.dtype)
    array[tuple(index)] = values
    return array


def _coordinates(levels: Sequence[Level], count: int) -> list[np.ndarray]:
    """For each level the coordinates (count,) of the stored values."""
    coordinates: list[np.ndarray] = []
    rows = 1
    most = max([count, *(len(level.segments) for level in levels if level.segments is not None)])
    for level in levels:
        if level.segments is None:
            repeats = np.full(rows, level.size)
            own = np.tile(np.arange(level.size), rows) if rows * level.size <= most else None
        else:
            repeats = np.diff(level.segments.astype(np.int64))
            own = level.indices
        if own is None or len(repeats) != rows or (repeats < 0).any() or repeats.sum() != len(own):
            raise InputError("the levels of its sparse format do not fit each other")
        coordinates = [np.repeat(one, repeats) for one in coordinates]
        coordinates.append(own.astype(np.int64))
        rows = len(own)
    if rows != count:
        raise InputError(f"{count} stored values where its sparse format has {rows}")
    return coordinates
