# SPDX-License-Identifier: Apache-2.0
"""Reading a container, lazily and without trusting it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from ...errors import CorruptStream, InputError, shown
from ...tensors.imposters import refuse_pointer
from ...tensors.tensor import Tensor
from .. import fast
from ..blocks import HEADER_BYTES as BLOCK_HEADER_BYTES
from ..blocks import BlockHeader
from ..coder import EncodedBlock
from .fields import FieldReader
from .layout import HEADER_BYTES, check_directory, parse_header, read_record
from .record import TensorRecord


@dataclass(frozen=True)
class StoredBlock:
    """One block as stored, and the CRC-32 of its values."""

    crc: int
    encoded: EncodedBlock


class Container:
    """A container open for reading; use it in a `with` statement.

    source: its path, or a binary file, which errors call "stream" and which is closed at the end.
    Opening reads header and directory only. Every error is one line that names the file; damage
    raises CorruptStream. Memory follows the file: at most 2**21 bytes for each block that it has
    room for, and values are produced only for the blocks asked for.
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
        self._tiles: dict[str, np.ndarray] = {}

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

    def tiles(self, record: TensorRecord) -> np.ndarray:
        """The tile table, checked: where in the payload each tile starts, int64 (tiles,) bytes."""
        if record.name not in self._tiles:
            with self._located(record):
                self._tiles[record.name] = self._read_tiles(record)
        return self._tiles[record.name]

    def blocks(self, record: TensorRecord) -> fast.EncodedBlocks:
        """All blocks as stored, their headers checked; raises CorruptStream."""
        tiles = self.tiles(record)
        with self._located(record):
            data = self._read_at(record.payload_start, record.payload_bytes)
            encoded = blocks_of(record, data, record.count)
            wrong = encoded.starts[: -1 : record.tile_blocks] != tiles
            if wrong.any():
                tile = int(wrong.argmax())
                raise CorruptStream(
                    f"tile {tile} does not start at byte {tiles[tile]} of the blocks"
                )
        return encoded

    def block(self, record: TensorRecord, block: int) -> StoredBlock:
        """One block as stored, read alone; raises InputError for one that there is not."""
        encoded = self._block_alone(record, block)
        return StoredBlock(int(encoded.crc[0]), encoded.block(0))

    def values_of_block(self, record: TensorRecord, block: int) -> np.ndarray:
        """The values of one block, read and decoded alone: unsigned patterns (count,)."""
        encoded = self._block_alone(record, block)
        with self._located(record):
            try:
                return fast.decode_blocks(encoded)
            except CorruptStream as error:
                raise CorruptStream(str(error).replace("block 0", f"block {block}", 1)) from None

    def read(self, record: TensorRecord, progress: Callable[[int], None] | None = None) -> Tensor:
        """A whole tensor; `progress` is called with the number of values just decoded."""
        encoded = self.blocks(record)
        with self._located(record):
            values = fast.decode_blocks(encoded, progress)
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
            record = replace(read_record(fields), start=position)
            position = record.end
            if position > self.file_bytes:
                raise CorruptStream(
                    f"cut short: tensor {shown(record.name)} ends at byte {position}, "
                    f"the file at {self.file_bytes}"
                )
            if not record.may_take(record.payload_bytes):
                raise CorruptStream(
                    f"tensor {shown(record.name)}: its {record.count} values cannot take "
                    f"{record.payload_bytes} bytes of blocks"
                )
            records.append(record)
        if fields.left:
            raise CorruptStream(f"directory: {fields.left} bytes left over")
        if position != self.file_bytes:
            raise CorruptStream(f"{self.file_bytes - position} bytes after the last tensor")
        if len({record.name for record in records}) != tensors:
            raise CorruptStream("directory: two tensors have the same name")
        return tuple(records)

    def _read_tiles(self, record: TensorRecord) -> np.ndarray:
        data = self._read_at(record.start, record.payload_start - record.start)
        gap = record.table_start - record.start
        if any(data[:gap]):
            raise CorruptStream("the bytes in front of the tile table are not zero")
        if zlib.crc32(data[gap:]) != record.tile_crc:
            raise CorruptStream("the tile table does not match its CRC-32")
        table = np.frombuffer(data[gap:], dtype="<u8")
        wrong = table >= record.payload_bytes
        wrong[:1] |= table[:1] > 0
        wrong[1:] |= table[1:] <= table[:-1]
        if wrong.any():
            tile = int(wrong.argmax())
            raise CorruptStream(f"tile {tile} cannot start at byte {table[tile]} of the blocks")
        return table.astype(np.int64)

    def _block_alone(self, record: TensorRecord, block: int) -> fast.EncodedBlocks:
        """One block, found by the tile table and the headers before it in its tile."""
        if not 0 <= block < record.blocks:
            raise InputError(
                f"{self.path}: tensor {shown(record.name)} has no block {block}; "
                f"it has {record.blocks}, numbered from 0"
            )
        tiles = np.append(self.tiles(record), record.payload_bytes)
        tile = block // record.tile_blocks
        start, end = (record.payload_start + int(place) for place in tiles[tile : tile + 2])
        with self._located(record):
            for number in range(tile * record.tile_blocks, block):
                start += self._block_bytes(record, number, start, end)
            data = self._read_at(start, self._block_bytes(record, block, start, end))
            return blocks_of(record, data, record.block_count(block))

    def _block_bytes(self, record: TensorRecord, block: int, start: int, end: int) -> int:
        """Bytes of the block at `start` of the file, whose tile ends at `end`."""
        data = self._read_at(start, min(BLOCK_HEADER_BYTES, end - start))
        try:
            header = BlockHeader.from_bytes(data)
        except CorruptStream as error:
            raise CorruptStream(f"block {block}: {error}") from None
        size = record.block_bytes(header.pieces)
        if size > end - start or not record.may_have(header, record.block_count(block)):
            raise CorruptStream(f"block {block}: it cannot have {header.pieces} pieces")
        return size

    def _read_at(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        data = self._file.read(size)
        if len(data) != size:
            raise CorruptStream("cut short while it was read")
        return data

    @contextmanager
    def _located(self, record: TensorRecord) -> Iterator[None]:
        """Puts the names of file and tensor in front of what is found to be damaged."""
        try:
            yield
        except CorruptStream as error:
            raise CorruptStream(f"{self.path}: tensor {shown(record.name)}: {error}") from None


def blocks_of(record: TensorRecord, data: bytes, count: int) -> fast.EncodedBlocks:
    """The blocks of `count` values that stand in `data`, found by their headers.

    Raises CorruptStream, which names the block, for a wrong header and for data left over.
    """
    return fast.EncodedBlocks.of(
        data,
        count,
        record.block_values,
        record.table,
        record.code_w,
        record.streams,
        record.word_bytes,
    )
