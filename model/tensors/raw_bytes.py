# SPDX-License-Identifier: Apache-2.0
"""Arrays from the bytes that models hold."""

from __future__ import annotations

import math

import numpy as np

from ..errors import InputError
from .tensor import element_type
from .types import INTEGER_BITS, bits_of

RawBytes = bytes | np.ndarray


def array_of_bytes(raw: RawBytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of an accepted type, from bytes in little-endian order.

    Values of 4 or 2 bits lie in bytes from the lowest bits up. Raises InputError for more or fewer
    bytes than the shape needs.
    """
    bits, count = bits_of(dtype), math.prod(shape)
    if any(length < 0 for length in shape):
        raise InputError("a dimension of its shape is negative")
    check_size(len(raw), dtype, count)
    if bits < 8:
        return _unpacked(raw, dtype, count).reshape(shape)
    words = np.frombuffer(raw, dtype=f"<u{bits // 8}")
    return words.astype(f"=u{bits // 8}").view(element_type(dtype)).reshape(shape)


def check_size(raw_bytes: int, dtype: str, count: int) -> None:
    """Raise InputError unless so many values of an accepted type take so many bytes."""
    if raw_bytes != -(-count * bits_of(dtype) // 8):
        raise InputError(f"has {raw_bytes} bytes, which its shape denies")


def _unpacked(raw: RawBytes, dtype: str, count: int) -> np.ndarray:
    bits = bits_of(dtype)
    places = np.arange(0, 8, bits, dtype=np.uint8)
    patterns = (np.frombuffer(raw, dtype=np.uint8)[:, None] >> places) & ((1 << bits) - 1)
    patterns = patterns.astype(np.uint8).reshape(-1)[:count]
    if dtype not in INTEGER_BITS:
        return patterns.view(element_type(dtype))
    sign = 0 if dtype.startswith("u") else 1 << bits - 1
    return ((patterns.astype(np.int8) ^ sign) - sign).astype(element_type(dtype))
