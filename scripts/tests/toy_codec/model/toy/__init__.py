# SPDX-License-Identifier: Apache-2.0
"""A codec that saves nothing: each value is inverted."""

from __future__ import annotations

import numpy as np

from ..bitstream.bits import Bits


def inverted(values: np.ndarray, value_w: int) -> np.ndarray:
    """Values (count,) of value_w bits with all of them inverted, in the same type."""
    return values ^ values.dtype.type((1 << value_w) - 1)


def encode_toy(values: np.ndarray, value_w: int) -> Bits:
    """The inverted values, one after another."""
    return Bits.from_words(inverted(np.asarray(values), value_w), value_w, value_w * len(values))


def decode_toy(stream: Bits, count: int, value_w: int) -> np.ndarray:
    """The `count` values of such a stream."""
    return inverted(stream.words(value_w)[:count], value_w)
