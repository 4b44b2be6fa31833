# SPDX-License-Identifier: Apache-2.0
"""Histograms of values and the order-0 entropy that bounds every table."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .quantize import pattern_dtype


def as_patterns(values: np.ndarray, value_w: int) -> np.ndarray:
    """`values` as a flat unsigned array, checked to be bit patterns of value_w bits.

    Raises InputError for anything but integers of 0 .. 2**value_w - 1, naming the first
    offender. Signed tensors must be viewed as unsigned first: int8 -1 is 0xFF.
    """
    flat = np.asarray(values).reshape(-1)
    if flat.size == 0:
        return flat.astype(pattern_dtype(value_w))
    if flat.dtype.kind not in "iu":
        raise InputError(f"values are {flat.dtype}; unsigned integers are needed")
    fits = np.iinfo(flat.dtype)
    if fits.min < 0 or fits.max >= 1 << value_w:
        outside = (flat < 0) | (flat >= 1 << value_w)
        if outside.any():
            first = int(outside.argmax())
            raise InputError(
                f"value {flat[first]} at index {first} is not an unsigned pattern of "
                f"{value_w} bits (0 to {(1 << value_w) - 1})"
            )
    return flat.astype(pattern_dtype(value_w), copy=False)


def histogram(values: np.ndarray, value_w: int) -> np.ndarray:
    """How often each pattern of value_w bits occurs: int64 (2**value_w,)."""
    counts = np.bincount(as_patterns(values, value_w), minlength=1 << value_w)
    return counts.astype(np.int64)


def entropy_bits(histogram: np.ndarray) -> float:
    """Total order-0 entropy of the values behind a histogram, in bits (not bits per value)."""
    counts = np.asarray(histogram, dtype=np.float64)
    counts = counts[counts > 0]
    return float((counts * np.log2(counts.sum() / counts)).sum())
