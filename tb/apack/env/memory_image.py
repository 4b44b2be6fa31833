# SPDX-License-Identifier: Apache-2.0
"""A tensor as the units see it in memory: words and index entries, as in the container.

The expected bytes are those of the model's container packer (docs/apack/format.md, sections 4 and
5). Byte lane i of a word on the bus is byte i in memory, so that a word's number has its first byte
in the lowest bits.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from model.apack import Bits, CorruptStream, EncodedBlock, SymbolTable
from model.apack.container import Container, PackedTensor, TensorRecord, pack, write_container
from model.apack.container.layout import padded_bytes
from model.tensors import Tensor, pattern_dtype

if TYPE_CHECKING:
    from tb.bus.frames import Frame

NAME = "tensor"
ENTRY_BYTES = 12  # width of the index port


@dataclass(frozen=True)
class MemoryImage:
    """What a compressor writes for one tensor, and what a decompressor reads back.

    words: numbers on the memory port, in order.
    entries: fields code_bits, offset_bits, crc of each block, as in the container's index.
    record: the container's record of the tensor; `words` and `entries` may have been damaged since.
    """

    record: TensorRecord
    words: tuple[int, ...]
    entries: np.ndarray

    @classmethod
    def of(
        cls,
        values: np.ndarray,
        table: SymbolTable,
        block_values: int,
        word_w: int,
        code_w: int = 16,
    ) -> Self:
        """The image of values (count,), which are unsigned patterns, by the model."""
        dtype = np.dtype(pattern_dtype(table.value_w)).name
        tensor = Tensor(NAME, np.asarray(values, dtype), dtype, table.value_w)
        packed = pack(tensor, table, block_values, code_w, word_w // 8)
        return cls.read(packed.record, packed.payload, packed.index)

    @classmethod
    def read(cls, record: TensorRecord, payload: bytes, index: bytes) -> Self:
        """The image with these bytes of blocks and of the index."""
        words = np.frombuffer(payload, dtype=f"<u{record.word_bytes}")
        return cls(record, tuple(words.tolist()), np.frombuffer(index, record.entry_type))

    @property
    def word_w(self) -> int:
        """Bits of a memory word."""
        return 8 * self.record.word_bytes

    @cached_property
    def payload(self) -> bytes:
        """The words as bytes in memory."""
        return np.array(self.words, dtype=f"<u{self.record.word_bytes}").tobytes()

    @cached_property
    def raw(self) -> np.ndarray:
        """Which blocks are stored raw, bool (blocks,)."""
        return self.entries["code_bits"] == 0

    @property
    def bits(self) -> int:
        """Code and offset bits of all blocks."""
        return int(self.code_bits.sum() + self.offset_bits.sum())

    @cached_property
    def code_bits(self) -> np.ndarray:
        """Length of each block's code stream, int64 (blocks,)."""
        return self.entries["code_bits"].astype(np.int64)

    @cached_property
    def offset_bits(self) -> np.ndarray:
        """Length of each block's offset stream, int64 (blocks,)."""
        return self.entries["offset_bits"].astype(np.int64)

    @cached_property
    def starts(self) -> list[int]:
        """First word of each block by its entry, and the end."""
        sizes = self.code_words + self.offset_words
        return [0, *np.cumsum(sizes).tolist()]

    @cached_property
    def code_words(self) -> np.ndarray:
        """Words of each block's code stream, int64 (blocks,)."""
        return padded_bytes(self.code_bits, self.record.word_bytes) // self.record.word_bytes

    @cached_property
    def offset_words(self) -> np.ndarray:
        """Words of each block's offset stream, int64 (blocks,)."""
        return padded_bytes(self.offset_bits, self.record.word_bytes) // self.record.word_bytes

    def block(self, index: int) -> EncodedBlock:
        """The streams of one block as the words now hold them."""
        size, start = self.record.word_bytes, self.starts[index]
        middle = start + int(self.code_words[index])
        code = self.payload[start * size : middle * size]
        offsets = self.payload[middle * size : self.starts[index + 1] * size]
        return EncodedBlock(
            self.record.block_count(index),
            _cut(code, int(self.code_bits[index])),
            _cut(offsets, int(self.offset_bits[index])),
        )

    def memory_frame(self) -> Frame:
        """The beats of the memory port."""
        keep = (1 << self.record.word_bytes) - 1
        return _frame([{"tdata": word, "tkeep": keep} for word in self.words])

    def index_frame(self) -> Frame:
        """The beats of the index port."""
        size = self.entries.dtype.itemsize
        beats = [int.from_bytes(entry.tobytes(), "little") for entry in self.entries]
        return _frame([{"tdata": beat, "tkeep": (1 << size) - 1} for beat in beats])

    def with_word_bits(self, word: int, flips: int) -> Self:
        """The image with some bits of one word inverted; bits of the number on the bus."""
        words = list(self.words)
        words[word] ^= flips
        return replace(self, words=tuple(words))

    def with_stream_bit(self, block: int, stream: str, bit: int) -> Self:
        """The image with one bit inverted in a block's "code" or "offset" stream or its padding."""
        first = self.starts[block] + (int(self.code_words[block]) if stream == "offset" else 0)
        word, place = divmod(bit, self.word_w)
        byte, from_top = divmod(place, 8)
        return self.with_word_bits(first + word, 1 << (8 * byte + 7 - from_top))

    def with_entry(self, block: int, **fields: int) -> Self:
        """The image with some fields of an entry changed."""
        entries = self.entries.copy()
        for name, value in fields.items():
            entries[name][block] = value
        return replace(self, entries=entries)

    def values(self) -> np.ndarray:
        """What the model's container reader makes of these bytes: (count,) patterns.

        Raises CorruptStream for whatever it finds wrong.
        """
        record = replace(
            self.record,
            index_crc=zlib.crc32(self.entries.tobytes()),
            payload_bytes=len(self.payload),
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "image.apack"
            write_container(path, [PackedTensor(record, self.entries.tobytes(), self.payload)])
            with Container(path) as container:
                return container.read(container.record(record.name)).values


def image_of_frames(memory: Frame, index: Frame, record: TensorRecord) -> MemoryImage:
    """The image that a compressor put out for a tensor with this record.

    Raises CorruptStream when an entry is not of the record's size.
    """
    size = record.entry_type.itemsize
    if any(beat["tkeep"] != (1 << size) - 1 for beat in index):
        raise CorruptStream(f"an index entry is not of {size} bytes")
    entries = b"".join((beat["tdata"]).to_bytes(ENTRY_BYTES, "little")[:size] for beat in index)
    words = np.array([beat["tdata"] for beat in memory], dtype=f"<u{record.word_bytes}")
    return MemoryImage.read(record, words.tobytes(), entries)


def first_difference(found: Sequence[int], wanted: Sequence[int]) -> int | None:
    """The first place in which two sequences differ, their lengths included; None when equal."""
    for place, (got, want) in enumerate(zip(found, wanted, strict=False)):
        if got != want:
            return place
    return None if len(found) == len(wanted) else min(len(found), len(wanted))


def _frame(beats: Frame) -> Frame:
    return [beat | {"tlast": int(place == len(beats) - 1)} for place, beat in enumerate(beats)]


def _cut(stream: bytes, bits: int) -> Bits:
    array = np.unpackbits(np.frombuffer(stream, dtype=np.uint8))[:bits]
    return Bits.from_bits(array.tolist())
