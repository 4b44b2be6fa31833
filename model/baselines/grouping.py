# SPDX-License-Identifier: Apache-2.0
"""Values in groups of a fixed size, for the formats with a mask of zeros before each group."""

from __future__ import annotations

import numpy as np


def grouped(values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(groups, sizes): int64 (n, size), the last group filled up with zeros, and the true sizes."""
    flat = values.reshape(-1).astype(np.int64)
    rows = -(-flat.size // size)
    groups = np.zeros(rows * size, np.int64)
    groups[: flat.size] = flat
    sizes = np.full(rows, size)
    if flat.size % size:
        sizes[-1] = flat.size % size
    return groups.reshape(rows, size), sizes


def group_masks(groups: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """A number per group, its `sizes[i]` low bits set where a value is not zero, first value first.

    >>> group_masks(np.array([[7, 0, 5, 0]]), np.array([3]))
    array([5])
    """
    weights = 1 << np.arange(groups.shape[1] - 1, -1, -1)
    return ((groups != 0) * weights).sum(axis=1) >> groups.shape[1] - sizes
