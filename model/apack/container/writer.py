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
from ..coder import CODE_W, STREAMS
from ..table import SymbolTable
from .fields import FieldWriter
from .layout import HEADER_BYTES, build_header, write_record
from .limits import check_directory_size, check_names, check_record
from .record import TensorRecord

TILE_BLOCKS = 16


@dataclass(frozen=True)
class PackedTensor:
    """A tensor ready to be written: its record, its tile table and its blocks."""

    record: TensorRecord
    tile_table: bytes
    payload: bytes


def pack(
    tensor: Tensor,
    table: SymbolTable,
    block_values: int = fast.BLOCK_VALUES,
    code_w: int = CODE_W,
    streams: int = STREAMS,
    word_bytes: int = fast.WORD_BYTES,
    tile_blocks: int = TILE_BLOCKS,
    progress: Callable[[int], None] | None = None,
) -> PackedTensor:
    """Encode a tensor; blocks that would grow are stored raw.

    block_values: values in a block; streams: code streams that they are dealt to; word_bytes:
    blocks are padded to words of so many bytes, 2, 4 or 8; tile_blocks: blocks for each entry of
    the tile table. `progress` is called with the number of values just encoded. Raises InputError
    that names the tensor for a table of another value width, values that are no patterns of it, and
    whatever else a container cannot hold (`limits`).
    """
    if table.value_w != tensor.value_w:
        raise InputError(
            f"tensor {shown(tensor.name)} has values of {tensor.value_w} bits, "
            f"its table is for {table.value_w}"
        )
    record = TensorRecord(
        tensor.name,
        np.shape(tensor.values),
        tensor.stored,
        tensor.dtype,
        tensor.scale,
        tensor.zero_point,
        tensor.axis,
        table,
        code_w,
        streams,
        block_values,
        word_bytes,
        tile_blocks,
    )
    check_record(record)
    values = _patterns(tensor)
    encoded = fast.encode_blocks(values, table, block_values, code_w, streams, word_bytes, progress)
    tile_table = encoded.starts[:-1:tile_blocks].astype("<u8").tobytes()
    payload = encoded.data.tobytes()
    record = replace(record, tile_crc=zlib.crc32(tile_table), payload_bytes=len(payload))
    return PackedTensor(record, tile_table, payload)


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
        record = replace(tensor.record, start=position)
        parts += [bytes(record.table_start - position), tensor.tile_table, tensor.payload]
        position = record.end
    write_whole(Path(path), parts)
    return position
