# SPDX-License-Identifier: Apache-2.0
"""A block in memory: its header and its pieces, in whole memory words (docs/apack/format.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import CorruptStream
from .coder import EncodedBlock

HEADER_BYTES = 8
MOST_PIECES = (1 << 24) - 1
_POLYNOMIAL = 0x89  # x^7 + x^3 + 1


@dataclass(frozen=True)
class BlockHeader:
    """Number of pieces without padding, whether the block is raw, CRC-32 of its values."""

    pieces: int
    raw: bool
    crc: int

    def to_bytes(self) -> bytes:
        """The 8 bytes in front of the block's pieces, most significant bit first."""
        sized = self.pieces << 1 | self.raw
        return (sized << 39 | crc7(sized) << 32 | self.crc).to_bytes(HEADER_BYTES, "big")

    @classmethod
    def from_bytes(cls, data: bytes) -> BlockHeader:
        """The header in these 8 bytes; raises CorruptStream where the CRC-7 differs."""
        number = int.from_bytes(data[:HEADER_BYTES], "big")
        sized = number >> 39
        if crc7(sized) != number >> 32 & 0x7F:
            raise CorruptStream("the block's header does not match its CRC-7")
        return cls(sized >> 1, bool(sized & 1), number & 0xFFFFFFFF)


def crc7(sized: int) -> int:
    """CRC-7 of 25 bits, first bit most significant: polynomial x^7 + x^3 + 1, from 0."""
    rest = sized << 7
    for bit in reversed(range(7, 32)):
        if rest >> bit & 1:
            rest ^= _POLYNOMIAL << (bit - 7)
    return rest


def piece_bytes(block: EncodedBlock, word_bytes: int) -> bytes:
    """The block's pieces, big-endian, with zeros up to a whole memory word."""
    data = np.array(block.pieces, dtype=f">u{block.piece_w // 8}").tobytes()
    return data + bytes(-len(data) % word_bytes)
