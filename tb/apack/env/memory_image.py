# SPDX-License-Identifier: Apache-2.0
"""A tensor as the units see it in memory: one sequence of words, block after block.

A block is its header and its pieces, padded to whole words (docs/apack/format.md); the expected
bytes are the model's. Byte lane i of a word on the bus is byte i in memory, so that a word's number
has its first byte in the lowest bits.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from model.apack import EncodedBlock, SymbolTable
from model.apack.blocks import HEADER_BYTES, BlockHeader
from model.apack.coder import piece_width
from model.apack.fast import EncodedBlocks, decode_blocks, encode_blocks

if TYPE_CHECKING:
    from tb.bus.frames import Frame

HEADER_BITS = 8 * HEADER_BYTES


@dataclass(frozen=True)
class MemoryImage:
    """What a compressor writes for one tensor, and what a decompressor reads back.

    count: values of the tensor, of which block_values are in a block.
    word_w: bits of a memory word.
    words: numbers on the memory port, in order; they may have been damaged.
    """

    count: int
    block_values: int
    table: SymbolTable
    word_w: int
    code_w: int
    streams: int
    words: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        values: np.ndarray,
        table: SymbolTable,
        block_values: int,
        word_w: int,
        code_w: int = 16,
        streams: int = 4,
    ) -> Self:
        """The image of values (count,), which are unsigned patterns, by the model."""
        image = cls(len(values), block_values, table, word_w, code_w, streams)
        encoded = encode_blocks(values, table, block_values, code_w, streams, word_w // 8, cores=1)
        return image.with_payload(encoded.data.tobytes())

    # -- what is in it, if it is sound

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.count // self.block_values)

    @property
    def piece_w(self) -> int:
        """Bits of a piece."""
        return piece_width(self.table)

    @property
    def header_words(self) -> int:
        """Words of a header."""
        return HEADER_BITS // self.word_w

    @cached_property
    def payload(self) -> bytes:
        """The words as bytes in memory."""
        return np.array(self.words, dtype=f"<u{self.word_w // 8}").tobytes()

    @cached_property
    def headers(self) -> tuple[BlockHeader, ...]:
        """The header of each block."""
        return tuple(header for _, header in self._hops())

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First word of each block, that of its header, and the end."""
        return (*(start for start, _ in self._hops()), len(self.words))

    @property
    def raw(self) -> np.ndarray:
        """Which blocks are stored raw, bool (blocks,)."""
        return np.array([header.raw for header in self.headers], bool)

    @property
    def pieces(self) -> np.ndarray:
        """Pieces of each block without padding, int64 (blocks,)."""
        return np.array([header.pieces for header in self.headers], np.int64)

    @property
    def bits(self) -> int:
        """Bits of the pieces of all blocks."""
        return int(self.pieces.sum()) * self.piece_w

    def block_count(self, number: int) -> int:
        """Number of values in a block."""
        return min(self.block_values, self.count - number * self.block_values)

    def piece_words(self, pieces: int) -> int:
        """Words that so many pieces take."""
        return -(-pieces * self.piece_w // self.word_w)

    def header_at(self, word: int) -> BlockHeader:
        """The header that begins with this word; raises CorruptStream where its CRC-7 differs."""
        first = word * self.word_w // 8
        return BlockHeader.from_bytes(self.payload[first : first + HEADER_BYTES])

    def block_at(self, word: int, count: int, header: BlockHeader) -> EncodedBlock:
        """The block whose pieces begin with this word, as far as they are there."""
        size = self.piece_w // 8
        first = word * self.word_w // 8
        there = self.payload[first : first + header.pieces * size]
        pieces = np.frombuffer(there, dtype=f">u{size}").tolist()
        return EncodedBlock(count, header.raw, self.piece_w, tuple(pieces))

    def values(self) -> np.ndarray:
        """What the model makes of the words: (count,) patterns.

        Raises CorruptStream for whatever it finds wrong.
        """
        size = self.word_w // 8
        shape = self.count, self.block_values, self.table, self.code_w, self.streams, size
        return decode_blocks(EncodedBlocks.of(self.payload, *shape), cores=1)

    def _hops(self) -> Iterator[tuple[int, BlockHeader]]:
        word = 0
        for _ in range(self.blocks):
            header = self.header_at(word)
            yield word, header
            word += self.header_words + self.piece_words(header.pieces)

    # -- what passes the port, and what may be wrong with it

    def memory_frame(self) -> Frame:
        """The beats of the memory port."""
        keep = (1 << self.word_w // 8) - 1
        last = len(self.words) - 1
        return [
            {"tdata": word, "tkeep": keep, "tlast": int(place == last)}
            for place, word in enumerate(self.words)
        ]

    def with_payload(self, payload: bytes) -> Self:
        """The image with these bytes in memory, whole words."""
        words = np.frombuffer(payload, dtype=f"<u{self.word_w // 8}")
        return replace(self, words=tuple(words.tolist()))

    def with_frame(self, frame: Frame) -> Self:
        """The image with the words of these beats; those that keep nothing bring none."""
        return replace(self, words=tuple(beat["tdata"] for beat in frame if beat["tkeep"]))

    def with_bits(self, word: int, *bits: int) -> Self:
        """The image with some bits inverted, counted from the first bit of a word on."""
        payload = bytearray(self.payload)
        for bit in bits:
            place = word * self.word_w + bit
            payload[place // 8] ^= 0x80 >> place % 8
        return self.with_payload(bytes(payload))

    def with_header(self, number: int, **fields: int) -> Self:
        """The image with some fields of a block's header changed, and the CRC-7 that fits."""
        changed = replace(self.headers[number], **fields).to_bytes()
        first = self.starts[number] * self.word_w // 8
        payload = self.payload
        return self.with_payload(payload[:first] + changed + payload[first + HEADER_BYTES :])


def crc_of(values: np.ndarray) -> int:
    """CRC-32 of values: one byte each up to 8 bits, else two, low byte first."""
    return zlib.crc32(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())


def first_difference(found: Sequence[int], wanted: Sequence[int]) -> int | None:
    """The first place in which two sequences differ, their lengths included; None when equal."""
    for place, (got, want) in enumerate(zip(found, wanted, strict=False)):
        if got != want:
            return place
    return None if len(found) == len(wanted) else min(len(found), len(wanted))
