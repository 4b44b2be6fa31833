# SPDX-License-Identifier: Apache-2.0
"""Writing a container."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...errors import InputError, shown
from ...tensors.files import write_whole
from ...tensors.statistics import as_patterns
from ...tensors.tensor import Tensor
from .. import fast
from ..coder import CODE_W
from ..table import SymbolTable
from .fields import FieldWriter
from .layout import HEADER_BYTES, build_header, padded_bytes, write_record
from .limits import check_directory_size, check_names, check_record
from .record import TensorRecord
from .streams import block_counts, copy_streams, starts_of, stream_bytes


@dataclass(frozen=True)
class PackedTensor:
    """A tensor ready to be written: its record, its block index and its blocks' streams."""

    record: TensorRecord
    index: bytes
    payload: bytes


def pack(
    tensor: Tensor,
    table: SymbolTable,
    block_values: int = fast.BLOCK_VALUES,
    code_w: int = CODE_W,
    word_bytes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> PackedTensor:
    """Encode a tensor; blocks that would grow are stored raw.

    word_bytes: streams are padded to words of so many bytes, 1, 2, 4 or 8. Raises InputError that
    names the tensor for a table of another value width, values that are no patterns of it, and
    whatever else a container cannot hold (`limits`).
    """
    record = _record_of(tensor, table, block_values, code_w, word_bytes)
    check_record(record)
    values = _patterns(tensor)
    encoded = fast.encode_blocks(values, table, block_values, code_w, progress)
    index, payload = _pack_blocks(values, encoded, record)
    record = replace(record, index_crc=zlib.crc32(index), payload_bytes=len(payload))
    return PackedTensor(record, index, payload)


def _record_of(
    tensor: Tensor, table: SymbolTable, block_values: int, code_w: int, word_bytes: int
) -> TensorRecord:
    """The record of a tensor of which nothing is coded yet."""
    if table.value_w != tensor.value_w:
        raise InputError(
            f"tensor {shown(tensor.name)} has values of {tensor.value_w} bits, "
            f"its table is for {table.value_w}"
        )
    return TensorRecord(
        tensor.name,
        np.shape(tensor.values),
        tensor.stored,
        tensor.dtype,
        tensor.scale,
        tensor.zero_point,
        tensor.axis,
        table,
        code_w,
        block_values,
        word_bytes,
        0,
        0,
    )


def _patterns(tensor: Tensor) -> np.ndarray:
    """The values in the type that the coder and the CRC-32 take, flat."""
    try:
        return as_patterns(tensor.values, tensor.value_w)
    except InputError as error:
        raise InputError(f"tensor {shown(tensor.name)}: {error}") from None


def write_container(path: str | Path, tensors: Iterable[PackedTensor]) -> int:
    """Write a container, whole or not at all; returns its size in bytes.

    Raises InputError when two tensors have the same name, and for what a container cannot hold.
    """
    tensors = list(tensors)
    check_names(tensor.record.name for tensor in tensors)
    fields = FieldWriter()
    for tensor in tensors:
        check_record(tensor.record)
        write_record(fields, tensor.record)
    directory = bytes(fields.data)
    check_directory_size(len(tensors), len(directory))
    position = HEADER_BYTES + len(directory)
    parts = [build_header(len(tensors), directory), directory]
    for tensor in tensors:
        record = replace(tensor.record, index_start=position)
        gap = record.payload_start - position - len(tensor.index)
        parts += [tensor.index, bytes(gap), tensor.payload]
        position = record.end
    write_whole(Path(path), parts)
    return position


def crc_of(values: np.ndarray) -> int:
    """CRC-32 of values: one byte each up to 8 bits, else two, low byte first."""
    return zlib.crc32(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())


def _pack_blocks(
    values: np.ndarray, encoded: fast.EncodedBlocks, record: TensorRecord
) -> tuple[bytes, bytes]:
    """The block index and the payload."""
    counts = block_counts(record)
    raw = _stored_raw(encoded, counts, record)
    index = np.zeros(record.blocks, dtype=record.entry_type)
    index["code_bits"] = np.where(raw, 0, encoded.code_bits)
    index["offset_bits"] = np.where(raw, counts * record.table.value_w, encoded.offset_bits)
    parts = np.split(values, starts_of(counts)[1:-1]) if record.blocks else []
    index["crc"] = [crc_of(part) for part in parts]

    code_bytes, offset_bytes = stream_bytes(record, index)
    starts = starts_of(code_bytes + offset_bytes)
    payload = np.zeros(starts[-1], dtype=np.uint8)
    middles = starts[:-1] + code_bytes
    coded_bits = np.where(raw, 0, encoded.offset_bits)
    code_bits = index["code_bits"].astype(np.int64)
    copy_streams(encoded.code, encoded.code_starts, code_bits, payload, starts)
    copy_streams(encoded.offsets, encoded.offset_starts, coded_bits, payload, middles)
    for block in np.flatnonzero(raw):
        stream = raw_stream(parts[block], record.table.value_w)
        payload[starts[block] : starts[block] + len(stream)] = stream
    return index.tobytes(), payload.tobytes()


def _stored_raw(
    encoded: fast.EncodedBlocks, counts: np.ndarray, record: TensorRecord
) -> np.ndarray:
    """Which blocks are larger coded than raw, in bits or in words: bool (blocks,)."""
    raw_bits = counts * record.table.value_w
    coded_bits = encoded.code_bits + encoded.offset_bits
    coded_bytes = padded_bytes(encoded.code_bits, record.word_bytes)
    coded_bytes = coded_bytes + padded_bytes(encoded.offset_bits, record.word_bytes)
    return (coded_bits > raw_bits) | (coded_bytes > padded_bytes(raw_bits, record.word_bytes))


def raw_stream(values: np.ndarray, value_w: int) -> np.ndarray:
    """Values verbatim, value_w bits each, MSB first, padded with zero bits to a byte: uint8."""
    if value_w == 8:
        return values
    bits = (values[:, None] >> np.arange(value_w - 1, -1, -1)) & 1
    return np.packbits(bits.astype(np.uint8))
