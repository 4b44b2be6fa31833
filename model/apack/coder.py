# SPDX-License-Identifier: Apache-2.0
"""The readable coder of one block: the format of its pieces in executable form.

Source: APack (arXiv 2201.08830), section IV, with the details the paper leaves open fixed here:
the interval is the integer range [low, high] of code_w bits, and one shift of the interval is
either a common leading bit (emitted at once) or an undecided middle bit (counted as pending).
The values of a block are dealt to its streams in turn, and the pieces of all streams stand in the
order in which a decoder takes them (docs/apack/format.md): interleaved entropy coding, after Giesen
(arXiv 1402.3392).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import CorruptStream, InputError
from ..tensors.quantize import pattern_dtype
from ..tensors.statistics import as_patterns
from .table import SymbolTable

CODE_W = 16
CODE_W_RANGE = range(3, 33)
STREAMS = 4
STREAM_COUNTS = (1, 2, 4, 8, 16, 32, 64)
MOST_AHEAD = 8
OFFSETS = -1  # whose a piece is: the number of a code stream, or the offset stream


@dataclass(frozen=True)
class EncodedBlock:
    """One block as it is stored, without its header and padding.

    count: number of values; raw: whether they are stored verbatim; pieces: of `piece_w` bits each.
    """

    count: int
    raw: bool
    piece_w: int
    pieces: tuple[int, ...]

    @property
    def bits(self) -> int:
        """Bits of all pieces."""
        return len(self.pieces) * self.piece_w


@dataclass(frozen=True)
class DecodedBlock:
    """What a decoder makes of pieces, whatever they are.

    values: (count,) patterns, base + offset modulo 2^value_w also where the offset is outside.
    owners: whose each piece is that was taken, in order: a code stream or OFFSETS. Pieces that are
    taken behind the end are zeros, and stand here too.
    outside: the first value whose offset is not below the size of its group, or None.
    rest: whether a bit that was taken behind the end of its stream is not zero, or a closing bit is
    not what an encoder writes.
    """

    values: np.ndarray
    owners: tuple[int, ...]
    outside: int | None
    rest: bool


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


def piece_width(table: SymbolTable) -> int:
    """Bits of a piece: 16, and 32 where one value can take more code bits at once."""
    return 16 if max(table.count_w + 2, table.value_w) <= 16 else 32


def check_code_w(table: SymbolTable, code_w: int) -> None:
    """Raise InputError unless count_w <= code_w - 2, so that no slice is ever empty."""
    if code_w not in CODE_W_RANGE:
        raise InputError(
            f"code_w is {code_w}; {CODE_W_RANGE.start} to {CODE_W_RANGE.stop - 1} are legal"
        )
    if table.count_w > code_w - 2:
        raise InputError(f"count_w {table.count_w} needs code_w >= {table.count_w + 2}")


def check_streams(streams: int) -> None:
    """Raise InputError unless blocks may have so many streams."""
    if streams not in STREAM_COUNTS:
        raise InputError(f"{streams} streams; {', '.join(map(str, STREAM_COUNTS))} are legal")


@dataclass
class _CodeStream:
    """One code stream while it is encoded: interval, bits that are decided, pending ones."""

    interval: Interval
    bits: list[int] = field(default_factory=list)
    pending: int = 0
    shifts: int = 0

    def narrow(self, table: SymbolTable, symbol: int) -> int:
        """Code one symbol; returns how many shifts it made."""
        self.interval.narrow(table, symbol)
        shifts = 0
        for taken in self.interval.shifts():
            shifts += 1
            if taken == self.interval.quarter:
                self.pending += 1
            else:
                self.emit(int(taken != 0))
        self.shifts += shifts
        return shifts

    def emit(self, bit: int) -> None:
        """Append a decided bit and what was pending."""
        self.bits.append(bit)
        self.bits.extend([1 - bit] * self.pending)
        self.pending = 0

    def close(self) -> None:
        """Append the bits that tell the interval from all others."""
        self.pending += 1
        self.emit(int(self.interval.low >= self.interval.quarter))

    def ahead(self, code_w: int, piece_w: int) -> int:
        """Pieces that a decoder has taken by now and that are not complete."""
        return -(-(code_w + self.shifts) // piece_w) - len(self.bits) // piece_w


def encode_block(
    values: np.ndarray,
    table: SymbolTable,
    streams: int = STREAMS,
    code_w: int = CODE_W,
    word_bytes: int = 8,
) -> EncodedBlock:
    """Encode unsigned patterns of table.value_w bits (any shape, taken in C order).

    The block is raw where its pieces would take more memory words of word_bytes than the values do,
    or where a stream runs more than MOST_AHEAD pieces ahead. Raises InputError for values that do
    not fit, a number of streams that is not in STREAM_COUNTS, or code_w < count_w + 2.
    """
    check_code_w(table, code_w)
    check_streams(streams)
    values = as_patterns(values, table.value_w)
    piece_w = piece_width(table)
    code = [_CodeStream(Interval(code_w)) for _ in range(streams)]
    offsets: list[int] = []
    order = _Order(streams, code_w, piece_w)
    far = False
    for index, value in enumerate(values.tolist()):
        symbol = table.symbol_of(value)
        offset, width = value - table.base[symbol], table.offset_w[symbol]
        offsets.extend((offset >> bit) & 1 for bit in reversed(range(width)))
        stream = code[index % streams]
        order.value(stream.narrow(table, symbol), width)
        far = far or stream.ahead(code_w, piece_w) > MOST_AHEAD
    for stream in code:
        stream.close()
    raw = raw_block(values, table)
    words = 8 * word_bytes // piece_w or 1
    if far or -(-len(order.owners) // words) > -(-len(raw.pieces) // words):
        return raw
    queues = {owner: iter(_pieces(stream.bits, piece_w)) for owner, stream in enumerate(code)}
    queues[OFFSETS] = iter(_pieces(offsets, piece_w))
    pieces = tuple(next(queues[owner], 0) for owner in order.owners)
    return EncodedBlock(len(values), False, piece_w, pieces)


def raw_block(values: np.ndarray, table: SymbolTable) -> EncodedBlock:
    """The block of these values verbatim, first bit of the first value first."""
    values = as_patterns(values, table.value_w)
    bits = [
        (value >> bit) & 1 for value in values.tolist() for bit in reversed(range(table.value_w))
    ]
    piece_w = piece_width(table)
    return EncodedBlock(len(values), True, piece_w, tuple(_pieces(bits, piece_w)))


def _pieces(bits: Sequence[int], piece_w: int) -> list[int]:
    """Numbers of piece_w bits, first bit most significant, the last filled up with zeros."""
    padded = [*bits, *[0] * (-len(bits) % piece_w)]
    return [
        int("".join(map(str, padded[start : start + piece_w])), 2)
        for start in range(0, len(padded), piece_w)
    ]


class _Order:
    """The decoder's book-keeping: whose piece is taken next, value by value."""

    def __init__(self, streams: int, code_w: int, piece_w: int) -> None:
        first = -(-code_w // piece_w)
        self.owners = [stream for stream in range(streams) for _ in range(first)]
        self._piece_w = piece_w
        self._code_left = [first * piece_w - code_w] * streams
        self._offsets_left = 0
        self._values = 0

    def value(self, shifts: int, width: int) -> None:
        """The next value makes so many shifts and has an offset of `width` bits."""
        stream = self._values % len(self._code_left)
        self._values += 1
        if self._code_left[stream] < shifts:
            self.owners.append(stream)
            self._code_left[stream] += self._piece_w
        self._code_left[stream] -= shifts
        if self._offsets_left < width:
            self.owners.append(OFFSETS)
            self._offsets_left += self._piece_w
        self._offsets_left -= width


class _Supply:
    """Pieces in stored order, dealt out as they are taken; zeros behind the end."""

    def __init__(self, block: EncodedBlock) -> None:
        self._block = block
        self.owners: list[int] = []

    def take(self, owner: int) -> list[int]:
        """The bits of the next piece."""
        place = len(self.owners)
        piece = self._block.pieces[place] if place < len(self._block.pieces) else 0
        self.owners.append(owner)
        return [(piece >> bit) & 1 for bit in reversed(range(self._block.piece_w))]


@dataclass
class _Window:
    """The bits of one stream that have been taken and not used."""

    owner: int
    supply: _Supply
    bits: list[int] = field(default_factory=list)

    def next(self, width: int) -> int:
        while len(self.bits) < width:
            self.bits += self.supply.take(self.owner)
        used, self.bits = self.bits[:width], self.bits[width:]
        return int("".join(map(str, used)) or "0", 2)


def decode_pieces(
    block: EncodedBlock, table: SymbolTable, streams: int = STREAMS, code_w: int = CODE_W
) -> DecodedBlock:
    """Decode a block whatever its pieces are: the hardware's view of damage."""
    check_code_w(table, code_w)
    check_streams(streams)
    supply = _Supply(block)
    values = np.zeros(block.count, dtype=pattern_dtype(table.value_w))
    offset_window = _Window(OFFSETS, supply)
    if block.raw:
        for index in range(block.count):
            values[index] = offset_window.next(table.value_w)
        return DecodedBlock(values, tuple(supply.owners), None, any(offset_window.bits))
    windows = [_Window(stream, supply) for stream in range(streams)]
    codes = [window.next(code_w) for window in windows]
    intervals = [Interval(code_w) for _ in windows]
    outside = None
    for index in range(block.count):
        stream = index % streams
        interval, window = intervals[stream], windows[stream]
        symbol = _find_symbol(interval, table, codes[stream] - interval.low)
        interval.narrow(table, symbol)
        taken = list(interval.shifts())
        new_bits = window.next(len(taken))
        for place, less in enumerate(taken):
            bit = (new_bits >> (len(taken) - 1 - place)) & 1
            codes[stream] = 2 * (codes[stream] - less) + bit
        offset = offset_window.next(table.offset_w[symbol])
        if offset >= table.sizes[symbol] and outside is None:
            outside = index
        values[index] = (table.base[symbol] + offset) % (1 << table.value_w)
    rest = any(offset_window.bits) or any(
        any(window.bits) or code != (interval.quarter << int(interval.low >= interval.quarter))
        for window, code, interval in zip(windows, codes, intervals, strict=True)
    )
    return DecodedBlock(values, tuple(supply.owners), outside, rest)


def decode_block(
    block: EncodedBlock, table: SymbolTable, streams: int = STREAMS, code_w: int = CODE_W
) -> np.ndarray:
    """Decode one block to (count,) values, uint8 for value_w <= 8 and uint16 above.

    Raises CorruptStream when decoding takes more or fewer pieces than there are, when an offset
    points outside its group, or when bits behind the end of a stream are not zero.
    """
    found = decode_pieces(block, table, streams, code_w)
    if found.outside is not None:
        raise CorruptStream(f"offset outside its group, at value {found.outside} of {block.count}")
    if len(found.owners) > len(block.pieces):
        taken, there = len(found.owners), len(block.pieces)
        raise CorruptStream(f"block ended early: its values take {taken} pieces, it has {there}")
    if len(found.owners) < len(block.pieces):
        raise CorruptStream(
            f"pieces left over: the values take {len(found.owners)} of {len(block.pieces)}"
        )
    if found.rest:
        raise CorruptStream("bits behind the end of a stream are not zero")
    return found.values


def _find_symbol(interval: Interval, table: SymbolTable, distance: int) -> int:
    symbol = 0
    while interval.slice_start(table.cum[symbol + 1], table.count_w) <= distance:
        symbol += 1
    return symbol
