# SPDX-License-Identifier: Apache-2.0
"""Run-length codes: RLE for runs of any value, RLEZ for runs of zeros only.

Both are the comparison points of the APack paper (arXiv 2201.08830, evaluation), which gives no
field widths; RLEZ is the run-length code of Eyeriss (Chen et al., JSSC 2017, section V) with 4-bit
runs.
"""

from __future__ import annotations

import numpy as np

from ..bitstream.bits import Bits
from ..bitstream.fields import FieldReader, pack_fields
from ..errors import CorruptStream

RUN_W = 4  # bits of a run field in both formats
RUN = 1 << RUN_W


def encode_rle(values: np.ndarray, value_w: int) -> Bits:
    """RLE of unsigned patterns: (value: value_w bits, run - 1: 4 bits) for runs of 1..16."""
    values = values.reshape(-1)
    if values.size == 0:
        return Bits(0, b"")
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    lengths = np.diff(np.append(starts, values.size))
    pieces = -(-lengths // RUN)
    runs = np.full(pieces.sum(), RUN - 1)
    runs[np.cumsum(pieces) - 1] = (lengths - 1) % RUN
    tokens = np.repeat(values[starts].astype(np.int64), pieces) << RUN_W | runs
    return pack_fields(tokens, np.full(tokens.size, value_w + RUN_W))


def decode_rle(stream: Bits, count: int, value_w: int) -> np.ndarray:
    """The `count` values of an RLE stream, int64; raises CorruptStream."""
    reader = FieldReader(stream)
    values: list[int] = []
    while len(values) < count:
        value = reader.take(value_w)
        values += [value] * (reader.take(RUN_W) + 1)
    reader.finish()
    return _exactly(values, count)


def encode_rlez(values: np.ndarray, value_w: int) -> Bits:
    """RLEZ: (zeros: 4 bits, value: value_w bits), 0..15 zeros and the value that follows them.

    A longer run is cut by tokens whose value is itself a zero; so is a run at the end.
    """
    values = values.reshape(-1).astype(np.int64)
    nonzero = np.flatnonzero(values)
    zeros = np.diff(np.concatenate([[-1], nonzero])) - 1
    tail = values.size - (nonzero[-1] + 1 if nonzero.size else 0)
    full = zeros // RUN  # tokens of 15 zeros and a zero
    ends = np.cumsum(full + 1) - 1
    total = int((full + 1).sum()) + -(-tail // RUN)
    tokens = np.full(total, (RUN - 1) << value_w)
    tokens[ends] = zeros % RUN << value_w | values[nonzero]
    if tail % RUN:
        tokens[-1] = tail % RUN - 1 << value_w
    return pack_fields(tokens, np.full(total, RUN_W + value_w))


def decode_rlez(stream: Bits, count: int, value_w: int) -> np.ndarray:
    """The `count` values of an RLEZ stream, int64; raises CorruptStream."""
    reader = FieldReader(stream)
    values: list[int] = []
    while len(values) < count:
        values += [0] * reader.take(RUN_W)
        values.append(reader.take(value_w))
    reader.finish()
    return _exactly(values, count)


def _exactly(values: list[int], count: int) -> np.ndarray:
    if len(values) != count:
        raise CorruptStream(f"the last run ends at value {len(values)} of {count}")
    return np.array(values, np.int64)
