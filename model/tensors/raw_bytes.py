"""Arrays from the bytes that models hold."""

from __future__ import annotations

import numpy as np

from model.tensors.tensor import element_type
from model.tensors.types import INTEGER_BITS, bits_of


def array_of_bytes(raw: bytes | memoryview | np.ndarray, dtype: str, shape: tuple) -> np.ndarray:
    """An array of an accepted type of whole bytes, from bytes in little-endian order.

    raw: as many bytes as the shape needs.
    """
    to = element_type(dtype)
    words = np.frombuffer(raw, dtype=f"<u{to.itemsize}")
    return words.astype(f"=u{to.itemsize}").view(to).reshape(shape)


def array_of_packed(raw: bytes | memoryview | np.ndarray, dtype: str, shape: tuple) -> np.ndarray:
    """An array of a type of 4 or 2 bits, from bytes that hold 2 or 4 values, the first lowest."""
    bits, to = bits_of(dtype), element_type(dtype)
    packed = np.frombuffer(raw, dtype=np.uint8)
    patterns = packed[:, None] >> np.arange(0, 8, bits, dtype=np.uint8) & ((1 << bits) - 1)
    patterns = patterns.astype(np.uint8).reshape(-1)[: int(np.prod(shape, dtype=np.int64))]
    if dtype in INTEGER_BITS:
        sign = 0 if dtype.startswith("u") else 1 << bits - 1
        return ((patterns.astype(np.int8) ^ sign) - sign).astype(to).reshape(shape)
    return patterns.view(to).reshape(shape)
