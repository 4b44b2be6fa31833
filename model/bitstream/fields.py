# SPDX-License-Identifier: Apache-2.0
"""Fields of given widths to a bit string and back, MSB first: what every format here is made of."""

from __future__ import annotations

import numba
import numpy as np

from ..errors import CorruptStream
from .bits import Bits


def pack_fields(fields: np.ndarray, widths: np.ndarray) -> Bits:
    """Concatenate the low widths[i] (0..64) bits of fields[i]; both flat, of one length."""
    fields = np.ascontiguousarray(fields, np.uint64).reshape(-1)
    widths = np.ascontiguousarray(widths, np.uint8).reshape(-1)
    bits = int(widths.sum(dtype=np.int64))
    data = np.zeros((bits + 7) // 8, np.uint8)
    _write(fields, widths, data)
    return Bits(bits, data.tobytes())


@numba.njit(cache=True)
def _write(fields, widths, data):
    position = 0
    for i in range(len(fields)):
        left = np.int64(widths[i])
        while left > 0:
            free = 8 - position % 8
            taken = min(free, left)
            piece = (fields[i] >> np.uint64(left - taken)) & np.uint64((1 << taken) - 1)
            data[position // 8] |= np.uint8(piece << np.uint64(free - taken))
            position += taken
            left -= taken


class FieldReader:
    """Takes fields from the front of a bit string."""

    def __init__(self, stream: Bits) -> None:
        self._stream = stream
        self._position = 0

    def take(self, width: int) -> int:
        """The next `width` bits as a number; raises CorruptStream when fewer are left."""
        end = self._position + width
        if end > self._stream.bits:
            raise CorruptStream(f"the stream of {self._stream.bits} bits ended early")
        window = self._stream.data[self._position // 8 : (end + 7) // 8]
        self._position = end
        return int.from_bytes(window) >> -end % 8 & (1 << width) - 1

    def finish(self) -> None:
        """Raises CorruptStream when bits are left over."""
        if self._position != self._stream.bits:
            left = self._stream.bits - self._position
            raise CorruptStream(f"{left} bits are left over")
