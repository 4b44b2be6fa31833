# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from functools import partial
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.apack import (
    ApackError,
    CorruptStream,
    SymbolTable,
    decode_block,
    encode_block,
    fast,
)
from model.apack.coder import Fault
from model.apack.hostile import centred_table, pending_run
from model.tensors import pattern_dtype
from model.tests.apack import bignum
from model.tests.apack.tables import tables, tables_and_values


def assert_same_as_readable(values, table, block_values, code_w):
    encoded = fast.encode_blocks(values, table, block_values, code_w)
    assert len(encoded) == -(-len(values) // block_values)
    for index in range(len(encoded)):
        part = values[index * block_values : (index + 1) * block_values]
        assert encoded.block(index) == encode_block(part, table, code_w), f"block {index}"
    decoded = fast.decode_blocks(encoded)
    np.testing.assert_array_equal(decoded, values)
    assert decoded.dtype == (np.uint8 if table.value_w <= 8 else np.uint16)


@given(tables_and_values(), st.integers(1, 400), st.integers(0, 16))
def test_bit_exact_with_the_readable_coder(case, block_values, slack):
    table, values = case
    assert_same_as_readable(values, table, block_values, min(32, table.count_w + 2 + slack))


def small_tables():
    """Every table of 4 values and counts of up to 3 bits, the groups at the low end."""
    for count_w in (1, 2, 3):
        for groups in range(1, min(4, 1 << count_w) + 1):
            for inner in combinations(range(1, 1 << count_w), groups - 1):
                yield SymbolTable(2, count_w, tuple(range(groups)), (0, *inner, 1 << count_w))


def test_bit_exact_in_every_corner_of_a_narrow_interval():
    # So few bits that the interval meets the quarters and the middle exactly, again and again.
    values = np.random.default_rng(0).integers(0, 4, 500).astype(np.uint8)
    pairs = np.array(list(product(range(4), repeat=2)), dtype=np.uint8)
    for table in small_tables():
        for code_w in (table.count_w + 2, table.count_w + 3):
            encoded = fast.encode_blocks(values, table, 500, code_w)
            assert encoded.block(0) == encode_block(values, table, code_w), table
            assert str(encoded.block(0).code) == bignum.encode(values, table, code_w)[0], table
            np.testing.assert_array_equal(fast.decode_blocks(encoded), values, str(table))
            short = fast.encode_blocks(pairs, table, 2, code_w)
            for block, pair in enumerate(pairs):
                assert short.block(block) == encode_block(pair, table, code_w), table
            np.testing.assert_array_equal(fast.decode_blocks(short), pairs.reshape(-1))


def test_bit_exact_when_pending_bits_fill_a_word_at_any_position():
    table = centred_table(centre=512)
    for before in range(33):
        for pending in (*range(27, 36), 64, 65):
            values = np.array([127, 0] * (before % 2) + [0] * (before // 2) + [127] * pending)
            values = np.append(values, [255 * (before % 3 > 0), 0]).astype(np.uint8)
            encoded = fast.encode_blocks(values, table)
            assert encoded.block(0) == encode_block(values, table), (before, pending)


@given(tables(), st.integers(0, 1000), st.sampled_from([None, 2, 17]))
@settings(max_examples=30)
def test_bit_exact_on_hostile_values(table, seed, run):
    assert_same_as_readable(pending_run(table, 300, seed=seed, run=run), table, 100, 16)


@pytest.mark.parametrize("ending", [[], [0], [255], [0, 255, 128]])
def test_bit_exact_on_pending_runs_of_any_length(ending):
    table = centred_table(centre=512)
    for length in [*range(70), 4096]:
        values = np.array([127] * length + ending, dtype=np.uint8)
        assert_same_as_readable(values, table, 8192, 16)
    table = centred_table()
    assert_same_as_readable(np.array([127] * 4096 + ending, dtype=np.uint8), table, 8192, 16)


@pytest.mark.parametrize(("value_w", "count_w", "code_w"), [(16, 16, 18), (16, 14, 32), (2, 1, 3)])
def test_bit_exact_at_the_widest_and_narrowest(value_w, count_w, code_w):
    rng = np.random.default_rng(value_w)
    table = SymbolTable.uniform(value_w, min(1 << value_w, 1 << count_w, 999), count_w)
    values = rng.integers(0, 1 << value_w, 3000).astype(pattern_dtype(value_w))
    assert_same_as_readable(values, table, 1000, code_w)


def test_many_batches_keep_their_order():
    values = np.random.default_rng(0).geometric(0.05, 3_000_001).clip(max=255).astype(np.uint8)
    table = SymbolTable(8, 10, (0, 4, 8, 16, 32, 64), (0, 150, 350, 600, 850, 1000, 1024))
    encoded = fast.encode_blocks(values, table)
    for index in (0, 255, 256, 257, 511, len(encoded) - 1):
        part = values[index * 4096 : (index + 1) * 4096]
        assert encoded.block(index) == encode_block(part, table)
    assert encoded.bits == sum(encoded.block(index).bits for index in range(len(encoded)))
    np.testing.assert_array_equal(fast.decode_blocks(encoded), values)


def test_progress_counts_every_value():
    values = np.zeros((3, 100_003), dtype=np.uint8)  # the last block is shorter
    steps = []
    encoded = fast.encode_blocks(values, SymbolTable.uniform(), 1000, progress=steps.append)
    assert sum(steps) == values.size
    steps.clear()
    fast.decode_blocks(encoded, progress=steps.append)
    assert sum(steps) == values.size


def test_no_values_make_no_blocks():
    encoded = fast.encode_blocks(np.array([], dtype=np.uint8), SymbolTable.uniform())
    assert len(encoded) == 0 and encoded.bits == 0
    assert fast.decode_blocks(encoded).shape == (0,)


def outcome(decode):
    """The values, or the message of the error."""
    try:
        return decode().tolist()
    except CorruptStream as error:
        return str(error).removeprefix("block 0: ")


@given(tables_and_values(max_length=80), st.data())
@settings(max_examples=300)
def test_the_same_fault_at_the_same_value(case, data):
    table, values = case
    encoded = fast.encode_blocks(values, table, 100)
    if len(encoded) == 0:
        return
    damaged = replace(
        encoded,
        count=data.draw(st.integers(1, 100)),
        code_bits=_moved(encoded.code_bits, len(encoded.code), data),
        offset_bits=_moved(encoded.offset_bits, len(encoded.offsets), data),
        code=_flipped(encoded.code, data),
        offsets=_flipped(encoded.offsets, data),
    )
    damaged = replace(
        damaged,
        code=_padded(damaged.code, damaged.code_bits),
        offsets=_padded(damaged.offsets, damaged.offset_bits),
    )
    readable = outcome(lambda: decode_block(damaged.block(0), table))
    assert outcome(lambda: fast.decode_blocks(damaged)) == readable


def _moved(bits, size, data):
    return np.clip(bits + data.draw(st.integers(-40, 40)), 0, 8 * size)


def _flipped(stream, data):
    mask = np.zeros_like(stream)
    if len(stream) and data.draw(st.booleans()):
        mask[data.draw(st.integers(0, len(stream) - 1))] = 1 << data.draw(st.integers(0, 7))
    return stream ^ mask


def _padded(stream, bits):
    """The first bits[0] bits of a stream, zero padded to whole words."""
    words = -(-int(bits[0]) // 32)
    kept = np.unpackbits(stream)[: int(bits[0])]
    return np.packbits(np.concatenate([kept, np.zeros(32 * words - len(kept), np.uint8)]))


@given(tables(), st.integers(0, 2**32 - 1))
@settings(max_examples=150)
def test_blocks_side_by_side_fail_one_by_one(table, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 1 << table.value_w, 170).astype(pattern_dtype(table.value_w))
    encoded = fast.encode_blocks(values, table, 50)
    for stream in (encoded.code, encoded.offsets):
        for at in rng.integers(0, max(1, len(stream)), rng.integers(0, 3)):
            stream[at : at + 1] ^= np.uint8(1 << rng.integers(0, 8))
    encoded = replace(
        encoded,
        code=_without_padding(encoded.code, encoded.code_starts, encoded.code_bits),
        offsets=_without_padding(encoded.offsets, encoded.offset_starts, encoded.offset_bits),
    )
    decoded, faults, positions = fast.decode_with_faults(encoded)
    for index in range(4):
        readable = outcome(partial(decode_block, encoded.block(index), table))
        part = decoded[50 * index : 50 * index + 50]
        if faults[index]:
            error = Fault(int(faults[index])).error(int(positions[index]), len(part))
            assert str(error) == readable
            assert not part[positions[index] :].any()
        else:
            assert part.tolist() == readable


def _without_padding(stream, starts, bits):
    """The streams with the padding after each set to zero again."""
    kept = np.zeros(8 * len(stream), dtype=np.uint8)
    unpacked = np.unpackbits(stream)
    for start, length in zip(starts, bits, strict=False):
        kept[8 * start : 8 * start + length] = unpacked[8 * start : 8 * start + length]
    return np.packbits(kept)


def test_a_faulty_block_leaves_the_others_alone():
    values = np.random.default_rng(1).integers(0, 256, 4000).astype(np.uint8)
    encoded = fast.encode_blocks(values, SymbolTable.uniform(), 1000)
    encoded.code_bits[2] -= 1
    decoded, faults, positions = fast.decode_with_faults(encoded)
    assert faults.tolist() == [0, 0, Fault.CODE_SHORT, 0]
    assert positions[2] == 999
    np.testing.assert_array_equal(decoded[:2000], values[:2000])
    np.testing.assert_array_equal(decoded[3000:], values[3000:])
    with pytest.raises(CorruptStream, match="block 2: code stream ended early, at value 999"):
        fast.decode_blocks(encoded)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fast.encode_blocks(np.array([256]), SymbolTable.uniform()), "value 256"),
        (lambda: fast.encode_blocks(np.array([1]), SymbolTable.uniform(), 0), "blocks of 0"),
        (lambda: fast.encode_blocks(np.array([1]), SymbolTable.uniform(), 9, 8), "code_w >= 12"),
        (lambda: fast.encode_blocks(np.array([1]), SymbolTable.uniform()).block(1), "block 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ApackError, match=message):
        call()
