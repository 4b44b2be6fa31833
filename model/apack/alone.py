# SPDX-License-Identifier: Apache-2.0
"""Values alone, in one string of bits: their symbol table, their tile table and their blocks."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np

from ..bitstream.bits import Bits
from ..errors import CorruptStream
from ..tensors.quantize import pattern_dtype
from ..tensors.statistics import histogram
from ..tensors.tensor import Tensor
from .container import Container, pack
from .container.fields import FieldReader, FieldWriter
from .container.layout import build_header, read_record, write_record
from .solver import solve


def encode_apack(values: np.ndarray, value_w: int) -> Bits:
    """A container's record, tile table and blocks of values (count,), under their best table."""
    stored = np.dtype(pattern_dtype(value_w)).name
    table = solve(histogram(values, value_w), value_w)
    packed = pack(Tensor("", values.reshape(-1), stored, value_w), table)
    record = FieldWriter()
    write_record(record, packed.record)
    data = bytes(record.data) + packed.tile_table + packed.payload
    return Bits(8 * len(data), data)


def decode_apack(stream: Bits, count: int, value_w: int) -> np.ndarray:
    """The `count` values of such a string, int64; raises CorruptStream."""
    if stream.bits % 8:
        raise CorruptStream(f"{stream.bits} bits are no whole bytes")
    fields = FieldReader(stream.data)
    record = read_record(fields)
    if (record.count, record.table.value_w) != (count, value_w):
        raise CorruptStream(
            f"{record.count} values of {record.table.value_w} bits, not {count} of {value_w}"
        )
    place = len(stream.data) - fields.left
    start = build_header(1, stream.data[:place]) + stream.data[:place]
    gap = bytes(replace(record, start=len(start)).table_start - len(start))
    with Container(io.BytesIO(start + gap + stream.data[place:])) as container:
        return container.read(container.tensors[0]).values.astype(np.int64)
