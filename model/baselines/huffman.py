# SPDX-License-Identifier: Apache-2.0
"""Huffman code over all 2^value_w values, canonical, with its code lengths in the stream.

Source: Huffman, 1952; canonical form after Schwartz and Kallick, 1964. Deep Compression (Han et
al., ICLR 2016) uses it for quantized weights.
"""

from __future__ import annotations

import heapq
from itertools import count as counter

import numpy as np

from ..bitstream.bits import Bits
from ..bitstream.fields import FieldReader, pack_fields
from ..errors import CorruptStream
from ..tensors.statistics import histogram

LENGTH_W = 6  # bits of a code length; 63 would take more values than any memory holds


def encode_huffman(values: np.ndarray, value_w: int) -> Bits:
    """Per possible value one bit, and 6 bits of code length if it occurs; then the codes.

    A tensor of a single value has a code of no bits.
    """
    lengths = code_lengths(histogram(values, value_w))
    codes = canonical_codes(lengths)
    used = lengths >= 0
    header = np.column_stack([used, np.maximum(lengths, 0)])
    header_w = np.column_stack([np.ones(lengths.size), np.where(used, LENGTH_W, 0)])
    flat = values.reshape(-1)
    return pack_fields(
        np.append(header, codes[flat]), np.append(header_w.astype(np.int64), lengths[flat])
    )


def decode_huffman(stream: Bits, count: int, value_w: int) -> np.ndarray:
    """The `count` values of a Huffman stream, int64; raises CorruptStream."""
    reader = FieldReader(stream)
    lengths = np.array(
        [reader.take(LENGTH_W) if reader.take(1) else -1 for _ in range(1 << value_w)]
    )
    codes = canonical_codes(lengths)
    book = {(int(lengths[v]), int(codes[v])): int(v) for v in np.flatnonzero(lengths >= 0)}
    values = [_take_value(reader, book) for _ in range(count)]
    reader.finish()
    return np.array(values, np.int64)


def _take_value(reader: FieldReader, book: dict[tuple[int, int], int]) -> int:
    length = code = 0
    while (length, code) not in book:
        if length == 1 << LENGTH_W:
            raise CorruptStream("no value has this code")
        length, code = length + 1, code << 1 | reader.take(1)
    return book[length, code]


def code_lengths(counts: np.ndarray) -> np.ndarray:
    """Code length of each value, int64; -1 for one that never occurs.

    counts: occurrences of each value (2^value_w,).
    """
    lengths = np.full(counts.size, -1)
    order = counter(counts.size)  # ties: the older subtree first, so that lengths are unique
    heap = [(int(counts[v]), int(v), [int(v)]) for v in np.flatnonzero(counts)]
    heapq.heapify(heap)
    lengths[counts > 0] = 0
    while len(heap) > 1:
        light, _, left = heapq.heappop(heap)
        heavy, _, right = heapq.heappop(heap)
        left += right
        lengths[left] += 1
        heapq.heappush(heap, (light + heavy, next(order), left))
    return lengths


def canonical_codes(lengths: np.ndarray) -> np.ndarray:
    """Canonical code of each value, uint64: short codes first, ties by value."""
    codes = np.zeros(lengths.size, np.uint64)
    code, previous = 0, 0
    for length, value in sorted((int(lengths[v]), int(v)) for v in np.flatnonzero(lengths >= 0)):
        code <<= length - previous
        codes[value] = code
        code, previous = code + 1, length
    return codes
