# SPDX-License-Identifier: Apache-2.0
"""The coder for whole tensors: bit-exact with `model.apack.coder`, compiled, blocks in parallel.

It differs from the readable coder in three ways that do not change a bit of the streams: all
shifts of a value are made in one step (leading equal bits of low and high, then the run of
01.../10... under the top bit), the decoder keeps only code - low, which no shift but doubling
changes, and it finds the symbol by one division and a look-up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from ..bitstream.bits import Bits
from ..errors import InputError
from ..tensors.quantize import pattern_dtype
from ..tensors.statistics import as_patterns
from .coder import CODE_W, EncodedBlock, Fault, check_code_w
from .table import SymbolTable

BLOCK_VALUES = 4096
WORD_BYTES = 4
_LEAST_BATCH = 1 << 16
_LARGEST_BATCH = 1 << 20
_BATCHES_PER_CORE = 4
_ZERO_WORDS = 4


@dataclass(frozen=True)
class EncodedBlocks:
    """Consecutive blocks of block_values values each, the last one shorter.

    Each stream of each block starts at a multiple of WORD_BYTES in `code` and `offsets` (uint8)
    and is padded with zero bits. code_bits and offset_bits are int64 (blocks,).
    """

    count: int
    block_values: int
    table: SymbolTable
    code_w: int
    code_bits: np.ndarray
    offset_bits: np.ndarray
    code: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.code_bits)

    @cached_property
    def code_starts(self) -> np.ndarray:
        """First byte of each block's code stream, and the end: int64 (blocks + 1,)."""
        return _starts(self.code_bits)

    @cached_property
    def offset_starts(self) -> np.ndarray:
        """First byte of each block's offset stream, and the end: int64 (blocks + 1,)."""
        return _starts(self.offset_bits)

    @property
    def bits(self) -> int:
        """Code and offset bits of all blocks, without padding."""
        return int(self.code_bits.sum() + self.offset_bits.sum())

    def block_count(self, index: int) -> int:
        """Number of values in a block."""
        return min(self.block_values, self.count - index * self.block_values)

    def block(self, index: int) -> EncodedBlock:
        """One block, as the readable coder returns it."""
        if not 0 <= index < len(self):
            raise InputError(f"block {index} does not exist; there are {len(self)}")
        return EncodedBlock(
            self.block_count(index),
            _cut(self.code, self.code_starts[index], self.code_bits[index]),
            _cut(self.offsets, self.offset_starts[index], self.offset_bits[index]),
        )


def encode_blocks(
    values: np.ndarray,
    table: SymbolTable,
    block_values: int = BLOCK_VALUES,
    code_w: int = CODE_W,
    progress: Callable[[int], None] | None = None,
    cores: int | None = None,
) -> EncodedBlocks:
    """Encode unsigned patterns of any shape, in C order, as independent blocks.

    `progress` is called with the number of values just finished; `cores` are used, by default all.
    No values make no blocks.
    Raises InputError as encode_block does, and for block_values < 1.
    """
    check_code_w(table, code_w)
    if block_values < 1:
        raise InputError(f"blocks of {block_values} values; at least 1 is needed")
    values = np.ascontiguousarray(as_patterns(values, table.value_w))
    entries = _encoder_entries(table)
    limits = np.array([block_values, table.count_w, code_w], dtype=np.int64)

    def encode(first: int, last: int) -> tuple[np.ndarray, ...]:
        part = values[first * block_values : last * block_values]
        return _encode_batch(part, entries, limits)

    parts = _in_parallel(encode, len(values), block_values, progress, cores)
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return EncodedBlocks(len(values), block_values, table, code_w, *joined)


def decode_blocks(
    encoded: EncodedBlocks,
    progress: Callable[[int], None] | None = None,
    cores: int | None = None,
) -> np.ndarray:
    """The values of all blocks: (count,), uint8 for value_w <= 8 and uint16 above.

    Raises CorruptStream for the first faulty block, naming block, stream and value.
    """
    values, faults, positions = decode_with_faults(encoded, progress, cores)
    bad = np.flatnonzero(faults)
    if bad.size:
        index = int(bad[0])
        fault = Fault(int(faults[index]))
        error = fault.error(int(positions[index]), encoded.block_count(index))
        raise type(error)(f"block {index}: {error}")
    return values


def decode_with_faults(
    encoded: EncodedBlocks,
    progress: Callable[[int], None] | None = None,
    cores: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decode every block, faulty or not: values (count,), faults and positions (blocks,).

    A block with a fault (see Fault) keeps the values before the position and zeros after it.
    """
    table = encoded.table
    check_code_w(table, encoded.code_w)
    values = np.zeros(encoded.count, dtype=pattern_dtype(table.value_w))
    faults = np.zeros(len(encoded), dtype=np.int64)
    positions = np.zeros(len(encoded), dtype=np.int64)
    groups, symbols = _decoder_entries(table)
    limits = np.array([encoded.block_values, table.count_w, encoded.code_w], dtype=np.int64)

    def decode(first: int, last: int) -> None:
        values_of = slice(first * encoded.block_values, last * encoded.block_values)
        _decode_batch(
            values[values_of],
            encoded.code,
            encoded.code_starts[first : last + 1],
            encoded.code_bits[first:last],
            encoded.offsets,
            encoded.offset_starts[first : last + 1],
            encoded.offset_bits[first:last],
            groups,
            symbols,
            limits,
            faults[first:last],
            positions[first:last],
        )

    _in_parallel(decode, encoded.count, encoded.block_values, progress, cores)
    return values, faults, positions


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


def _starts(bits: np.ndarray) -> np.ndarray:
    padded = -(-bits // (8 * WORD_BYTES)) * WORD_BYTES
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(padded)])


def _cut(stream: np.ndarray, start: int, bits: int) -> Bits:
    return Bits(int(bits), stream[start : start + -(-int(bits) // 8)].tobytes())


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


@numba.njit(cache=True, inline="always")
def _undecided(low, high, code_w):
    """Length of the run of 1 in low and 0 in high under the (different) top bits."""
    run = ~(low & ~high) << np.uint64(65 - code_w)
    return min(_leading_zeros(run), np.uint64(code_w - 1))


@numba.njit(cache=True, nogil=True)
def _encode_batch(values, entries, limits):
    """Encode consecutive blocks: code_bits, offset_bits (blocks,), code, offsets (bytes)."""
    block_values, count_w, code_w = limits
    blocks = (len(values) + block_values - 1) // block_values
    code_bits = np.zeros(blocks, dtype=np.int64)
    offset_bits = np.zeros(blocks, dtype=np.int64)
    code = np.empty(len(values) * code_w // 32 + 2 * blocks + 2, dtype=np.uint32)
    offsets = np.empty(len(values) // 2 + 2 * blocks + 2, dtype=np.uint32)
    code_end = offset_end = 0
    for block in range(blocks):
        part = values[block * block_values : (block + 1) * block_values]
        code_bits[block] = _encode_code(part, entries, count_w, code_w, code[code_end:])
        offset_bits[block] = _encode_offsets(part, entries, offsets[offset_end:])
        code_end += (code_bits[block] + 31) // 32
        offset_end += (offset_bits[block] + 31) // 32
    return code_bits, offset_bits, _as_bytes(code[:code_end]), _as_bytes(offsets[:offset_end])


@numba.njit(cache=True)
def _as_bytes(words):
    stream = np.empty(4 * len(words), dtype=np.uint8)
    for index in range(len(words)):
        word = words[index]
        stream[4 * index] = word >> 24
        stream[4 * index + 1] = (word >> 16) & 0xFF
        stream[4 * index + 2] = (word >> 8) & 0xFF
        stream[4 * index + 3] = word & 0xFF
    return stream


@numba.njit(cache=True, inline="always")
def _put(words, end, held, bits, field, width):
    """Append `width` <= 32 bits; returns the new end, the held bits and how many are not stored.

    The word at `end` is written each time, complete or not, so that nothing branches.
    """
    held = (held << width) | field
    bits += width
    words[end] = ((held << (np.uint64(63) - bits)) << np.uint64(1)) >> np.uint64(32)
    return end + np.int64(bits >> np.uint64(5)), held, bits & np.uint64(31)


@numba.njit(cache=True, inline="always")
def _finish(words, end, held, bits):
    """Store the bits of the last, incomplete word, zero padded; returns the stream's length."""
    words[end] = held << (np.uint64(32) - bits)
    return 32 * end + np.int64(bits)


@numba.njit(cache=True)
def _put_run(words, end, held, bits, bit, length):
    """Append `length` copies of `bit`."""
    while length:
        width = min(length, np.uint64(32))
        field = (np.uint64(1) << width) - np.uint64(1) if bit else np.uint64(0)
        end, held, bits = _put(words, end, held, bits, field, width)
        length -= width
    return end, held, bits


@numba.njit(cache=True)
def _encode_code(values, entries, count_w, code_w, words):
    """The code stream of one block into words (uint32); returns its length in bits."""
    one = np.uint64(1)
    count_w, code_w = np.uint64(count_w), np.uint64(code_w)
    mask = (one << code_w) - one
    half = one << (code_w - one)
    low, high = np.uint64(0), mask
    held = bits = pending = np.uint64(0)
    end = 0
    for value in values:
        size = high - low + one
        high = low + ((size * np.uint64(entries[value, 1])) >> count_w) - one
        low = low + ((size * np.uint64(entries[value, 0])) >> count_w)
        decided = _leading_zeros(low ^ high) - (np.uint64(64) - code_w)
        field = low >> (code_w - decided)
        if decided + pending <= np.uint64(32):
            field += (((one << pending) - one) << decided) >> one
            width = decided + pending if decided else np.uint64(0)
            end, held, bits = _put(words, end, held, bits, field if decided else width, width)
        elif decided:
            rest = decided - one
            first = field >> rest
            end, held, bits = _put(words, end, held, bits, first, one)
            end, held, bits = _put_run(words, end, held, bits, one - first, pending)
            end, held, bits = _put(words, end, held, bits, field & ((one << rest) - one), rest)
        low = (low << decided) & mask
        high = ((high << decided) & mask) | ((one << decided) - one)
        undecided = _undecided(low, high, code_w)
        pending = undecided if decided else pending + undecided
        low = (low << undecided) & (half - one)
        high = ((high << undecided) & (half - one)) | half | ((one << undecided) - one)
    last = np.uint64(low >= (half >> one))
    end, held, bits = _put(words, end, held, bits, last, one)
    end, held, bits = _put_run(words, end, held, bits, one - last, pending + one)
    return _finish(words, end, held, bits)


@numba.njit(cache=True)
def _encode_offsets(values, entries, words):
    """The offset stream of one block into words (uint32); returns its length in bits."""
    held = bits = np.uint64(0)
    end = 0
    for value in values:
        width, offset = np.uint64(entries[value, 2]), np.uint64(entries[value, 3])
        end, held, bits = _put(words, end, held, bits, offset, width)
    return _finish(words, end, held, bits)


@numba.njit(cache=True, nogil=True)
def _decode_batch(
    values,
    code,
    code_starts,
    code_bits,
    offsets,
    offset_starts,
    offset_bits,
    groups,
    symbols,
    limits,
    faults,
    positions,
):
    """Decode consecutive blocks into values; faults and positions are filled per block."""
    block_values, count_w, code_w = limits
    table = (groups, symbols, np.uint64(count_w), np.uint64(code_w))
    code_words = np.empty((2, _longest(code_starts) + _ZERO_WORDS), dtype=np.uint32)
    offset_words = np.empty((2, _longest(offset_starts) + _ZERO_WORDS), dtype=np.uint32)
    blocks = len(code_bits)
    for first in range(0, blocks, 2):
        last = min(first + 2, blocks)
        for block in range(first, last):
            row = block - first
            _load(code_words[row], code[code_starts[block] : code_starts[block + 1]])
            _load(offset_words[row], offsets[offset_starts[block] : offset_starts[block + 1]])
        part = values[first * block_values : last * block_values]
        if len(part) == 2 * block_values and _decode_pair(
            part, code_words, code_bits[first:], offset_words, offset_bits[first:], table
        ):
            continue
        for block in range(first, last):
            row = block - first
            faults[block], positions[block] = _decode_block(
                part[row * block_values : (row + 1) * block_values],
                code_words[row],
                code_bits[block],
                offset_words[row],
                offset_bits[block],
                table,
            )


@numba.njit(cache=True)
def _longest(starts):
    """Words of the longest stream between consecutive byte positions."""
    longest = 0
    for index in range(len(starts) - 1):
        longest = max(longest, starts[index + 1] - starts[index])
    return longest // 4


@numba.njit(cache=True)
def _load(words, stream):
    """Turn a stream's bytes into words, with zeros after its end."""
    count = len(stream) // 4
    for index in range(count):
        word = np.uint32(0)
        for byte in stream[4 * index : 4 * index + 4]:
            word = (word << np.uint32(8)) | np.uint32(byte)
        words[index] = word
    words[count : count + _ZERO_WORDS] = 0


@numba.njit(cache=True, inline="always")
def _field(words, position, width):
    """The `width` <= 32 bits that start at a bit position."""
    index = np.int64(position >> np.uint64(5))
    window = (np.uint64(words[index]) << np.uint64(32)) | np.uint64(words[index + 1])
    aligned = window << (position & np.uint64(31))
    return (aligned >> np.uint64(1)) >> (np.uint64(63) - width)


@numba.njit(cache=True)
def _first_state(code, table):
    """low, high, code - low, and the positions in both streams."""
    code_w = table[3]
    high = (np.uint64(1) << code_w) - np.uint64(1)
    return np.uint64(0), high, _field(code, np.uint64(0), code_w), code_w, np.uint64(0)


@numba.njit(cache=True)
def _ends(code_bits, offset_bits, table):
    """The positions that a sound block ends at."""
    return np.uint64(code_bits + np.int64(table[3]) - 2), np.uint64(offset_bits)


@numba.njit(cache=True)
def _decode_value(state, code, offsets, table):
    """The symbol of the next value, its offset, and the state after it."""
    low, high, distance, code_at, offset_at = state
    groups, symbols, count_w, code_w = table
    one = np.uint64(1)
    mask = (one << code_w) - one
    half = one << (code_w - one)
    size = high - low + one
    scaled = ((distance + one) << count_w) - one
    # Exact: both are below 2**50, so the rounded quotient never reaches the next integer.
    symbol = symbols[np.int64(np.float64(np.int64(scaled)) / np.float64(np.int64(size)))]
    start = (size * np.uint64(groups[symbol, 0])) >> count_w
    high = low + ((size * np.uint64(groups[symbol, 1])) >> count_w) - one
    low += start
    decided = _leading_zeros(low ^ high) - (np.uint64(64) - code_w)
    low = (low << decided) & mask
    high = ((high << decided) & mask) | ((one << decided) - one)
    undecided = _undecided(low, high, code_w)
    low = (low << undecided) & (half - one)
    high = ((high << undecided) & (half - one)) | half | ((one << undecided) - one)
    shifts = decided + undecided
    distance = ((distance - start) << shifts) | _field(code, code_at, shifts)
    width = np.uint64(groups[symbol, 2])
    offset = _field(offsets, offset_at, width)
    return symbol, offset, (low, high, distance, code_at + shifts, offset_at + width)


@numba.njit(cache=True)
def _decode_pair(values, code, code_bits, offsets, offset_bits, table):
    """Two blocks side by side, so that one computes while the other waits.

    values, code and offsets hold one after the other. Returns whether both are without fault; if
    not, the values mean nothing.
    """
    groups, count = table[0], len(values) // 2
    code_a, code_b, offsets_a, offsets_b = code[0], code[1], offsets[0], offsets[1]
    state_a, ends_a = _first_state(code_a, table), _ends(code_bits[0], offset_bits[0], table)
    state_b, ends_b = _first_state(code_b, table), _ends(code_bits[1], offset_bits[1], table)
    for index in range(count):
        symbol_a, offset_a, state_a = _decode_value(state_a, code_a, offsets_a, table)
        symbol_b, offset_b, state_b = _decode_value(state_b, code_b, offsets_b, table)
        past_a = state_a[3] > ends_a[0] or state_a[4] > ends_a[1]
        past_b = state_b[3] > ends_b[0] or state_b[4] > ends_b[1]
        outside_a = offset_a >= np.uint64(groups[symbol_a, 4])
        outside_b = offset_b >= np.uint64(groups[symbol_b, 4])
        if past_a or past_b or outside_a or outside_b:
            return False
        values[index] = np.uint64(groups[symbol_a, 3]) + offset_a
        values[count + index] = np.uint64(groups[symbol_b, 3]) + offset_b
    return state_a[3:] == ends_a and state_b[3:] == ends_b


@numba.njit(cache=True)
def _decode_block(values, code, code_bits, offsets, offset_bits, table):
    """One block into values; returns the fault (0 for none) and the value it was met at.

    Both streams need _ZERO_WORDS words after their end: a fault ends the loop before more of
    them are read.
    """
    state, ends = _first_state(code, table), _ends(code_bits, offset_bits, table)
    for index in range(len(values)):
        symbol, offset, state = _decode_value(state, code, offsets, table)
        if state[3] > ends[0]:
            return 1, index
        if state[4] > ends[1]:
            return 2, index
        if offset >= np.uint64(table[0][symbol, 4]):
            return 3, index
        values[index] = np.uint64(table[0][symbol, 3]) + offset
    if state[3] != ends[0]:
        return 4 if state[3] < ends[0] else 1, len(values)
    return 5 if state[4] < ends[1] else 0, len(values)
