# SPDX-License-Identifier: Apache-2.0
"""Zstandard at level 19 over the values as bytes (RFC 8878), by the `zstandard` package.

Where that is not installed, the codec is left out.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec

import numpy as np

from ..bitstream.bits import Bits
from ..tensors.quantize import pattern_dtype

with suppress(ModuleNotFoundError):
    import zstandard

LEVEL = 19
HAS_ZSTD = find_spec("zstandard") is not None


def encode_zstd(values: np.ndarray, value_w: int) -> Bits:
    """zstd frame of the values, one byte each up to 8 bits and two (little endian) above."""
    raw = values.reshape(-1).astype(_dtype(value_w)).tobytes()
    data = zstandard.ZstdCompressor(level=LEVEL).compress(raw)
    return Bits(8 * len(data), data)


def decode_zstd(stream: Bits, count: int, value_w: int) -> np.ndarray:
    """The `count` values of a zstd frame, int64."""
    raw = zstandard.ZstdDecompressor().decompress(stream.data)
    return np.frombuffer(raw, _dtype(value_w), count).astype(np.int64)


def _dtype(value_w: int) -> np.dtype:
    return np.dtype(pattern_dtype(value_w)).newbyteorder("<")
