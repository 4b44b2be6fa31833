# SPDX-License-Identifier: Apache-2.0
"""The coder for whole tensors: bit-exact with `model.apack.coder`, compiled, blocks in parallel.

It differs from the readable coder in what does not change a bit of the blocks. The interval is
low and size, and all shifts of a value are one. A decoder keeps code - low, which no shift but
doubling changes, with the bits behind it that were taken and not used; it guesses the symbol by a
division and corrects the guess. An encoder knows a piece's place before the piece: it stands where
the decoder takes it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from ..errors import CorruptStream, InputError
from ..tensors.quantize import pattern_dtype
from ..tensors.statistics import as_patterns
from .blocks import HEADER_BYTES, crc7
from .coder import (
    CODE_W,
    MOST_AHEAD,
    STREAMS,
    EncodedBlock,
    check_code_w,
    check_streams,
    piece_width,
)
from .table import SymbolTable

BLOCK_VALUES = 16384
MOST_BLOCK_VALUES = 1 << 20
WORD_BYTES = 8
WORD_BYTES_CHOICES = (2, 4, 8)
_LEAST_BATCH = 1 << 17
_LARGEST_BATCH = 1 << 20
_BATCHES_PER_CORE = 4
_HEADER_FAULTS = (
    "",
    "the data end before its header does",
    "the block's header does not match its CRC-7",
    "its number of pieces is impossible",
    "the data end before its pieces do",
)
_DAMAGE = (
    "offset outside its group, at value {index} of {count}",
    "block ended early: its values take {taken} pieces, it has {has}",
    "pieces left over: the values take {taken} of {has}",
    "bits behind the end of a stream are not zero",
    "padding is not zero",
    "the values do not match their CRC-32",
)
_OUTSIDE, _SHORT, _LEFT, _REST, _PADDING, _CRC = range(len(_DAMAGE))
_CRC7 = np.array([crc7(1 << bit) for bit in range(25)], dtype=np.int64)
_ROW = 8  # numbers in a row of the decoder's table
_GUESS_BITS = 10
_GUESS_SHIFT = 62 - _GUESS_BITS
_SIZE_SHIFT = 30 - _GUESS_BITS
_ENTRY = 4  # numbers in an entry of the encoder's table
_RING = 32  # places kept of a code stream's pieces: those of MOST_AHEAD, and as many before


@dataclass(frozen=True)
class EncodedBlocks:
    """Consecutive blocks of block_values values each, the last one shorter, as they are stored.

    raw: whether each block is; pieces: their numbers, without padding, int64; crc: CRC-32 of each
    block's values, uint32; starts: the byte of each block's header in data, and the end, int64
    (blocks + 1,); data: headers, pieces and padding, uint8.
    """

    count: int
    block_values: int
    table: SymbolTable
    code_w: int
    streams: int
    word_bytes: int
    raw: np.ndarray
    pieces: np.ndarray
    crc: np.ndarray
    starts: np.ndarray
    data: np.ndarray

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def bits(self) -> int:
        """Bits of all pieces, without headers and padding."""
        return int(self.pieces.sum()) * piece_width(self.table)

    def block_count(self, index: int) -> int:
        """Number of values in a block."""
        return min(self.block_values, self.count - index * self.block_values)

    def block(self, index: int) -> EncodedBlock:
        """One block, as the readable coder returns it."""
        if not 0 <= index < len(self):
            raise InputError(f"block {index} does not exist; there are {len(self)}")
        start = int(self.starts[index]) + HEADER_BYTES
        piece_w = piece_width(self.table)
        pieces = self.data[start:].view(_stored(piece_w))[: self.pieces[index]]
        return EncodedBlock(
            self.block_count(index), bool(self.raw[index]), piece_w, tuple(pieces.tolist())
        )

    @classmethod
    def of(
        cls,
        data: bytes | np.ndarray,
        count: int,
        block_values: int,
        table: SymbolTable,
        code_w: int = CODE_W,
        streams: int = STREAMS,
        word_bytes: int = WORD_BYTES,
    ) -> EncodedBlocks:
        """The blocks of `count` values that stand in `data`, found from header to header.

        Raises CorruptStream, naming the block, where a header does not match its CRC-7, its number
        of pieces is impossible or they end early, and where data are left over; InputError as
        encode_blocks does.
        """
        _check(table, block_values, code_w, streams, word_bytes)
        data = np.frombuffer(data, dtype=np.uint8)
        limits = _limits(table, block_values, code_w, streams, word_bytes)
        raw, pieces, crc, starts, fault = _hop(data, count, limits)
        if fault:
            block = len(pieces) - 1
            raise CorruptStream(f"block {block}: {_HEADER_FAULTS[fault]}")
        if starts[-1] != len(data):
            raise CorruptStream(f"{len(data) - starts[-1]} bytes behind the last block")
        return cls(
            count, block_values, table, code_w, streams, word_bytes, raw, pieces, crc, starts, data
        )


def encode_blocks(
    values: np.ndarray,
    table: SymbolTable,
    block_values: int = BLOCK_VALUES,
    code_w: int = CODE_W,
    streams: int = STREAMS,
    word_bytes: int = WORD_BYTES,
    progress: Callable[[int], None] | None = None,
    cores: int | None = None,
) -> EncodedBlocks:
    """Encode unsigned patterns of any shape, in C order, as independent blocks.

    `progress` is called with the number of values just finished; `cores` are used, by default all.
    No values make no blocks.
    Raises InputError as encode_block does, for block_values outside 1 .. MOST_BLOCK_VALUES, and
    for memory words that are not of 2, 4 or 8 bytes or are smaller than a piece.
    """
    _check(table, block_values, code_w, streams, word_bytes)
    values = np.ascontiguousarray(as_patterns(values, table.value_w))
    entries = _encoder_entries(table)
    limits = _limits(table, block_values, code_w, streams, word_bytes)
    stored = _stored(piece_width(table))

    def encode(first: int, last: int) -> tuple[np.ndarray, ...]:
        part = values[first * block_values : last * block_values]
        crc = _crcs(part, block_values)
        room = np.empty(_room(len(part), last - first, limits), dtype=stored.newbyteorder("="))
        raw, pieces, end = _encode_batch(part, crc, entries, limits, room)
        return raw, pieces, crc, room[:end].astype(stored).view(np.uint8)

    parts = _in_parallel(encode, len(values), block_values, progress, cores)
    raw, pieces, crc, data = map(np.concatenate, zip(*parts, strict=True))
    starts = _starts(pieces, piece_width(table), word_bytes)
    return EncodedBlocks(
        len(values),
        block_values,
        table,
        code_w,
        streams,
        word_bytes,
        raw,
        pieces,
        crc,
        starts,
        data,
    )


def decode_blocks(
    encoded: EncodedBlocks,
    progress: Callable[[int], None] | None = None,
    cores: int | None = None,
) -> np.ndarray:
    """The values of all blocks: (count,), uint8 for value_w <= 8 and uint16 above.

    Raises CorruptStream for the first damaged block, naming it.
    """
    table, block_values = encoded.table, encoded.block_values
    _check(table, block_values, encoded.code_w, encoded.streams, encoded.word_bytes)
    values = np.empty(encoded.count, dtype=pattern_dtype(table.value_w))
    stored = _stored(piece_width(table))
    looked_up = _decoder_table(table)
    limits = _limits(table, block_values, encoded.code_w, encoded.streams, encoded.word_bytes)
    found = np.zeros((len(encoded), len(_DAMAGE)), dtype=np.int64)

    def decode(first: int, last: int) -> None:
        start = encoded.starts[first]
        _decode_batch(
            values[first * block_values : last * block_values],
            encoded.data[start : encoded.starts[last]]
            .view(stored)
            .astype(stored.newbyteorder("=")),
            (encoded.starts[first : last + 1] - start) // stored.itemsize,
            encoded.pieces[first:last],
            encoded.raw[first:last],
            looked_up,
            limits,
            found[first:last],
        )
        crc = _crcs(values[first * block_values : last * block_values], block_values)
        found[first:last, _CRC] = crc != encoded.crc[first:last]
        damaged = first + np.flatnonzero(found[first:last].any(axis=1))
        if damaged.size:
            raise CorruptStream(_damage(encoded, int(damaged[0]), found[damaged[0]]))

    _in_parallel(decode, encoded.count, block_values, progress, cores)
    return values


def _damage(encoded: EncodedBlocks, block: int, found: np.ndarray) -> str:
    """What the first thing is that is wrong with a block."""
    wrong = int(np.flatnonzero(found)[0])
    text = _DAMAGE[wrong].format(
        index=found[_OUTSIDE] - 1,
        count=encoded.block_count(block),
        has=encoded.pieces[block],
        taken=encoded.pieces[block] + found[_SHORT] - found[_LEFT],
    )
    return f"block {block}: {text}"


def _in_parallel(
    work: Callable[[int, int], object],
    values: int,
    block_values: int,
    progress: Callable[[int], None] | None,
    cores: int | None,
) -> list:
    """work(first, last) over batches of blocks, some at once; the results in order."""
    cores = cores or os.cpu_count() or 1

    def run(batch: tuple[int, int]) -> object:
        result = work(*batch)
        if progress is not None:
            progress(min(batch[1] * block_values, values) - batch[0] * block_values)
        return result

    blocks = -(-values // block_values)
    batches = list(_batches(blocks, block_values, cores))
    if len(batches) == 1 or cores == 1:
        return list(map(run, batches))
    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(run, batches))


def _batches(blocks: int, block_values: int, cores: int) -> Iterator[tuple[int, int]]:
    """First block and end of each batch; a single empty batch when there are no blocks."""
    share = -(-blocks // (_BATCHES_PER_CORE * cores))
    least, most = -(-_LEAST_BATCH // block_values), max(1, _LARGEST_BATCH // block_values)
    size = min(max(share, least), most)
    for first in range(0, max(1, blocks), size):
        yield first, min(first + size, blocks)


def _check(
    table: SymbolTable, block_values: int, code_w: int, streams: int, word_bytes: int
) -> None:
    check_code_w(table, code_w)
    check_streams(streams)
    if not 1 <= block_values <= MOST_BLOCK_VALUES:
        raise InputError(f"blocks of {block_values} values; 1 to {MOST_BLOCK_VALUES} are legal")
    legal = [number for number in WORD_BYTES_CHOICES if 8 * number >= piece_width(table)]
    if word_bytes not in legal:
        raise InputError(
            f"memory words of {word_bytes} bytes; {', '.join(map(str, legal))} are legal"
        )


def _limits(
    table: SymbolTable, block_values: int, code_w: int, streams: int, word_bytes: int
) -> np.ndarray:
    """What the compiled loops need beside the rows of the table; word and header in pieces."""
    piece_bytes = piece_width(table) // 8
    words = word_bytes // piece_bytes, HEADER_BYTES // piece_bytes
    return np.array(
        [block_values, streams, table.value_w, table.count_w, code_w, 8 * piece_bytes, *words],
        dtype=np.int64,
    )


def _stored(piece_w: int) -> np.dtype:
    """A piece in memory."""
    return np.dtype(f">u{piece_w // 8}")


def _starts(pieces: np.ndarray, piece_w: int, word_bytes: int) -> np.ndarray:
    """The byte of each block's header, and the end: int64 (blocks + 1,)."""
    padded = -(-pieces * (piece_w // 8) // word_bytes) * word_bytes
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(HEADER_BYTES + padded)])


def _room(values: int, blocks: int, limits: np.ndarray) -> int:
    """Pieces that any so many values take in so many blocks, while the last is encoded, too."""
    block_values, streams, value_w, _, code_w, piece_w, word, header = limits.tolist()
    raw = -(-min(block_values, values) * value_w // piece_w)
    coded = 2 * min(block_values, values) + streams * -(-code_w // piece_w)
    return blocks * (header + raw + word) + coded + 1


def _crcs(values: np.ndarray, block_values: int) -> np.ndarray:
    """CRC-32 of the values of each block, low byte of a value first: uint32 (blocks,)."""
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    starts = range(0, len(values), block_values)
    crcs = [zlib.crc32(little[start : start + block_values]) for start in starts]
    return np.array(crcs, dtype=np.uint32)


def _encoder_entries(table: SymbolTable) -> np.ndarray:
    """Per value: cum and next cum of its group in units of 2**-16, offset width, offset."""
    groups = np.repeat(np.arange(table.groups), table.sizes)
    cum = np.array(table.cum) << 16 - table.count_w
    offsets = np.arange(1 << table.value_w) - np.array(table.base)[groups]
    columns = (cum[groups], cum[groups + 1], np.array(table.offset_w)[groups], offsets)
    return np.stack(columns, axis=1).astype(np.uint64).reshape(-1)


def _decoder_table(table: SymbolTable) -> tuple[np.ndarray, np.ndarray]:
    """What a decoder looks up: the rows of the groups, and where a value's row is.

    Row: cum and next cum in units of 2**-16, offset width, base, last offset, mask of the offset.
    The second has two parts. The upper one has 2**62 by the largest size that has an index as its
    top bits, for all sizes above a quarter. That times a distance in the interval has a place in
    the lower part as its top bits: the row of the distance's group, or of one below it.
    """
    rows = np.zeros((table.groups, _ROW), dtype=np.uint64)
    widths = np.array(table.offset_w)
    rows[:, 0] = np.array(table.cum[:-1]) << 16 - table.count_w
    rows[:, 1] = np.array(table.cum[1:]) << 16 - table.count_w
    rows[:, 2], rows[:, 3] = widths, table.base
    rows[:, 4], rows[:, 5] = np.array(table.sizes) - 1, (1 << widths) - 1
    edges = -(-np.array(table.cum) << _GUESS_BITS >> table.count_w)
    places = np.repeat(np.arange(0, _ROW * table.groups, _ROW, dtype=np.uint32), np.diff(edges))
    return rows.reshape(-1), np.concatenate([places, _RECIPROCALS])


def _reciprocals() -> np.ndarray:
    least = np.arange(1 << _GUESS_BITS, (4 << _GUESS_BITS) + 1) << _SIZE_SHIFT
    return ((1 << 62) // (least + (1 << _SIZE_SHIFT) - 1)).astype(np.uint32)


_RECIPROCALS = _reciprocals()


@intrinsic
def _leading_zeros(typing_context, value):
    """Leading zero bits of a uint32, as a uint64; 32 for 0."""

    def generate(context, builder, signature, arguments):
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.zext(zeros, ir.IntType(64))

    return types.uint64(types.uint32), generate


@intrinsic
def _piece_w(typing_context, pieces):
    """Bits of a piece as a constant, from the type of the array of pieces."""

    def generate(context, builder, signature, arguments):
        return ir.Constant(ir.IntType(64), pieces.dtype.bitwidth)

    return types.uint64(pieces), generate


@numba.njit(cache=True)
def _crc7(sized):
    """blocks.crc7, whose bits are those of its argument's bits."""
    crc = 0
    for bit in range(len(_CRC7)):
        crc ^= _CRC7[bit] * (sized >> bit & 1)
    return crc


@numba.njit(cache=True, forceinline=True)
def _shifts(low, size):
    """How many shifts an interval makes, from 2 * low modulo 2**32 and its size.

    They are those that leave more than half of all, or one less where that many would put the
    interval's end past the top.
    """
    one = np.uint64(1)
    shifts = _leading_zeros(np.uint32(size - one))
    shifted = np.uint32(low << shifts)
    last = np.uint32(np.uint64(shifted) + ((size - one) << shifts << one))
    return shifts - np.uint64(last < shifted)


@numba.njit(cache=True)
def _hop(data, count, limits):
    """raw, pieces, crc, starts of the blocks in data, and the fault of the last of them."""
    block_values, streams, value_w, _, code_w, piece_w, word, header = limits
    blocks = (count + block_values - 1) // block_values
    raw = np.zeros(blocks, dtype=np.bool_)
    pieces = np.zeros(blocks, dtype=np.int64)
    crc = np.zeros(blocks, dtype=np.uint32)
    starts = np.zeros(blocks + 1, dtype=np.int64)
    least = streams * ((code_w + piece_w - 1) // piece_w)
    for block in range(blocks):
        at = starts[block]
        fault = 0
        if len(data) - at < 8:
            fault = 1
        else:
            sized = check = number = 0
            for byte in data[at : at + 4]:
                sized = sized << 8 | np.int64(byte)
            for byte in data[at + 4 : at + 8]:
                number = number << 8 | np.int64(byte)
            sized, check = sized >> 7, sized & 0x7F
            raw[block], pieces[block], crc[block] = sized & 1, sized >> 1, number
            values = min(block_values, count - block * block_values)
            verbatim = (values * value_w + piece_w - 1) // piece_w
            words = (pieces[block] + word - 1) // word
            starts[block + 1] = at + (header + words * word) * (piece_w // 8)
            if _crc7(sized) != check:
                fault = 2
            elif (
                pieces[block] != verbatim
                if raw[block]
                else (pieces[block] < least or words > (verbatim + word - 1) // word)
            ):
                fault = 3
            elif starts[block + 1] > len(data):
                fault = 4
        if fault:
            return raw[: block + 1], pieces[: block + 1], crc, starts, fault
    return raw, pieces, crc, starts, 0


@numba.njit(cache=True, nogil=True)
def _encode_batch(values, crc, entries, limits, room):
    """Encode consecutive blocks into room: raw, pieces (blocks,), and the pieces in use."""
    block_values, streams, value_w, _, code_w, piece_w, word, header = limits
    raw = np.zeros(len(crc), dtype=np.bool_)
    pieces = np.zeros(len(crc), dtype=np.int64)
    end = 0
    for block in range(len(crc)):
        part = values[block * block_values : (block + 1) * block_values]
        verbatim = (len(part) * value_w + piece_w - 1) // piece_w
        place = room[end + header :]
        taken = _encode_block(part, streams, code_w, entries, place)
        raw[block] = taken < 0 or (taken + word - 1) // word > (verbatim + word - 1) // word
        if raw[block]:
            taken = _store_raw(part, value_w, piece_w, place)
        pieces[block] = taken
        sized = taken << 1 | np.int64(raw[block])
        top = sized << 7 | _crc7(sized)
        for index in range(header // 2):
            shift = 32 - piece_w * (index + 1)
            room[end + index] = top >> shift
            room[end + header // 2 + index] = np.int64(crc[block]) >> shift
        padded = (taken + word - 1) // word * word
        place[taken:padded] = 0
        end += header + padded
    return raw, pieces, end


@numba.njit(cache=True)
def _store_raw(values, value_w, piece_w, place):
    """The values verbatim, in pieces; returns how many."""
    value_w, piece_w = np.uint64(value_w), np.uint64(piece_w)
    held = bits = np.uint64(0)
    end = 0
    for value in values:
        held = held << value_w | np.uint64(value)
        bits += value_w
        if bits >= piece_w:
            bits -= piece_w
            place[end] = held >> bits
            end += 1
    if bits:
        place[end] = held << (piece_w - bits)
        end += 1
    return end


@numba.njit(cache=True)
def _encode_block(values, streams, code_w, entries, place):
    """One block's pieces; returns how many, or -1 when a stream runs too far ahead.

    A stream's bits are those of its low end, added up with carries: pending bits are ones that a
    carry may still turn over. `held` has the bits that make no whole piece yet (`width`), and
    below them 32 of low. The last of place is written while no piece of offsets is taken.
    """
    one, piece_w = np.uint64(1), _piece_w(place)
    ones = (one << piece_w) - one
    mask = ~((one << np.uint64(32 - code_w)) - one)
    helds = np.zeros(streams, dtype=np.uint64)
    widths = np.zeros(streams, dtype=np.uint64)
    sizes = np.full(streams, one << np.uint64(32), dtype=np.uint64)
    lefts = np.zeros(streams, dtype=np.uint64)
    dones = np.zeros(streams, dtype=np.uint64)
    takens = np.zeros(streams, dtype=np.uint64)
    rings = np.zeros(streams * _RING, dtype=np.uint64)
    end = np.uint64(0)
    for stream in range(streams):
        while lefts[stream] < np.uint64(code_w):
            rings[np.uint64(_RING * stream) + takens[stream]] = end
            end += one
            takens[stream] += one
            lefts[stream] += piece_w
        lefts[stream] -= np.uint64(code_w)
    offsets = offsets_left = np.uint64(0)
    offset_place = np.uint64(len(place) - 1)
    watching = False
    stream = np.uint64(0)
    for value in values:
        entry = np.uint64(_ENTRY) * np.uint64(value)
        size, held, width = sizes[stream], helds[stream], widths[stream]
        start = ((size * entries[entry]) >> np.uint64(16)) & mask
        size = (((size * entries[entry + one]) >> np.uint64(16)) & mask) - start
        held += start
        ring, done = stream * np.uint64(_RING), dones[stream]
        if held >> (np.uint64(32) + width):
            held = _carry(held, width, rings, ring, done, place)
        shifts = _shifts(held << one, size)
        sizes[stream] = size << shifts

        piece = (held >> (np.uint64(32) + width - piece_w)) & ones
        place[rings[ring + (done & np.uint64(_RING - 1))]] = piece
        width += shifts
        whole = width >= piece_w
        done += np.uint64(whole)
        less = width - piece_w
        width = less if whole else width
        held = (held << shifts) & ((one << (np.uint64(32) + width)) - one)
        helds[stream], widths[stream], dones[stream] = held, width, done

        left, taken = lefts[stream], takens[stream]
        rings[ring + (taken & np.uint64(_RING - 1))] = end
        more = left < shifts
        taken += np.uint64(more)
        end += np.uint64(more)
        left -= shifts
        longer = left + piece_w
        lefts[stream] = longer if more else left
        takens[stream] = taken

        if piece == ones and whole and done > one:
            before = rings[ring + ((done - np.uint64(2)) & np.uint64(_RING - 1))]
            watching |= np.uint64(place[before]) == ones
        if watching and _ahead(held, width, rings, ring, done, taken, place) > MOST_AHEAD:
            return -1

        new = entries[entry + np.uint64(2)]
        offsets = offsets << new | entries[entry + np.uint64(3)]
        place[offset_place] = offsets << offsets_left >> new
        more = offsets_left < new
        offset_place = end if more else offset_place
        end += np.uint64(more)
        offsets_left -= new
        longer = offsets_left + piece_w
        offsets_left = longer if more else offsets_left
        place[offset_place] = offsets << offsets_left

        stream = (stream + one) & np.uint64(streams - 1)
    for stream in range(streams):
        ring = np.uint64(_RING * stream)
        _close(helds[stream], widths[stream], rings, ring, dones[stream], takens[stream], place)
    return np.int64(end)


@numba.njit(cache=True)
def _carry(held, width, rings, ring, done, place):
    """Add the carry out of `held` to the pieces before it; returns held without it."""
    while True:
        done -= np.uint64(1)
        at = rings[ring + (done & np.uint64(_RING - 1))]
        place[at] += 1
        if place[at]:
            return held & ((np.uint64(1) << (np.uint64(32) + width)) - np.uint64(1))


@numba.njit(cache=True)
def _ahead(held, width, rings, ring, done, taken, place):
    """Pieces taken that are not decided: a carry may turn over the ones at a stream's end."""
    one, piece_w = np.uint64(1), _piece_w(place)
    pending = np.uint64(0)
    while pending <= width and (held >> (np.uint64(31) + pending)) & one:
        pending += one
    if pending > width:
        pending = width
        bit = one
        while bit and pending < width + np.uint64(MOST_AHEAD + 1) * piece_w:
            back = one + (pending - width) // piece_w
            at = rings[ring + ((done - back) & np.uint64(_RING - 1))]
            bit = (np.uint64(place[at]) >> ((pending - width) % piece_w)) & one
            pending += bit
        pending += one
    return np.int64(taken) - np.int64((done * piece_w + width - pending) // piece_w)


@numba.njit(cache=True)
def _close(held, width, rings, ring, done, taken, place):
    """Write what is left of a stream, with the two bits that tell its interval from all others."""
    one, piece_w = np.uint64(1), _piece_w(place)
    quarter = one << np.uint64(30)
    low = held & (quarter + quarter - one)
    held += (quarter << np.uint64(low >= quarter)) - low
    if held >> (np.uint64(32) + width):
        held = _carry(held, width, rings, ring, done, place)
    held >>= np.uint64(30)
    width += np.uint64(2)
    if width >= piece_w:
        width -= piece_w
        place[rings[ring + (done & np.uint64(_RING - 1))]] = held >> width
        done += one
    while done < taken:
        place[rings[ring + (done & np.uint64(_RING - 1))]] = held << (piece_w - width)
        width, held = piece_w, np.uint64(0)
        done += one


@numba.njit(cache=True, nogil=True)
def _decode_batch(values, data, starts, pieces, raw, table, limits, found):
    """Decode consecutive blocks into values; found is filled per block, see _DAMAGE."""
    block_values, streams, value_w, _, code_w, _, _, header = limits
    for block in range(len(pieces)):
        part = values[block * block_values : (block + 1) * block_values]
        stored = data[starts[block] + header : starts[block + 1]]
        own = stored[: pieces[block]]
        outside = np.uint64(0)
        if raw[block]:
            end, rest = _load_raw(part, value_w, own)
        else:
            end, outside, rest = _decode_block(part, own, streams, code_w, table)
        taken = np.int64(end)
        found[block, _OUTSIDE] = outside
        found[block, _SHORT] = max(taken - len(own), 0)
        found[block, _LEFT] = max(len(own) - taken, 0)
        found[block, _REST] = rest
        found[block, _PADDING] = stored[len(own) :].any()


@numba.njit(cache=True, forceinline=True)
def _piece(pieces, index):
    """A piece of the block; zero behind the end."""
    return np.uint64(pieces[index]) if index < np.uint64(len(pieces)) else np.uint64(0)


@numba.njit(cache=True)
def _load_raw(values, value_w, pieces):
    """Values that stand verbatim; returns the pieces taken and whether bits left are not zero."""
    one, value_w, piece_w = np.uint64(1), np.uint64(value_w), _piece_w(pieces)
    held = left = taken = np.uint64(0)
    for index in range(len(values)):
        if left < value_w:
            held = held << piece_w | _piece(pieces, taken)
            taken += one
            left += piece_w
        left -= value_w
        values[index] = (held >> left) & ((one << value_w) - one)
    return taken, (held & ((one << left) - one)) != 0


@numba.njit(cache=True)
def _first_states(states, pieces, code_w):
    """Fill in the streams' states at the start of a block; returns what they have in common.

    State: 2 * low, of which 32 bits mean something (the top bit of low is known), size,
    code - low at the top of 64 bits with the bits behind it that are taken and not used, and 64 +
    the place in it of the next piece. low and size count as if code_w was 32.
    In common: pieces taken, offset bits taken, how many of them are left, negative for damage.
    """
    taken = np.uint64(0)
    piece_w = _piece_w(pieces)
    for stream in range(len(states)):
        code, space = np.uint64(0), np.uint64(128) - piece_w
        while space + piece_w > np.uint64(128) - code_w:
            code |= _piece(pieces, taken) << (space & np.uint64(63))
            space -= piece_w
            taken += np.uint64(1)
        states[stream, 0], states[stream, 1] = 0, np.uint64(1) << np.uint64(32)
        states[stream, 2], states[stream, 3] = code, space
    return taken, np.uint64(0), np.uint64(0), np.uint64(0)


@numba.njit(cache=True, forceinline=True)
def _find(size, code, mask, rows, lookup):
    """The row of the symbol, or of one below it; the end of its slice, and whether that is low."""
    distance = code >> np.uint64(32)
    reciprocal = np.uint64(lookup[size >> np.uint64(_SIZE_SHIFT)])
    row = np.uint64(lookup[(distance * reciprocal) >> np.uint64(_GUESS_SHIFT)])
    end = ((size * rows[row + np.uint64(1)]) >> np.uint64(16)) & mask
    return row, end, distance >= end


@numba.njit(cache=True)
def _correct(row, size, code, mask, rows):
    """The row of the symbol, from one that may be below it, and the end of its slice."""
    end = ((size * rows[row + np.uint64(1)]) >> np.uint64(16)) & mask
    while code >> np.uint64(32) >= end:
        row += np.uint64(_ROW)
        end = ((size * rows[row + np.uint64(1)]) >> np.uint64(16)) & mask
    return row, end


@numba.njit(cache=True, forceinline=True)
def _narrow(low, size, code, space, row, end, mask, rows):
    """The state of a stream after a symbol."""
    one = np.uint64(1)
    start = ((size * rows[row]) >> np.uint64(16)) & mask
    code -= start << np.uint64(32)
    size = end - start
    low += start << one
    shifts = _shifts(low, size)
    return low << shifts, size << shifts, code << shifts, space + shifts


@numba.njit(cache=True, forceinline=True)
def _refill(code, space, common, row, rows, full, pieces):
    """Code and space of a stream after a value, what is in common, and the value.

    All is computed for both cases, so that nothing branches.
    """
    taken, offsets, offsets_left, damage = common
    piece_w = _piece_w(pieces)
    more = space > full
    longer, less = code | np.uint64(pieces[taken]) << (space & np.uint64(63)), space - piece_w
    code = longer if more else code
    space = less if more else space
    taken += np.uint64(more)
    width = rows[row + np.uint64(2)]
    more = offsets_left < width
    longer = offsets << piece_w | np.uint64(pieces[taken])
    offsets_left -= width
    larger = offsets_left + piece_w
    offsets = longer if more else offsets
    offsets_left = larger if more else offsets_left
    taken += np.uint64(more)
    offset = (offsets >> offsets_left) & rows[row + np.uint64(5)]
    damage |= rows[row + np.uint64(4)] - offset
    return code, space, (taken, offsets, offsets_left, damage), rows[row + np.uint64(3)] + offset


@numba.njit(cache=True, forceinline=True)
def _four(states, common, values, index, pieces, fixed):
    """One value of each of four streams, stage by stage, so that they overlap."""
    (low0, size0, code0, space0), (low1, size1, code1, space1) = states[0], states[1]
    (low2, size2, code2, space2), (low3, size3, code3, space3) = states[2], states[3]
    mask, full, rows, lookup = fixed
    row0, end0, wrong0 = _find(size0, code0, mask, rows, lookup)
    row1, end1, wrong1 = _find(size1, code1, mask, rows, lookup)
    row2, end2, wrong2 = _find(size2, code2, mask, rows, lookup)
    row3, end3, wrong3 = _find(size3, code3, mask, rows, lookup)
    if wrong0 | wrong1 | wrong2 | wrong3:
        row0, end0 = _correct(row0, size0, code0, mask, rows)
        row1, end1 = _correct(row1, size1, code1, mask, rows)
        row2, end2 = _correct(row2, size2, code2, mask, rows)
        row3, end3 = _correct(row3, size3, code3, mask, rows)
    low0, size0, code0, space0 = _narrow(low0, size0, code0, space0, row0, end0, mask, rows)
    low1, size1, code1, space1 = _narrow(low1, size1, code1, space1, row1, end1, mask, rows)
    low2, size2, code2, space2 = _narrow(low2, size2, code2, space2, row2, end2, mask, rows)
    low3, size3, code3, space3 = _narrow(low3, size3, code3, space3, row3, end3, mask, rows)
    code0, space0, common, value0 = _refill(code0, space0, common, row0, rows, full, pieces)
    code1, space1, common, value1 = _refill(code1, space1, common, row1, rows, full, pieces)
    code2, space2, common, value2 = _refill(code2, space2, common, row2, rows, full, pieces)
    code3, space3, common, value3 = _refill(code3, space3, common, row3, rows, full, pieces)
    values[index] = value0
    values[index + np.uint64(1)] = value1
    values[index + np.uint64(2)] = value2
    values[index + np.uint64(3)] = value3
    states = (
        (low0, size0, code0, space0),
        (low1, size1, code1, space1),
        (low2, size2, code2, space2),
        (low3, size3, code3, space3),
    )
    return states, common


@numba.njit(cache=True, forceinline=True)
def _load_four(states, first):
    """The states of four streams."""
    a, b, c, d = states[first], states[first + 1], states[first + 2], states[first + 3]
    return (
        (a[0], a[1], a[2], a[3]),
        (b[0], b[1], b[2], b[3]),
        (c[0], c[1], c[2], c[3]),
        (d[0], d[1], d[2], d[3]),
    )


@numba.njit(cache=True, forceinline=True)
def _store_four(states, first, four):
    for lane in range(4):
        for field in range(4):
            states[first + lane, field] = four[lane][field]


@numba.njit(cache=True)
def _decode_4(values, pieces, states, common, fixed):
    """Whole rounds of four streams while there are pieces; returns values and what is in common."""
    four = _load_four(states, 0)
    index, count, last = np.uint64(0), len(values) - 4, len(pieces) - 8
    while np.int64(index) <= count and np.int64(common[0]) <= last:
        four, common = _four(four, common, values, index, pieces, fixed)
        index += np.uint64(4)
    _store_four(states, 0, four)
    return np.int64(index), common


@numba.njit(cache=True)
def _decode_8(values, pieces, states, common, fixed):
    """The same of eight streams."""
    four, more = _load_four(states, 0), _load_four(states, 4)
    index, count, last = np.uint64(0), len(values) - 8, len(pieces) - 16
    while np.int64(index) <= count and np.int64(common[0]) <= last:
        four, common = _four(four, common, values, index, pieces, fixed)
        more, common = _four(more, common, values, index + np.uint64(4), pieces, fixed)
        index += np.uint64(8)
    _store_four(states, 0, four)
    _store_four(states, 4, more)
    return np.int64(index), common


@numba.njit(cache=True)
def _decode_many(values, pieces, states, common, fixed):
    """The same of any multiple of four streams."""
    index, count, last = np.uint64(0), len(values) - len(states), len(pieces) - 2 * len(states)
    while np.int64(index) <= count and np.int64(common[0]) <= last:
        for first in range(0, len(states), 4):
            four = _load_four(states, first)
            four, common = _four(four, common, values, index, pieces, fixed)
            _store_four(states, first, four)
            index += np.uint64(4)
    return np.int64(index), common


@numba.njit(cache=True)
def _decode_block(values, pieces, streams, code_w, table):
    """One block into values.

    Returns the pieces taken, 1 + the first value whose offset is outside its group (0 for none),
    and whether bits behind the end of a stream are not zero.
    """
    states = np.empty((streams, 4), dtype=np.uint64)
    code_w = np.uint64(code_w)
    one = np.uint64(1)
    fixed = (
        ~((one << (np.uint64(32) - code_w)) - one),
        np.uint64(128) - code_w - _piece_w(pieces),
        *table,
    )
    common = _first_states(states, pieces, code_w)
    index = 0
    if streams == 4:
        index, common = _decode_4(values, pieces, states, common, fixed)
    elif streams == 8:
        index, common = _decode_8(values, pieces, states, common, fixed)
    elif streams > 8:
        index, common = _decode_many(values, pieces, states, common, fixed)
    if np.int64(common[3]) < 0:  # an offset outside its group; now find where
        common = _first_states(states, pieces, code_w)
        index = 0
    taken, offsets, offsets_left, _ = common
    outside = np.uint64(0)
    mask, full, rows, lookup = fixed
    for at in range(index, len(values)):
        stream = at % streams
        low, size, code, space = states[stream]
        row, end, _ = _find(size, code, mask, rows, lookup)
        row, end = _correct(row, size, code, mask, rows)
        low, size, code, space = _narrow(low, size, code, space, row, end, mask, rows)
        if space > full:
            code |= _piece(pieces, taken) << (space & np.uint64(63))
            space -= _piece_w(pieces)
            taken += one
        width = rows[row + np.uint64(2)]
        if offsets_left < width:
            offsets = offsets << _piece_w(pieces) | _piece(pieces, taken)
            offsets_left += _piece_w(pieces)
            taken += one
        offsets_left -= width
        offset = (offsets >> offsets_left) & rows[row + np.uint64(5)]
        if offset > rows[row + np.uint64(4)] and not outside:
            outside = np.uint64(at + 1)
        values[at] = rows[row + np.uint64(3)] + offset
        states[stream, 0], states[stream, 1] = low, size
        states[stream, 2], states[stream, 3] = code, space
    rest = offsets & ((one << offsets_left) - one)
    for stream in range(streams):
        low, _, code, _ = states[stream]
        quarter = one << np.uint64(30)
        low = (low & np.uint64(0xFFFFFFFF)) >> one
        closing = (quarter << np.uint64(low >= quarter)) - low
        rest |= code ^ closing << np.uint64(32)
    return taken, outside, rest != 0
