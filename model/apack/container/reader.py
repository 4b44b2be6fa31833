# SPDX-License-Identifier: Apache-2.0
"""Reading a container, lazily and without trusting it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from ...bitstream.bits import Bits
from ...errors import CorruptStream, InputError, shown
from ...tensors.imposters import refuse_pointer
from ...tensors.quantize import pattern_dtype
from ...tensors.tensor import Tensor
from .. import fast
from ..coder import EncodedBlock, Fault
from .fields import FieldReader
from .layout import HEADER_BYTES, check_directory, padded_bytes, parse_header, read_record
from .record import TensorRecord
from .streams import block_counts, copy_streams, first_unclean, starts_of, stream_bytes
from .writer import crc_of

_CHUNK_VALUES = 1 << 22


@dataclass(frozen=True)
class StoredBlock:
    """One block as stored. A raw block has no code bits, and its values verbatim in `offsets`."""

    raw: bool
    crc: int
    encoded: EncodedBlock


class Container:
    """A container open for reading; use it in a `with` statement.

    source: its path, or a binary file, which errors call "stream" and which is closed at the end.
    Opening reads header and directory only. Every error is one line that names the file; damage
    raises CorruptStream. Memory follows the file: at most 2**17 bytes for each index entry in it,
    and values are produced only for the blocks asked for.
    """

    def __init__(self, source: str | Path | BinaryIO) -> None:
        if isinstance(source, str | Path):
            self.path = Path(source)
            self._file = self.path.open("rb")
        else:
            self.path, self._file = Path("stream"), source
        try:
            if not self._file.seekable():
                raise InputError("a pipe, which cannot be read at any place; write it to a file")
            self.file_bytes = self._file.seek(0, os.SEEK_END)
            self._file.seek(0)
            self.tensors = self._read_directory()
        except InputError as error:
            self._file.close()
            raise type(error)(f"{self.path}: {error}") from None
        except BaseException:
            self._file.close()
            raise
        self._indexes: dict[str, np.ndarray] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def record(self, name: str) -> TensorRecord:
        """The record of a tensor; raises InputError when there is none of this name."""
        for record in self.tensors:
            if record.name == name:
                return record
        raise InputError(f"{self.path}: no tensor {shown(name)}; `info` lists the tensors")

    def index(self, record: TensorRecord) -> np.ndarray:
        """The block index, checked: fields code_bits, offset_bits, crc; shape (blocks,)."""
        if record.name not in self._indexes:
            try:
                self._indexes[record.name] = self._read_index(record)
            except CorruptStream as error:
                raise self._located(record, error) from None
        return self._indexes[record.name]

    def block(self, record: TensorRecord, block: int) -> StoredBlock:
        """One block as stored, read alone."""
        self._check_block(record, block)
        entry = self.index(record)[block]
        raw = bool(entry["code_bits"] == 0)
        payload, starts, middles = self._read_payload(record, block, block + 1)
        code = _cut(payload, starts[0], entry["code_bits"])
        offsets = _cut(payload, middles[0], entry["offset_bits"])
        return StoredBlock(
            raw, int(entry["crc"]), EncodedBlock(record.block_count(block), code, offsets)
        )

    def values_of_block(self, record: TensorRecord, block: int) -> np.ndarray:
        """The values of one block, read and decoded alone: unsigned patterns (count,)."""
        self._check_block(record, block)
        return self._decode(record, block, block + 1)

    def read(self, record: TensorRecord, progress: Callable[[int], None] | None = None) -> Tensor:
        """A whole tensor; `progress` is called with the number of values just decoded."""
        chunk = max(1, _CHUNK_VALUES // record.block_values)
        self.index(record)
        values = np.zeros(record.count, dtype=pattern_dtype(record.table.value_w))
        for first in range(0, record.blocks, chunk):
            last = min(first + chunk, record.blocks)
            part = self._decode(record, first, last)
            values[first * record.block_values :][: len(part)] = part
            if progress is not None:
                progress(len(part))
        return Tensor(
            record.name,
            values.reshape(record.shape),
            record.source,
            record.table.value_w,
            record.scale,
            record.zero_point,
            stored=record.stored,
            axis=record.axis,
        )

    def _read_directory(self) -> tuple[TensorRecord, ...]:
        header = self._file.read(HEADER_BYTES)
        refuse_pointer(header)
        tensors, directory_bytes, crc = parse_header(header, self.file_bytes)
        directory = self._file.read(directory_bytes)
        check_directory(header, directory, crc)
        fields = FieldReader(directory)
        records: list[TensorRecord] = []
        position = HEADER_BYTES + directory_bytes
        for _ in range(tensors):
            record = replace(read_record(fields), index_start=position)
            position = record.end
            if position > self.file_bytes:
                raise CorruptStream(
                    f"cut short: tensor {shown(record.name)} ends at byte {position}, "
                    f"the file at {self.file_bytes}"
                )
            records.append(record)
        if fields.left:
            raise CorruptStream(f"directory: {fields.left} bytes left over")
        if position != self.file_bytes:
            raise CorruptStream(f"{self.file_bytes - position} bytes after the last tensor")
        if len({record.name for record in records}) != tensors:
            raise CorruptStream("directory: two tensors have the same name")
        return tuple(records)

    def _read_index(self, record: TensorRecord) -> np.ndarray:
        data = self._read_at(record.index_start, record.payload_start - record.index_start)
        if zlib.crc32(data[: record.index_bytes]) != record.index_crc:
            raise CorruptStream("the block index does not match its CRC-32")
        if any(data[record.index_bytes :]):
            raise CorruptStream("the bytes between index and blocks are not zero")
        index = np.frombuffer(data[: record.index_bytes], dtype=record.entry_type)
        _check_index(record, index)
        return index

    def _read_payload(
        self, record: TensorRecord, first: int, last: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The bytes of some blocks, and where in them each code and offset stream starts."""
        index = self.index(record)
        code_bytes, offset_bytes = stream_bytes(record, index)
        starts = starts_of(code_bytes + offset_bytes)[first : last + 1]
        data = self._read_at(record.payload_start + int(starts[0]), int(starts[-1] - starts[0]))
        payload = np.frombuffer(data, dtype=np.uint8)
        starts = starts[:-1] - starts[0]
        middles = starts + code_bytes[first:last]
        for at, field, sizes in (
            (starts, "code_bits", code_bytes),
            (middles, "offset_bits", offset_bytes),
        ):
            bits = index[field][first:last].astype(np.int64)
            unclean = first_unclean(payload, at, bits, sizes[first:last])
            if unclean >= 0:
                error = CorruptStream("the padding of a stream is not zero")
                raise self._located(record, error, first + int(unclean))
        return payload, starts, middles

    def _decode(self, record: TensorRecord, first: int, last: int) -> np.ndarray:
        """The values of some blocks, each checked against its CRC-32."""
        index = self.index(record)[first:last]
        payload, starts, middles = self._read_payload(record, first, last)
        counts = block_counts(record)[first:last]
        parts = np.split(
            np.zeros(counts.sum(), dtype=pattern_dtype(record.table.value_w)),
            starts_of(counts)[1:-1],
        )
        coded = np.flatnonzero(index["code_bits"])
        for block, values in zip(
            coded, self._decode_coded(record, first, coded, payload, starts, middles), strict=True
        ):
            parts[block] = values
        for block in np.flatnonzero(index["code_bits"] == 0):
            stream = _cut(payload, starts[block], index["offset_bits"][block])
            parts[block] = _raw_values(stream, int(counts[block]), record)
        for block, part in enumerate(parts):
            if crc_of(part) != index["crc"][block]:
                error = CorruptStream("the values do not match their CRC-32")
                raise self._located(record, error, first + block)
        return np.concatenate(parts)

    def _decode_coded(
        self,
        record: TensorRecord,
        first: int,
        coded: np.ndarray,
        payload: np.ndarray,
        starts: np.ndarray,
        middles: np.ndarray,
    ) -> list[np.ndarray]:
        """The values of the blocks `coded` (numbered from `first`), of which the last is short."""
        if not len(coded):
            return []
        counts = block_counts(record)[first + coded]
        index = self.index(record)[first + coded]
        code_bits = index["code_bits"].astype(np.int64)
        offset_bits = index["offset_bits"].astype(np.int64)
        encoded = fast.EncodedBlocks(
            int(counts.sum()),
            record.block_values,
            record.table,
            record.code_w,
            code_bits,
            offset_bits,
            _gathered(payload, starts[coded], code_bits),
            _gathered(payload, middles[coded], offset_bits),
        )
        values, faults, positions = fast.decode_with_faults(encoded)
        if faults.any():
            row = int(np.flatnonzero(faults)[0])
            fault = Fault(int(faults[row]))
            error = fault.error(int(positions[row]), int(counts[row]))
            raise self._located(record, error, first + int(coded[row]))
        return np.split(values, starts_of(counts)[1:-1])

    def _read_at(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        data = self._file.read(size)
        if len(data) != size:
            raise CorruptStream(f"{self.path}: cut short while it was read")
        return data

    def _check_block(self, record: TensorRecord, block: int) -> None:
        if not 0 <= block < record.blocks:
            raise InputError(
                f"{self.path}: tensor {shown(record.name)} has no block {block}; "
                f"it has {record.blocks}, numbered from 0"
            )

    def _located(
        self, record: TensorRecord, error: CorruptStream, block: int | None = None
    ) -> CorruptStream:
        where = "" if block is None else f", block {block}"
        return CorruptStream(f"{self.path}: tensor {shown(record.name)}{where}: {error}")


def _check_index(record: TensorRecord, index: np.ndarray) -> None:
    """Raise CorruptStream for lengths that no block of this record can have."""
    code_bytes, offset_bytes = stream_bytes(record, index)
    raw_bits = block_counts(record) * record.table.value_w
    raw = index["code_bits"] == 0
    wrong_raw = raw & (index["offset_bits"] != raw_bits)
    longer = code_bytes + offset_bytes > padded_bytes(raw_bits, record.word_bytes)
    wrong = wrong_raw | (~raw & ((index["code_bits"] < 2) | longer))
    if wrong.any():
        block = int(wrong.argmax())
        raise CorruptStream(
            f"index entry {block}: {index['code_bits'][block]} code bits and "
            f"{index['offset_bits'][block]} offset bits are impossible"
        )
    if int((code_bytes + offset_bytes).sum()) != record.payload_bytes:
        raise CorruptStream(
            f"the index sums to {int((code_bytes + offset_bytes).sum())} bytes of blocks, "
            f"the directory says {record.payload_bytes}"
        )


def _cut(payload: np.ndarray, start: int, bits: int) -> Bits:
    return Bits(int(bits), payload[start : start + padded_bytes(int(bits), 1)].tobytes())


def _gathered(payload: np.ndarray, starts: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """The streams that start there, one after the other as `EncodedBlocks` holds them."""
    targets = starts_of(padded_bytes(bits, fast.WORD_BYTES))
    streams = np.zeros(targets[-1], dtype=np.uint8)
    copy_streams(payload, starts, bits, streams, targets)
    return streams


def _raw_values(stream: Bits, count: int, record: TensorRecord) -> np.ndarray:
    value_w = record.table.value_w
    if value_w == 8:
        return np.frombuffer(stream.data, dtype=np.uint8)
    bits = stream.array().reshape(count, value_w)
    weights = 1 << np.arange(value_w - 1, -1, -1)
    return (bits @ weights).astype(pattern_dtype(record.table.value_w))
