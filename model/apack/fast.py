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
_LEAST_BATCH = 1 << 16
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
_RING = 16  # places known in advance of a code stream's pieces; more than MOST_AHEAD + 1


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
    groups, symbols = _decoder_entries(table)
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
            groups,
            symbols,
            limits,
            found[first:last],
        )
        crc = _crcs(values[first * block_values : last * block_values], block_values)
        found[first:last, _CRC] = crc != encoded.crc[first:last]

    _in_parallel(decode, encoded.count, block_values, progress, cores)
    damaged = np.flatnonzero(found.any(axis=1))
    if damaged.size:
        raise CorruptStream(_damage(encoded, int(damaged[0]), found[damaged[0]]))
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
    """Per value: cum of its group and of the next, offset width, offset; uint32 (values, 4)."""
    entries = np.zeros((1 << table.value_w, 4), dtype=np.uint32)
    for symbol, (base, size) in enumerate(zip(table.base, table.sizes, strict=True)):
        rows = entries[base : base + size]
        rows[:, 0] = table.cum[symbol]
        rows[:, 1] = table.cum[symbol + 1]
        rows[:, 2] = table.offset_w[symbol]
        rows[:, 3] = np.arange(size)
    return entries


def _decoder_entries(table: SymbolTable) -> tuple[np.ndarray, np.ndarray]:
    """Per group: cum, next cum, offset width, base, size; and per cumulative count its group."""
    rows = (table.cum[:-1], table.cum[1:], table.offset_w, table.base, table.sizes)
    groups = np.array(rows, dtype=np.uint32).T.copy()
    return groups, np.repeat(np.arange(table.groups, dtype=np.uint16), table.counts)


@intrinsic
def _leading_zeros(typing_context, value):
    """Leading zero bits of a uint64; 64 for 0."""

    def generate(context, builder, signature, arguments):
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@numba.njit(cache=True)
def _crc7(sized):
    """blocks.crc7, whose bits are those of its argument's bits."""
    crc = 0
    for bit in range(len(_CRC7)):
        crc ^= _CRC7[bit] * (sized >> bit & 1)
    return crc


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
    block_values, streams, value_w, count_w, code_w, piece_w, word, header = limits
    raw = np.zeros(len(crc), dtype=np.bool_)
    pieces = np.zeros(len(crc), dtype=np.int64)
    end = 0
    for block in range(len(crc)):
        part = values[block * block_values : (block + 1) * block_values]
        verbatim = (len(part) * value_w + piece_w - 1) // piece_w
        place = room[end + header :]
        taken = _encode_block(part, entries, streams, count_w, code_w, piece_w, place)
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
def _encode_block(values, entries, streams, count_w, code_w, piece_w, place):
    """One block's pieces; returns how many, or -1 when a stream runs too far ahead.

    The last of place is written when there is no piece yet that a bit could belong to.
    """
    one = np.uint64(1)
    count_w, code_w, piece_w = np.uint64(count_w), np.uint64(code_w), np.uint64(piece_w)
    below_half = (one << (code_w - one)) - one
    lows = np.zeros(streams, dtype=np.uint64)
    sizes = np.full(streams, one << code_w, dtype=np.uint64)
    pendings = np.zeros(streams, dtype=np.uint64)
    codes = np.zeros((streams, 2), dtype=np.uint64)
    lefts = np.zeros(streams, dtype=np.uint64)
    rings = np.zeros((streams, _RING), dtype=np.int64)
    takens = np.zeros(streams, dtype=np.int64)
    dones = np.zeros(streams, dtype=np.int64)
    end = 0
    for stream in range(streams):
        while lefts[stream] < code_w:
            rings[stream, takens[stream]] = end
            end += 1
            takens[stream] += 1
            lefts[stream] += piece_w
        lefts[stream] -= code_w
    offsets = offsets_left = np.uint64(0)
    offset_place = len(place) - 1
    stream = 0
    for value in values:
        size, low, pending = sizes[stream], lows[stream], pendings[stream]
        start = (size * np.uint64(entries[value, 0])) >> count_w
        size = ((size * np.uint64(entries[value, 1])) >> count_w) - start
        low += start
        high = low + size - one
        decided = _leading_zeros(low ^ high) - (np.uint64(64) - code_w)
        run = ~(low & ~high) << decided << (np.uint64(65) - code_w)
        undecided = (
            min(_leading_zeros(run), code_w - one - decided) if decided < code_w else np.uint64(0)
        )
        shifts = decided + undecided
        field = low >> (code_w - decided)
        lows[stream] = (low << shifts) & below_half
        sizes[stream] = size << shifts

        taken = takens[stream]
        more = lefts[stream] < shifts
        rings[stream, taken % _RING] = end
        end += more
        takens[stream] = taken + more
        lefts[stream] += (piece_w if more else np.uint64(0)) - shifts

        if decided:
            held, bits = codes[stream, 0], codes[stream, 1]
            done = dones[stream]
            if pending:
                rest = decided - one
                first = field >> rest
                held, bits, done = _put(held, bits, first, one, rings[stream], done, place, piece_w)
                while pending:
                    held, bits, done = _put(
                        held, bits, one - first, one, rings[stream], done, place, piece_w
                    )
                    pending -= one
                field &= (one << rest) - one
                decided = rest
            held, bits, done = _put(held, bits, field, decided, rings[stream], done, place, piece_w)
            codes[stream, 0], codes[stream, 1] = held, bits
            dones[stream] = done
        pendings[stream] = pending + undecided
        if takens[stream] - dones[stream] > MOST_AHEAD:
            return -1

        width = np.uint64(entries[value, 2])
        offsets = offsets << width | np.uint64(entries[value, 3])
        place[offset_place] = offsets << offsets_left >> width
        if offsets_left < width:
            offset_place = end
            end += 1
            offsets_left += piece_w
        offsets_left -= width
        place[offset_place] = offsets << offsets_left

        stream += 1
        if stream == streams:
            stream = 0
    for stream in range(streams):
        held, bits = codes[stream, 0], codes[stream, 1]
        done = dones[stream]
        last = np.uint64(lows[stream] > below_half >> one)
        held, bits, done = _put(held, bits, last, one, rings[stream], done, place, piece_w)
        for _ in range(pendings[stream] + one):
            held, bits, done = _put(
                held, bits, one - last, one, rings[stream], done, place, piece_w
            )
        if bits:
            place[rings[stream, done % _RING]] = held << (piece_w - bits)
            done += 1
        while done < takens[stream]:
            place[rings[stream, done % _RING]] = 0
            done += 1
    return end


@numba.njit(cache=True, inline="always")
def _put(held, bits, field, width, ring, done, place, piece_w):
    held = held << width | field
    bits += width
    while bits >= piece_w:
        bits -= piece_w
        place[ring[done % _RING]] = held >> bits
        done += 1
    return held, bits, done


@numba.njit(cache=True, nogil=True)
def _decode_batch(values, data, starts, pieces, raw, groups, symbols, limits, found):
    """Decode consecutive blocks into values; found is filled per block, see _DAMAGE."""
    block_values, streams, value_w, count_w, code_w, piece_w, word, header = limits
    for block in range(len(pieces)):
        part = values[block * block_values : (block + 1) * block_values]
        stored = data[starts[block] + header : starts[block + 1]]
        own = stored[: pieces[block]]
        if raw[block]:
            taken, rest = _load_raw(part, value_w, piece_w, own)
            outside = 0
        else:
            taken, outside, rest = _decode_block(
                part, groups, symbols, streams, count_w, code_w, piece_w, own
            )
        found[block, _OUTSIDE] = outside
        found[block, _SHORT] = max(taken - pieces[block], 0)
        found[block, _LEFT] = max(pieces[block] - taken, 0)
        found[block, _REST] = rest
        found[block, _PADDING] = stored[pieces[block] :].any()


@numba.njit(cache=True, inline="always")
def _piece(pieces, index):
    """A piece of the block; zero behind the end."""
    return np.uint64(pieces[index]) if index < len(pieces) else np.uint64(0)


@numba.njit(cache=True)
def _load_raw(values, value_w, piece_w, pieces):
    """Values that stand verbatim; returns the pieces taken and whether bits left are not zero."""
    one, value_w, piece_w = np.uint64(1), np.uint64(value_w), np.uint64(piece_w)
    held = left = np.uint64(0)
    taken = 0
    for index in range(len(values)):
        if left < value_w:
            held = held << piece_w | _piece(pieces, taken)
            taken += 1
            left += piece_w
        left -= value_w
        values[index] = (held >> left) & ((one << value_w) - one)
    return taken, (held & ((one << left) - one)) != 0


@numba.njit(cache=True)
def _decode_block(values, groups, symbols, streams, count_w, code_w, piece_w, pieces):
    """One block into values.

    Returns the pieces taken, 1 + the first value whose offset is outside its group (0 for none),
    and whether bits behind the end of a stream are not zero.
    """
    one = np.uint64(1)
    count_w, code_w, piece_w = np.uint64(count_w), np.uint64(code_w), np.uint64(piece_w)
    below_half = (one << (code_w - one)) - one
    lows = np.zeros(streams, dtype=np.uint64)
    sizes = np.full(streams, one << code_w, dtype=np.uint64)
    codes = np.zeros(streams, dtype=np.uint64)  # code - low, and behind it the bits left
    lefts = np.zeros(streams, dtype=np.uint64)
    taken = outside = 0
    for stream in range(streams):
        while lefts[stream] < code_w:
            codes[stream] = codes[stream] << piece_w | _piece(pieces, taken)
            taken += 1
            lefts[stream] += piece_w
        lefts[stream] -= code_w
    offsets = offsets_left = np.uint64(0)
    stream = 0
    for index in range(len(values)):
        size, low, code, left = sizes[stream], lows[stream], codes[stream], lefts[stream]
        scaled = (((code >> left) + one) << count_w) - one
        # Exact: both are below 2**50, so the rounded quotient never reaches the next integer.
        symbol = symbols[np.int64(np.float64(np.int64(scaled)) / np.float64(np.int64(size)))]
        start = (size * np.uint64(groups[symbol, 0])) >> count_w
        size = ((size * np.uint64(groups[symbol, 1])) >> count_w) - start
        low += start
        code -= start << left
        high = low + size - one
        decided = _leading_zeros(low ^ high) - (np.uint64(64) - code_w)
        run = ~(low & ~high) << decided << (np.uint64(65) - code_w)
        undecided = (
            min(_leading_zeros(run), code_w - one - decided) if decided < code_w else np.uint64(0)
        )
        shifts = decided + undecided
        if left < shifts:
            code = code << piece_w | _piece(pieces, taken)
            taken += 1
            left += piece_w
        lows[stream] = (low << shifts) & below_half
        sizes[stream] = size << shifts
        codes[stream] = code
        lefts[stream] = left - shifts
        width = np.uint64(groups[symbol, 2])
        if offsets_left < width:
            offsets = offsets << piece_w | _piece(pieces, taken)
            taken += 1
            offsets_left += piece_w
        offsets_left -= width
        offset = (offsets >> offsets_left) & ((one << width) - one)
        if offset >= np.uint64(groups[symbol, 4]) and not outside:
            outside = index + 1
        values[index] = np.uint64(groups[symbol, 3]) + offset
        stream += 1
        if stream == streams:
            stream = 0
    rest = offsets & ((one << offsets_left) - one)
    for stream in range(streams):
        low = lows[stream]
        quarter = (below_half + one) >> one
        closing = (quarter << np.uint64(low >= quarter)) - low
        rest |= codes[stream] ^ closing << lefts[stream]
    return taken, outside, rest != 0
