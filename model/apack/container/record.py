# SPDX-License-Identifier: Apache-2.0
"""The record of a tensor in a container."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from ...tensors.types import Coding, coding_of
from ..blocks import HEADER_BYTES, BlockHeader
from ..coder import piece_width
from ..table import SymbolTable


@dataclass(frozen=True)
class TensorRecord:
    """What the directory says of one tensor, and where in the file its parts are.

    stored: integer type of the values; source: type of the tensor before quantization, often the
    same. scale, zero_point and axis: as in `model.tensors.Tensor`. Positions are in bytes; `start`
    is where the tensor before it ends.
    """

    name: str
    shape: tuple[int, ...]
    stored: str
    source: str
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None
    table: SymbolTable
    code_w: int
    streams: int
    block_values: int
    word_bytes: int
    tile_blocks: int
    tile_crc: int = 0
    payload_bytes: int = 0
    start: int = 0

    @property
    def coding(self) -> Coding:
        """As in `model.tensors.Tensor`."""
        return coding_of(self.source, self.stored, self.table.value_w, self.scale, self.zero_point)

    @cached_property
    def count(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.count // self.block_values)

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return -(-self.blocks // self.tile_blocks)

    @property
    def table_start(self) -> int:
        """First byte of the tile table, behind zero bytes up to a multiple of 8."""
        return self.start + -self.start % 8

    @property
    def payload_start(self) -> int:
        """First byte of the first block."""
        return self.table_start + 8 * self.tiles

    @property
    def end(self) -> int:
        """First byte after this tensor."""
        return self.payload_start + self.payload_bytes

    def block_count(self, block: int) -> int:
        """Number of values in a block."""
        return min(self.block_values, self.count - block * self.block_values)

    def block_bytes(self, pieces: int) -> int:
        """Bytes of a block of so many pieces: its header, the pieces, and zeros up to a word."""
        size = pieces * piece_width(self.table) // 8
        return HEADER_BYTES + size + -size % self.word_bytes

    def raw_bytes(self, count: int) -> int:
        """Bytes of a block of `count` values stored verbatim."""
        return self.block_bytes(self._raw_pieces(count))

    def may_have(self, header: BlockHeader, count: int) -> bool:
        """Whether a block of `count` values can have this header's number of pieces."""
        if header.raw:
            return header.pieces == self._raw_pieces(count)
        size = self.block_bytes(header.pieces)
        return header.pieces >= self._first_pieces and size <= self.raw_bytes(count)

    def may_take(self, payload_bytes: int) -> bool:
        """Whether this tensor's blocks can take so many bytes together."""
        least = most = 0
        for blocks, count in (
            (self.count // self.block_values, self.block_values),
            (1, self.count % self.block_values),
        ):
            if count:
                fewest = min(self._raw_pieces(count), self._first_pieces)
                least += blocks * self.block_bytes(fewest)
                most += blocks * self.raw_bytes(count)
        return least <= payload_bytes <= most

    @property
    def _first_pieces(self) -> int:
        """The fewest pieces of a coded block: those that its streams begin with."""
        return self.streams * -(-self.code_w // piece_width(self.table))

    def _raw_pieces(self, count: int) -> int:
        """Pieces of `count` values stored verbatim."""
        return -(-count * self.table.value_w // piece_width(self.table))
