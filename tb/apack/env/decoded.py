# SPDX-License-Identifier: Apache-2.0
"""Blocks as a decoder gets them, sound or not, and what the model makes of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Self

import numpy as np

from model.apack.coder import (
    OFFSETS,
    DecodedBlock,
    EncodedBlock,
    decode_pieces,
    encode_block,
    raw_block,
)  # fmt: skip
from model.apack.table import SymbolTable
from model.tensors import pattern_dtype
from tb.apack.env.memory_image import crc_of
from tb.apack.env.stimulus import hostile_values, random_values
from tb.apack.env.widths import CoderWidths


class Cause(IntFlag):
    """What can be wrong with a block."""

    HEADER = 1
    TRUNCATED = 2
    SHORT = 4
    LEFT = 8
    OFFSET = 16
    CRC = 32


def cause_of(block: EncodedBlock, found: DecodedBlock) -> Cause:
    """What decoding a block shows to be wrong with its pieces."""
    causes = {
        Cause.SHORT: len(found.owners) > len(block.pieces),
        Cause.LEFT: len(found.owners) < len(block.pieces),
        Cause.OFFSET: found.outside is not None,
    }
    return Cause(sum(cause for cause, there in causes.items() if there))


@dataclass(frozen=True)
class DecoderWidths(CoderWidths):
    """The parameters of a decoder, and what is legal for them."""

    streams: int

    @classmethod
    def of(cls, dut) -> Self:
        """Those that `dut` was built with."""
        return cls(*(int(getattr(dut, name.upper()).value) for name in cls.__dataclass_fields__))

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
        cause = cause_of(block, found)
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
        return crc_of(np.array(values, pattern_dtype(self.value_w)))


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
