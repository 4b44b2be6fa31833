# SPDX-License-Identifier: Apache-2.0
"""The readable coder of one block: the bit-stream definition in executable form.

Source: APack (arXiv 2201.08830), section IV, with the details the paper leaves open fixed here:
the interval is the integer range [low, high] of code_w bits, and one shift of the interval is
either a common leading bit (emitted at once) or an undecided middle bit (counted as pending).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ..bitstream.bits import Bits
from ..errors import CorruptStream, InputError
from ..tensors.quantize import pattern_dtype
from ..tensors.statistics import as_patterns
from .table import SymbolTable

CODE_W = 16
CODE_W_RANGE = range(3, 33)


@dataclass(frozen=True)
class EncodedBlock:
    """One coded block: how many values, and the two bit streams that hold them."""

    count: int
    code: Bits
    offsets: Bits

    @property
    def bits(self) -> int:
        """Bits of both streams together."""
        return self.code.bits + self.offsets.bits


class Fault(IntEnum):
    """What the decoder of a block can find wrong."""

    NONE = 0
    CODE_SHORT = 1
    OFFSET_SHORT = 2
    OFFSET_OUTSIDE = 3
    CODE_LEFT = 4
    OFFSET_LEFT = 5

    def error(self, index: int, count: int) -> CorruptStream:
        """The error to raise for a fault met at value `index` of `count`."""
        where = f"at value {index} of {count}" if index < count else f"after all {count} values"
        return CorruptStream(f"{_FAULT_TEXT[self]}, {where}")


_FAULT_TEXT = {
    Fault.CODE_SHORT: "code stream ended early",
    Fault.OFFSET_SHORT: "offset stream ended early",
    Fault.OFFSET_OUTSIDE: "offset outside its group",
    Fault.CODE_LEFT: "code stream left over",
    Fault.OFFSET_LEFT: "offset stream left over",
}


class Interval:
    """The coder's interval [low, high] and its renormalisation."""

    def __init__(self, code_w: int = CODE_W) -> None:
        self.half = 1 << (code_w - 1)
        self.quarter = 1 << (code_w - 2)
        self.low = 0
        self.high = (1 << code_w) - 1

    def slice_start(self, cum: int, count_w: int) -> int:
        """Where cumulative count `cum` falls in the interval, relative to low."""
        return ((self.high - self.low + 1) * cum) >> count_w

    def narrow(self, table: SymbolTable, symbol: int) -> None:
        """Keep only the slice of one symbol."""
        start = self.slice_start(table.cum[symbol], table.count_w)
        end = self.slice_start(table.cum[symbol + 1], table.count_w)
        self.high = self.low + end - 1
        self.low = self.low + start

    def shifts(self) -> Iterator[int]:
        """Double the interval until it exceeds a quarter; yield what each shift subtracted.

        0 and `half` are the decided bits 0 and 1, `quarter` is an undecided one.
        """
        while True:
            if self.high < self.half:
                taken = 0
            elif self.low >= self.half:
                taken = self.half
            elif self.low >= self.quarter and self.high < self.half + self.quarter:
                taken = self.quarter
            else:
                return
            self.low = 2 * (self.low - taken)
            self.high = 2 * (self.high - taken) + 1
            yield taken


def check_code_w(table: SymbolTable, code_w: int) -> None:
    """Raise InputError unless count_w <= code_w - 2, so that no slice is ever empty."""
    if code_w not in CODE_W_RANGE:
        raise InputError(
            f"code_w is {code_w}; {CODE_W_RANGE.start} to {CODE_W_RANGE.stop - 1} are legal"
        )
    if table.count_w > code_w - 2:
        raise InputError(f"count_w {table.count_w} needs code_w >= {table.count_w + 2}")


def encode_block(values: np.ndarray, table: SymbolTable, code_w: int = CODE_W) -> EncodedBlock:
    """Encode unsigned patterns of table.value_w bits (any shape, taken in C order).

    The code stream has two bits more than the interval made shifts, also for an empty block.
    Raises InputError for values that do not fit, or for code_w < count_w + 2.
    """
    check_code_w(table, code_w)
    values = as_patterns(values, table.value_w)
    interval = Interval(code_w)
    code: list[int] = []
    offsets: list[int] = []
    pending = 0
    for value in values.tolist():
        symbol = table.symbol_of(value)
        offset, width = value - table.base[symbol], table.offset_w[symbol]
        offsets.extend((offset >> bit) & 1 for bit in reversed(range(width)))
        interval.narrow(table, symbol)
        for taken in interval.shifts():
            if taken == interval.quarter:
                pending += 1
            else:
                _emit(code, int(taken != 0), pending)
                pending = 0
    _emit(code, int(interval.low >= interval.quarter), pending + 1)
    return EncodedBlock(len(values), Bits.from_bits(code), Bits.from_bits(offsets))


def _emit(code: list[int], bit: int, pending: int) -> None:
    code.append(bit)
    code.extend([1 - bit] * pending)


class _Reader:
    """Reads a bit string from its start; zeros past the end, and the position is kept."""

    def __init__(self, bits: Bits) -> None:
        self._bits = bits.array().tolist()
        self.position = 0

    def next(self, width: int) -> int:
        value = 0
        for index in range(self.position, self.position + width):
            value = 2 * value + (self._bits[index] if index < len(self._bits) else 0)
        self.position += width
        return value


def decode_block(block: EncodedBlock, table: SymbolTable, code_w: int = CODE_W) -> np.ndarray:
    """Decode one block to (count,) values, uint8 for value_w <= 8 and uint16 above.

    Raises CorruptStream, naming the stream, when a stream ends early, when bits are left over,
    or when an offset points outside its group.
    """
    check_code_w(table, code_w)
    values = np.zeros(block.count, dtype=pattern_dtype(table.value_w))
    code_bits, offset_bits = _Reader(block.code), _Reader(block.offsets)
    interval = Interval(code_w)
    code = code_bits.next(code_w)
    shifts = 0
    for index in range(block.count):
        symbol = _find_symbol(interval, table, code - interval.low)
        offset = offset_bits.next(table.offset_w[symbol])
        interval.narrow(table, symbol)
        for taken in interval.shifts():
            code = 2 * (code - taken) + code_bits.next(1)
            shifts += 1
        if shifts + 2 > block.code.bits:
            raise Fault.CODE_SHORT.error(index, block.count)
        if offset_bits.position > block.offsets.bits:
            raise Fault.OFFSET_SHORT.error(index, block.count)
        if offset >= table.sizes[symbol]:
            raise Fault.OFFSET_OUTSIDE.error(index, block.count)
        values[index] = table.base[symbol] + offset
    _check_end(block, shifts, offset_bits.position)
    return values


def _check_end(block: EncodedBlock, shifts: int, offset_bits: int) -> None:
    if block.code.bits < shifts + 2:
        raise Fault.CODE_SHORT.error(block.count, block.count)
    if block.code.bits > shifts + 2:
        raise Fault.CODE_LEFT.error(block.count, block.count)
    if block.offsets.bits > offset_bits:
        raise Fault.OFFSET_LEFT.error(block.count, block.count)


def _find_symbol(interval: Interval, table: SymbolTable, distance: int) -> int:
    symbol = 0
    while interval.slice_start(table.cum[symbol + 1], table.count_w) <= distance:
        symbol += 1
    return symbol
