# SPDX-License-Identifier: Apache-2.0
"""Moving the streams of many blocks between a container and the coder at once."""

from __future__ import annotations

import numba
import numpy as np

from .layout import padded_bytes
from .record import TensorRecord


def block_counts(record: TensorRecord) -> np.ndarray:
    """Number of values in each block: int64 (blocks,)."""
    counts = np.full(record.blocks, record.block_values, dtype=np.int64)
    counts[-1:] = record.count - (record.blocks - 1) * record.block_values
    return counts


def stream_bytes(record: TensorRecord, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bytes of each block's code and offset stream, in whole words: int64 (blocks,) each."""
    code_bits = index["code_bits"].astype(np.int64)
    offset_bits = index["offset_bits"].astype(np.int64)
    return padded_bytes(code_bits, record.word_bytes), padded_bytes(offset_bits, record.word_bytes)


def starts_of(sizes: np.ndarray) -> np.ndarray:
    """Where consecutive parts of these sizes start, and their end: int64 (parts + 1,)."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes, dtype=np.int64)])


@numba.njit(cache=True, nogil=True)
def copy_streams(source, source_starts, bits, target, target_starts):
    """Copy streams of so many bits, given where each starts in both arrays (uint8)."""
    for row in range(len(bits)):
        start, to = source_starts[row], target_starts[row]
        for index in range((bits[row] + 7) // 8):
            target[to + index] = source[start + index]


@numba.njit(cache=True, nogil=True)
def first_unclean(source, starts, bits, sizes):
    """The first stream with padding that is not zero, or -1."""
    for row in range(len(bits)):
        start, used = starts[row], bits[row] // 8
        for index in range(used, sizes[row]):
            byte = source[start + index]
            if index == used:
                byte &= 0xFF >> (bits[row] % 8)
            if byte:
                return row
    return -1
