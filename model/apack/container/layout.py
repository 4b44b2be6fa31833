# SPDX-License-Identifier: Apache-2.0
"""The layout of a container: header and directory records.

docs/apack/format.md, sections 2 and 3, defines what is written here.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from ...errors import CorruptStream, InputError, shown
from ..coder import CODE_W_RANGE, STREAM_COUNTS
from ..fast import MOST_BLOCK_VALUES, WORD_BYTES_CHOICES
from ..table import COUNT_W_RANGE, VALUE_W_RANGE, SymbolTable
from .fields import FieldReader, FieldWriter
from .limits import (
    MAX_DIMENSIONS,
    MAX_TILE_BLOCKS,
    MAX_VALUES,
    STORED_TYPES,
    check_record,
)
from .record import TensorRecord

MAGIC = b"\x89APACK\r\n"
VERSION = 2
_TABLES = 1

# Fields that say how values are coded, in their order, and the largest number of each.
_CODING = {
    "code_w": CODE_W_RANGE.stop - 1,
    "streams": STREAM_COUNTS[-1],
    "block_values": MOST_BLOCK_VALUES,
    "word_bytes": WORD_BYTES_CHOICES[-1],
    "tile_blocks": MAX_TILE_BLOCKS,
}
_HEADER = struct.Struct("<8sHHII")
_CRC = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CRC.size


def build_header(tensors: int, directory: bytes) -> bytes:
    """The header for a directory that describes so many tensors."""
    fields = _HEADER.pack(MAGIC, VERSION, 0, tensors, len(directory))
    return fields + _CRC.pack(zlib.crc32(directory, zlib.crc32(fields)))


def parse_header(header: bytes, file_bytes: int) -> tuple[int, int, int]:
    """Number of tensors, size of the directory, and the CRC-32 of both."""
    if header[: len(MAGIC)] != MAGIC:
        raise InputError("not an APack container")
    if len(header) < HEADER_BYTES:
        raise CorruptStream(f"header cut short: {len(header)} of {HEADER_BYTES} bytes")
    _, version, reserved, tensors, directory_bytes = _HEADER.unpack_from(header)
    if version != VERSION:
        raise InputError(f"container version {version}; this program reads version {VERSION}")
    if reserved:
        raise CorruptStream(f"header: the reserved field is {reserved}, not 0")
    if directory_bytes > file_bytes - HEADER_BYTES:
        raise CorruptStream(
            f"header: a directory of {directory_bytes} bytes in a file of {file_bytes}"
        )
    return tensors, directory_bytes, _CRC.unpack_from(header, _HEADER.size)[0]


def check_directory(header: bytes, directory: bytes, crc: int) -> None:
    """Raise CorruptStream unless header and directory have this CRC-32."""
    if zlib.crc32(directory, zlib.crc32(header[: _HEADER.size])) != crc:
        raise CorruptStream("header and directory do not match their CRC-32")


def write_record(fields: FieldWriter, record: TensorRecord) -> None:
    """Append a tensor's directory record."""
    fields.text(record.name)
    fields.integer(STORED_TYPES.index(record.stored))
    fields.text("" if record.source == record.stored else record.source)
    fields.integer(len(record.shape))
    for length in record.shape:
        fields.integer(length)
    _write_quantization(fields, record)
    _write_table(fields, record.table)
    for field in _CODING:
        fields.integer(getattr(record, field))
    fields.packed("<I", record.tile_crc)
    fields.integer(record.payload_bytes)


def read_record(fields: FieldReader) -> TensorRecord:
    """The next directory record; raises CorruptStream when a field is out of range."""
    name = fields.text("the name of a tensor")
    try:
        record = _read_named_record(fields, name)
    except CorruptStream as error:
        raise CorruptStream(f"tensor {shown(name)}: {error}") from None
    try:
        check_record(record)
    except InputError as error:
        raise CorruptStream(str(error)) from None
    return record


def _read_named_record(fields: FieldReader, name: str) -> TensorRecord:
    stored = STORED_TYPES[fields.integer("stored type", 0, len(STORED_TYPES) - 1)]
    source = fields.text("source type") or stored
    dimensions = fields.integer("number of dimensions", 0, MAX_DIMENSIONS)
    shape = tuple(fields.integer("dimension", 0, MAX_VALUES) for _ in range(dimensions))
    scale, zero_point, axis = _read_quantization(fields, dimensions)
    table = _read_table(fields)
    coding = [fields.integer(field, 1, most) for field, most in _CODING.items()]
    (tile_crc,) = fields.packed("<I")
    payload_bytes = fields.integer("payload_bytes", 0, MAX_VALUES)
    return TensorRecord(
        name,
        shape,
        stored,
        source,
        scale,
        zero_point,
        axis,
        table,
        *coding,
        tile_crc,
        payload_bytes,
    )


def _write_quantization(fields: FieldWriter, record: TensorRecord) -> None:
    scale = np.array(record.scale)
    with np.errstate(over="ignore"):
        single = scale.astype(np.float32)
    layout = "f" if np.array_equal(scale, single) else "d"
    fields.integer(len(scale))
    if len(scale):
        fields.integer(struct.calcsize(layout))
        fields.packed(f"<{len(scale)}{layout}", *scale)
    zero_point = record.zero_point[:1] if len(set(record.zero_point)) == 1 else record.zero_point
    fields.integer(len(zero_point))
    fields.packed(f"<{len(zero_point)}i", *zero_point)
    fields.integer(0 if record.axis is None else record.axis + 1)


def _read_quantization(
    fields: FieldReader, dimensions: int
) -> tuple[tuple[float, ...], tuple[int, ...], int | None]:
    scales = fields.integer("number of scales", 0, fields.left // 4)
    scale: tuple[float, ...] = ()
    if scales:
        size = fields.integer("bytes of a scale", 4, 8)
        if size not in (4, 8):
            raise CorruptStream(f"directory: a scale of {size} bytes")
        scale = fields.packed(f"<{scales}{'f' if size == 4 else 'd'}")
    zero_points = fields.integer("number of zero points", 0, fields.left // 4)
    if zero_points > 1 and zero_points != scales:
        raise CorruptStream(f"directory: {zero_points} zero points for {scales} scales")
    zero_point = fields.packed(f"<{zero_points}i")
    axis = fields.integer("quantization axis", 0, dimensions)
    return scale, zero_point * max(1, scales // max(1, zero_points)), axis - 1 if axis else None


def _write_table(fields: FieldWriter, table: SymbolTable) -> None:
    fields.integer(table.value_w)
    fields.integer(table.count_w)
    fields.integer(_TABLES)
    fields.integer(table.groups)
    for size, count in zip(table.sizes, table.counts, strict=True):
        fields.integer(size)
        fields.integer(count)


def _read_table(fields: FieldReader) -> SymbolTable:
    value_w = fields.integer("value_w", VALUE_W_RANGE.start, VALUE_W_RANGE.stop - 1)
    count_w = fields.integer("count_w", COUNT_W_RANGE.start, COUNT_W_RANGE.stop - 1)
    fields.integer("number of tables", _TABLES, _TABLES)
    groups = fields.integer("number of groups", 1, fields.left // 2)
    ends, cum = [0], [0]
    for row in range(groups):
        ends.append(ends[-1] + fields.integer(f"size of group {row}", 1, 1 << value_w))
        cum.append(cum[-1] + fields.integer(f"count of group {row}", 1, 1 << count_w))
    if ends[-1] != 1 << value_w:
        raise CorruptStream(f"directory: the groups cover {ends[-1]} of {1 << value_w} values")
    if cum[-1] != 1 << count_w:
        raise CorruptStream(f"directory: the counts sum to {cum[-1]}, not {1 << count_w}")
    return SymbolTable(value_w, count_w, tuple(ends[:-1]), tuple(cum))
