# SPDX-License-Identifier: Apache-2.0
"""The record of a tensor in a container."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...tensors.types import Coding, coding_of
from ..table import SymbolTable


@dataclass(frozen=True)
class TensorRecord:
    """What the directory says of one tensor, and where in the file its parts are.

    stored: integer type of the values; source: type of the tensor before quantization, often the
    same. scale, zero_point and axis: as in `model.tensors.Tensor`. Positions are in bytes.
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
    block_values: int
    word_bytes: int
    index_crc: int
    payload_bytes: int
    index_start: int = 0

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

    @cached_property
    def entry_type(self) -> np.dtype:
        """Layout of an index entry; lengths take 2 bytes where a raw block has under 2**16 bits."""
        length = "<u2" if self.block_values * self.table.value_w < 1 << 16 else "<u4"
        return np.dtype([("code_bits", length), ("offset_bits", length), ("crc", "<u4")])

    @property
    def index_bytes(self) -> int:
        """Size of the block index."""
        return self.blocks * self.entry_type.itemsize

    @property
    def payload_start(self) -> int:
        """First byte of the first block: the index, then zero bytes up to a whole word."""
        end = self.index_start + self.index_bytes
        return end + -end % self.word_bytes

    @property
    def end(self) -> int:
        """First byte after this tensor."""
        return self.payload_start + self.payload_bytes

    def block_count(self, block: int) -> int:
        """Number of values in a block."""
        return min(self.block_values, self.count - block * self.block_values)
