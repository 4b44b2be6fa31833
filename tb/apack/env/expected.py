# SPDX-License-Identifier: Apache-2.0
"""What a decompressor must make of the words of a tensor, sound or not, from the model alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.apack import CorruptStream
from model.apack.blocks import BlockHeader
from model.apack.coder import decode_pieces
from model.tensors import pattern_dtype
from tb.apack.env.decoded import Cause, cause_of
from tb.apack.env.memory_image import MemoryImage, crc_of
from tb.bus.frames import Frame

CAUSES = tuple(Cause.__members__)


@dataclass(frozen=True)
class BlockOutcome:
    """What becomes of one block.

    values: those it decodes to; zeros where it is lost.
    causes: all that is wrong with it, names of BAD_CAUSE's bits.
    header: None where it is lost.
    """

    values: np.ndarray
    causes: frozenset[str] = frozenset()
    header: BlockHeader | None = None

    @property
    def bad(self) -> bool:
        """Whether it is damaged."""
        return bool(self.causes)


@dataclass(frozen=True)
class Outcome:
    """What becomes of a tensor; memory_length: whether its words are too many or too few."""

    image: MemoryImage
    blocks: tuple[BlockOutcome, ...]
    memory_length: bool

    @property
    def bad(self) -> list[int]:
        """Numbers of the damaged blocks."""
        return [number for number, block in enumerate(self.blocks) if block.bad]

    @property
    def events(self) -> set[str]:
        """The events that it ends with."""
        events = {"DONE": True, "BLOCK_BAD": self.bad, "MEMORY_LENGTH": self.memory_length}
        return {name for name, raised in events.items() if raised}

    @property
    def values(self) -> np.ndarray:
        """The values of all blocks as decoded, (count,) patterns."""
        dtype = pattern_dtype(self.image.table.value_w)
        return np.concatenate([np.zeros(0, dtype), *(block.values for block in self.blocks)])

    def counters(self) -> dict[str, int]:
        """The counters that it determines."""
        image, bad = self.image, self.bad
        headers = [block.header for block in self.blocks if block.header]
        pieces = [header.pieces for header in headers]
        return {
            "VALUES_DONE": image.count,
            "BITS": sum(pieces) * image.piece_w,
            "WORDS": sum(image.header_words + image.piece_words(count) for count in pieces),
            "BLOCKS": len(self.blocks),
            "RAW_BLOCKS": sum(header.raw for header in headers),
            "BAD_BLOCKS": len(bad),
            "BAD_BLOCK": min(bad, default=0),
        }

    def first_causes(self) -> frozenset[str]:
        """What is wrong with the first damaged block."""
        return next((block.causes for block in self.blocks if block.bad), frozenset())

    def frame(self, lanes: int, hold: bool) -> Frame:
        """The beats of the value port; with `hold`, those of a damaged block are zeros."""
        beats = [
            beat
            for number, block in enumerate(self.blocks)
            for beat in _beats(block, self.image, lanes, hold)
        ]
        return [beat | {"tlast": int(n == len(beats) - 1)} for n, beat in enumerate(beats)]


def outcome_of(image: MemoryImage) -> Outcome:
    """What a decompressor makes of the words of an image."""
    reader = _Reader(image)
    blocks = tuple(reader.blocks())
    return Outcome(image, blocks, reader.memory_length)


class _Reader:
    """Goes from header to header until one cannot be believed or the words have ended."""

    def __init__(self, image: MemoryImage) -> None:
        self._image = image
        self._word = 0
        self._lost = False
        self.memory_length = False

    def blocks(self) -> Iterator[BlockOutcome]:
        """What becomes of each block."""
        for number in range(self._image.blocks):
            yield self._block(self._image.block_count(number))
        if not self._lost and self._word != len(self._image.words):
            self.memory_length = True

    def _block(self, count: int) -> BlockOutcome:
        image = self._image
        header = self._header(count)
        if header is None:
            self._lost = True
            nothing = np.zeros(count, pattern_dtype(image.table.value_w))
            return BlockOutcome(nothing, frozenset({"HEADER"}))
        block = image.block_at(self._word, count, header)
        self._word += image.piece_words(header.pieces)
        cut = self._word > len(image.words)
        self._lost = cut
        self.memory_length |= cut
        found = decode_pieces(block, image.table, image.streams, image.code_w)
        cause = cause_of(block, found)
        cause |= Cause.TRUNCATED if cut else Cause(0)
        cause |= Cause.CRC if crc_of(found.values) != header.crc else Cause(0)
        return BlockOutcome(found.values, frozenset(one.name for one in cause), header)

    def _header(self, count: int) -> BlockHeader | None:
        """The next header, None where there is none to be believed."""
        image = self._image
        if self._lost:
            return None
        first, self._word = self._word, self._word + image.header_words
        if self._word > len(image.words):
            self.memory_length = True
            return None
        try:
            header = image.header_at(first)
        except CorruptStream:
            return None
        return header if is_possible(header, image, count) else None


def is_possible(header: BlockHeader, image: MemoryImage, count: int) -> bool:
    """Whether a block of `count` values can have so many pieces (docs/apack/format.md)."""
    raw = -(-count * image.table.value_w // image.piece_w)
    if header.raw:
        return header.pieces == raw
    least = image.streams * -(-image.code_w // image.piece_w)
    return least <= header.pieces and image.piece_words(header.pieces) <= image.piece_words(raw)


def _beats(block: BlockOutcome, image: MemoryImage, lanes: int, hold: bool) -> Iterator[dict]:
    """The beats of one block; `tlast` is left to the tensor."""
    size = 1 if image.table.value_w <= 8 else 2
    values = [int(value) for value in block.values]
    for start in range(0, len(values), lanes):
        row = values[start : start + lanes]
        data = sum(value << 8 * size * lane for lane, value in enumerate(row))
        ends = start + lanes >= len(values)
        yield {
            "tdata": 0 if hold and block.bad else data,
            "tkeep": (1 << size * len(row)) - 1,
            "tuser": int(block.bad and (hold or ends)),
        }
