# SPDX-License-Identifier: Apache-2.0
"""Fields of the directory: variable-length integers, texts and numbers."""

from __future__ import annotations

import struct

from ...errors import CorruptStream

_LONGEST_INTEGER = 10


class FieldWriter:
    """Collects fields into `data`."""

    def __init__(self) -> None:
        self.data = bytearray()

    def integer(self, value: int) -> None:
        """An unsigned integer: 7 bits a byte, lowest first, the top bit set on all but the last."""
        while value > 0x7F:
            self.data.append(value & 0x7F | 0x80)
            value >>= 7
        self.data.append(value)

    def text(self, text: str) -> None:
        """The number of bytes, and the text in UTF-8."""
        encoded = text.encode("utf-8")
        self.integer(len(encoded))
        self.data += encoded

    def packed(self, layout: str, *values: float) -> None:
        """Fields of fixed size, as `struct` writes them."""
        self.data += struct.pack(layout, *values)


class FieldReader:
    """Takes fields from `data`, which may hold anything; raises CorruptStream past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def left(self) -> int:
        """Bytes not taken yet."""
        return len(self._data) - self._position

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size > self.left:
            raise CorruptStream(f"directory: {size} bytes wanted, {self.left} left")
        self._position += size
        return self._data[self._position - size : self._position]

    def integer(self, what: str, low: int, high: int) -> int:
        """The next variable-length integer, which must be in low .. high."""
        value = 0
        for index in range(_LONGEST_INTEGER):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                break
        else:
            raise CorruptStream(f"directory: {what} has more than {_LONGEST_INTEGER} bytes")
        if not low <= value <= high:
            raise CorruptStream(f"directory: {what} is {value}; {low} to {high} are legal")
        return value

    def text(self, what: str) -> str:
        """The next text."""
        encoded = self.take(self.integer(f"length of {what}", 0, self.left))
        try:
            return encoded.decode("utf-8")
        except UnicodeDecodeError:
            raise CorruptStream(f"directory: {what} is not UTF-8") from None

    def packed(self, layout: str) -> tuple:
        """Fields of fixed size, as `struct` reads them."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))
