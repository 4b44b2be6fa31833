# SPDX-License-Identifier: Apache-2.0
"""Bit strings as the hardware sees them: the first bit of the stream is the MSB of a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError


@dataclass(frozen=True)
class Bits:
    """A string of `bits` bits; the first one is the MSB of data[0], padding bits are zero."""

    bits: int
    data: bytes

    def __post_init__(self) -> None:
        if self.bits < 0 or len(self.data) != (self.bits + 7) // 8:
            raise InputError(f"{len(self.data)} bytes cannot hold exactly {self.bits} bits")
        padding = -self.bits % 8
        if padding and self.data[-1] & ((1 << padding) - 1):
            raise InputError(f"the {padding} padding bits after bit {self.bits} are not zero")

    @classmethod
    def from_bits(cls, bits: Iterable[int]) -> Bits:
        """Pack an iterable of 0 and 1, first bit of the stream first."""
        array = np.fromiter(bits, dtype=np.uint8)
        return cls(len(array), np.packbits(array).tobytes())

    @classmethod
    def from_words(cls, words: Iterable[int], word_w: int, bits: int) -> Bits:
        """Join words of word_w bits (MSB first) and keep the first `bits` bits.

        Raises InputError when the words hold fewer bits, or when a word does not fit word_w.
        """
        words = [int(word) for word in words]
        if len(words) * word_w < bits:
            raise InputError(f"{len(words)} words of {word_w} bits hold fewer than {bits} bits")
        for index, word in enumerate(words):
            if not 0 <= word < 1 << word_w:
                raise InputError(f"word {index} is {word:#x}, wider than {word_w} bits")
        text = "".join(f"{word:0{word_w}b}" for word in words)[:bits]
        return cls.from_bits(map(int, text))

    def words(self, word_w: int) -> np.ndarray:
        """The stream in words of word_w <= 64 bits, uint64 (ceil(bits / word_w),).

        The first bit is the MSB of word 0; the last word is zero padded on the right.
        """
        if not 1 <= word_w <= 64:
            raise InputError(f"a word of {word_w} bits; 1 to 64 are possible")
        padded = np.zeros(-(-self.bits // word_w) * word_w, dtype=np.uint8)
        padded[: self.bits] = self.array()
        weights = np.uint64(1) << np.arange(word_w - 1, -1, -1, dtype=np.uint64)
        return (padded.reshape(-1, word_w) * weights).sum(axis=1, dtype=np.uint64)

    def array(self) -> np.ndarray:
        """The bits as uint8 zeros and ones, shape (bits,)."""
        return np.unpackbits(np.frombuffer(self.data, dtype=np.uint8), count=self.bits)

    def __str__(self) -> str:
        return "".join(map(str, self.array()))
