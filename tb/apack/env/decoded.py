# SPDX-License-Identifier: Apache-2.0
"""Blocks as a decoder gets them, sound or not, and what the model makes of them."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Self

import numpy as np

from model.apack.coder import (
    OFFSETS,
    EncodedBlock,
    decode_pieces,
    encode_block,
    piece_width,
    raw_block,
)  # fmt: skip
from model.apack.table import SymbolTable
from tb.apack.env.stimulus import hostile_values, random_table, random_values


class Cause(IntFlag):
    """What can be wrong with a block."""

    HEADER = 1
    TRUNCATED = 2
    SHORT = 4
    LEFT = 8
    OFFSET = 16
    CRC = 32


@dataclass(frozen=True)
class DecoderWidths:
    """The parameters of a decoder, and what is legal for them."""

    streams: int
    value_w: int
    symbols: int
    count_w: int
    code_w: int

    @classmethod
    def of(cls, dut) -> Self:
        """Those that `dut` was built with."""
        return cls(*(int(getattr(dut, name.upper()).value) for name in cls.__dataclass_fields__))

    @property
    def piece_w(self) -> int:
        """Bits of a piece."""
        return piece_width(SymbolTable.uniform(self.value_w, 1, self.count_w))

    def random_table(self) -> SymbolTable:
        """A legal table."""
        return random_table(self.value_w, self.symbols, self.count_w)

    def any_values(self, table: SymbolTable, length: int) -> np.ndarray:
        """Values of a block, one time in five hostile ones."""
        if length and random.random() < 0.2:
            return hostile_values(table, length, self.code_w)
        return random_values(table, length)

    def encoded(
        self, values: Sequence[int], table: SymbolTable, word_bytes: int = 8
    ) -> EncodedBlock:
        """The block of these values."""
        values = np.array(values, np.uint16)
        return encode_block(values, table, self.streams, self.code_w, word_bytes)

    def raw(self, values: Sequence[int], table: SymbolTable) -> EncodedBlock:
        """The block of these values verbatim."""
        return raw_block(np.array(values, np.uint16), table)

    def random_pieces(self, count: int, number: int, raw: bool) -> EncodedBlock:
        """A block of any pieces, some of them all alike, all zeros or all ones."""
        draw = random.choice((self._any_piece, lambda: 0, lambda: (1 << self.piece_w) - 1))
        each = random.choice((draw, self._any_piece))
        return EncodedBlock(count, raw, self.piece_w, tuple(each() for _ in range(number)))

    def _any_piece(self) -> int:
        return random.getrandbits(self.piece_w)

    def decoded(self, block: EncodedBlock, table: SymbolTable) -> tuple[list[int], Cause, int]:
        """Values, what is wrong but for the CRC, and how many pieces the values take."""
        found = decode_pieces(block, table, self.streams, self.code_w)
        cause = Cause(0)
        if len(found.owners) > len(block.pieces):
            cause |= Cause.SHORT
        if len(found.owners) < len(block.pieces):
            cause |= Cause.LEFT
        if found.outside is not None:
            cause |= Cause.OFFSET
        return [int(value) for value in found.values], cause, len(found.owners)

    def other_offsets(self, block: EncodedBlock, table: SymbolTable) -> EncodedBlock:
        """The block with other offsets, many beyond their groups; symbols and order stay."""
        if block.raw:
            return block
        pieces, most = list(block.pieces), (1 << self.piece_w) - 1
        owners = decode_pieces(block, table, self.streams, self.code_w).owners
        for place, owner in enumerate(owners[: len(pieces)]):
            if owner == OFFSETS:
                pieces[place] = random.choice((most, self._any_piece(), pieces[place]))
        return replace(block, pieces=tuple(pieces))

    def crc(self, values: Sequence[int]) -> int:
        """The CRC-32 of a block's values."""
        return zlib.crc32(np.array(values, "<u1" if self.value_w <= 8 else "<u2").tobytes())


def damaged(block: EncodedBlock) -> EncodedBlock:
    """The block with some bits of its pieces inverted, or some pieces more or fewer."""
    pieces = list(block.pieces)
    if random.random() < 0.6:
        for _ in range(random.randint(1, 3)):
            pieces[random.randrange(len(pieces))] ^= 1 << random.randrange(block.piece_w)
    elif random.random() < 0.5:
        place = random.randrange(len(pieces))
        pieces = pieces[:place] + pieces[place + random.randint(1, 3) :]
    else:
        place = random.randint(0, len(pieces))
        more = [random.getrandbits(block.piece_w) for _ in range(random.randint(1, 5))]
        pieces[place:place] = more
    return replace(block, pieces=tuple(pieces or (0,)))
