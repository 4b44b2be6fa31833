# SPDX-License-Identifier: Apache-2.0
import zlib
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.apack import ApackError, CorruptStream, SymbolTable, decode_block, encode_block, fast
from model.apack.blocks import BlockHeader, piece_bytes
from model.apack.coder import STREAM_COUNTS, piece_width
from model.apack.hostile import centred_table, pending_run
from model.tensors import pattern_dtype
from model.tests.apack.tables import tables, tables_and_values

# A table that compresses well, of groups with and without offsets, one of a size between powers.
SKEWED = SymbolTable(8, 10, (0, 1, 2, 4, 9, 40), (0, 500, 750, 900, 1000, 1020, 1024))


def skewed_values(count, seed=0):
    return np.random.default_rng(seed).geometric(0.4, count).clip(max=256).astype(np.int64) - 1


def stored(block, values, word_bytes):
    """A block's header and pieces, from the readable coder."""
    little = values.astype(values.dtype.newbyteorder("<"))
    header = BlockHeader(len(block.pieces), block.raw, zlib.crc32(little.tobytes()))
    return header.to_bytes() + piece_bytes(block, word_bytes)


def assert_same_as_readable(values, table, block_values, code_w=16, streams=4, word_bytes=8):
    """Encode, compare block by block, read the headers back, and decode; returns the blocks."""
    values = np.asarray(values).astype(pattern_dtype(table.value_w))
    encoded = fast.encode_blocks(values, table, block_values, code_w, streams, word_bytes)
    assert len(encoded) == -(-len(values) // block_values)
    expected = b""
    for index in range(len(encoded)):
        part = values[index * block_values : (index + 1) * block_values]
        block = encode_block(part, table, streams, code_w, word_bytes)
        assert encoded.block(index) == block, f"block {index}"
        assert encoded.starts[index] == len(expected)
        expected += stored(block, part, word_bytes)
    assert encoded.data.tobytes() == expected
    assert encoded.bits == sum(encoded.block(index).bits for index in range(len(encoded)))
    found = fast.EncodedBlocks.of(
        expected, len(values), block_values, table, code_w, streams, word_bytes
    )
    for name in ("raw", "pieces", "crc", "starts", "data"):
        one, other = getattr(encoded, name), getattr(found, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other, name)
    decoded = fast.decode_blocks(found)
    np.testing.assert_array_equal(decoded, values)
    assert decoded.dtype == values.dtype
    return encoded


@given(
    tables_and_values(),
    st.integers(1, 400),
    st.integers(0, 16),
    st.sampled_from(STREAM_COUNTS),
    st.sampled_from([2, 4, 8]),
)
def test_bit_exact_with_the_readable_coder(case, block_values, slack, streams, word_bytes):
    table, values = case
    code_w = min(32, table.count_w + 2 + slack)
    assert_same_as_readable(values, table, block_values, code_w, streams, word_bytes)


@pytest.mark.parametrize("streams", STREAM_COUNTS)
@pytest.mark.parametrize("code_w", [12, 16, 17, 31, 32])
def test_bit_exact_where_values_compress(streams, code_w):
    for count in (1500, 1501, 1499 + streams):
        encoded = assert_same_as_readable(skewed_values(count), SKEWED, 1500, code_w, streams)
        assert not encoded.raw[0]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65])
@pytest.mark.parametrize("streams", [1, 4, 8, 64])
def test_blocks_of_few_values(count, streams):
    for word_bytes in (2, 8):
        encoded = assert_same_as_readable(
            np.zeros(count, dtype=np.int64), SKEWED, 100, 16, streams, word_bytes
        )
        assert len(encoded) == (count > 0)


def small_tables():
    """Every table of 4 values and counts of up to 3 bits, the groups at the low end."""
    for count_w in (1, 2, 3):
        for groups in range(1, min(4, 1 << count_w) + 1):
            for inner in combinations(range(1, 1 << count_w), groups - 1):
                yield SymbolTable(2, count_w, tuple(range(groups)), (0, *inner, 1 << count_w))


def test_bit_exact_in_every_corner_of_a_narrow_interval():
    # So few bits that the interval meets the quarters and the middle exactly, again and again.
    values = np.random.default_rng(0).integers(0, 4, 500)
    pairs = np.array(list(product(range(4), repeat=2))).reshape(-1)
    for table in small_tables():
        for code_w in (table.count_w + 2, table.count_w + 3):
            assert_same_as_readable(values, table, 500, code_w, 1)
            assert_same_as_readable(values, table, 500, code_w, 4)
            assert_same_as_readable(pairs, table, 2, code_w, 1, 2)


@pytest.mark.parametrize(
    ("value_w", "count_w", "code_w"),
    [(16, 16, 18), (16, 14, 32), (16, 15, 32), (8, 15, 17), (2, 1, 3), (2, 1, 32), (9, 8, 10)],
)
def test_bit_exact_at_the_widest_and_narrowest(value_w, count_w, code_w):
    rng = np.random.default_rng(value_w)
    groups = min(1 << value_w, 1 << count_w, 999)
    even = SymbolTable.uniform(value_w, groups, count_w)
    top = 1 << count_w
    steep = SymbolTable(value_w, count_w, (0, 1), (0, top - 1, top))
    piece_bytes_needed = piece_width(even) // 8
    for streams in (1, 4, 8, 16):
        for word_bytes in (piece_bytes_needed, 8):
            values = rng.integers(0, 1 << value_w, 3000)
            assert_same_as_readable(values, even, 1000, code_w, streams, word_bytes)
            values[rng.random(3000) < 0.95] = 0
            encoded = assert_same_as_readable(values, steep, 1000, code_w, streams, word_bytes)
            assert value_w == 2 or not encoded.raw.any()


@given(tables(), st.integers(0, 1000), st.sampled_from([None, 2, 17]), st.sampled_from([1, 4]))
@settings(max_examples=30)
def test_bit_exact_on_hostile_values(table, seed, run, streams):
    assert_same_as_readable(pending_run(table, 300, seed=seed, run=run), table, 100, 16, streams)


@pytest.mark.parametrize("ending", [[], [0], [255], [0, 255, 128]])
@pytest.mark.parametrize("code_w", [12, 16, 32])
def test_bit_exact_on_pending_runs_up_to_the_longest_and_beyond(ending, code_w):
    # Each 127 leaves a pending bit; zeros before them move the run to other places of a piece. The
    # zeros behind them keep blocks that run too far ahead apart from those that are merely large.
    table = centred_table(centre=512)
    kinds = set()
    for before in range(0, 17, 4):
        for length in [*range(20), *range(75, 150)]:
            values = np.array([0] * before + [127] * length + ending + [127] * 40)
            encoded = assert_same_as_readable(values, table, 8192, code_w, 1)
            kinds.add(bool(encoded.raw[0]))
    assert kinds == {False, True}


@pytest.mark.parametrize("code_w", [17, 32])
def test_bit_exact_on_pending_runs_of_wide_pieces(code_w):
    table = centred_table(count_w=15, centre=1 << 14)
    kinds = set()
    for length in range(150, 300, 3):
        values = np.array([127] * length + [255] + [127] * 20)
        encoded = assert_same_as_readable(values, table, 8192, code_w, 1)
        kinds.add(bool(encoded.raw[0]))
    assert kinds == {False, True}


def test_many_batches_keep_their_order():
    values = np.random.default_rng(0).geometric(0.05, 3_000_001).clip(max=255).astype(np.uint8)
    table = SymbolTable(8, 10, (0, 4, 8, 16, 32, 64), (0, 150, 350, 600, 850, 1000, 1024))
    encoded = fast.encode_blocks(values, table, 4096)
    for index in (0, 255, 256, 257, 511, len(encoded) - 1):
        part = values[index * 4096 : (index + 1) * 4096]
        assert encoded.block(index) == encode_block(part, table)
    np.testing.assert_array_equal(fast.decode_blocks(encoded), values)
    one = fast.encode_blocks(values, table, 4096, cores=1)
    np.testing.assert_array_equal(one.data, encoded.data)
    np.testing.assert_array_equal(fast.decode_blocks(encoded, cores=1), values)


def test_progress_counts_every_value():
    values = np.zeros((3, 200_003), dtype=np.uint8)  # the last block is shorter
    steps = []
    encoded = fast.encode_blocks(values, SymbolTable.uniform(), 1000, progress=steps.append)
    assert sum(steps) == values.size and len(steps) > 1
    steps.clear()
    fast.decode_blocks(encoded, progress=steps.append)
    assert sum(steps) == values.size and len(steps) > 1


def test_no_values_make_no_blocks():
    encoded = fast.encode_blocks(np.array([], dtype=np.uint8), SymbolTable.uniform())
    assert len(encoded) == 0 and encoded.bits == 0 and len(encoded.data) == 0
    assert fast.decode_blocks(encoded).shape == (0,)
    assert len(fast.EncodedBlocks.of(b"", 0, 1000, SymbolTable.uniform())) == 0


def test_the_largest_block():
    values = skewed_values(fast.MOST_BLOCK_VALUES + 5).astype(np.uint8)
    encoded = fast.encode_blocks(values, SKEWED, fast.MOST_BLOCK_VALUES)
    assert len(encoded) == 2 and not encoded.raw[0]
    np.testing.assert_array_equal(fast.decode_blocks(encoded), values)


def outcome(decode):
    """The values, or the message of the error."""
    try:
        return decode().tolist()
    except CorruptStream as error:
        return str(error).removeprefix("block 0: ")


# What only a whole block can be wrong in; the readable coder has neither padding nor CRC.
BEYOND = ("padding is not zero", "the values do not match their CRC-32")


@given(tables(), st.sampled_from([1, 2, 4, 8, 16]), st.integers(1, 150), st.integers(0, 2**32 - 1))
@settings(max_examples=300)
def test_the_same_damage_is_found(table, streams, count, seed):
    rng = np.random.default_rng(seed)
    groups = rng.choice(table.groups, count, p=np.array(table.counts) / (1 << table.count_w))
    inside = (rng.random(count) * np.array(table.sizes)[groups]).astype(np.int64)
    values = (np.array(table.base)[groups] + inside).astype(pattern_dtype(table.value_w))
    encoded = fast.encode_blocks(values, table, 200, 16, streams)
    piece_bytes = piece_width(table) // 8
    most = (len(encoded.data) - 8) // piece_bytes
    for at in rng.integers(8, len(encoded.data), rng.integers(0, 3)):
        encoded.data[at] ^= np.uint8(1 << rng.integers(0, 8))
    damaged = replace(
        encoded,
        count=count + int(rng.choice([0, 0, -1, 1, 9])) or 1,
        pieces=np.clip(encoded.pieces + rng.choice([0, 0, -2, -1, 1]), 0, most),
    )
    found = outcome(lambda: fast.decode_blocks(damaged))
    readable = outcome(lambda: decode_block(damaged.block(0), table, streams))
    if found in BEYOND:
        assert isinstance(readable, list)
    else:
        assert found == readable


def four_blocks():
    """Encoded blocks of 1,000 skewed values each; the data may be changed."""
    return fast.encode_blocks(skewed_values(4000).astype(np.uint8), SKEWED, 1000)


def read(data, count=4000, table=SKEWED):
    return fast.decode_blocks(fast.EncodedBlocks.of(data, count, 1000, table))


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize("cores", [1, None])
def test_the_damaged_block_is_named(block, cores):
    encoded = four_blocks()
    encoded.data[encoded.starts[block] + 100] ^= 1
    with pytest.raises(CorruptStream, match=rf"^block {block}: "):
        fast.decode_blocks(encoded, cores=cores)


def test_the_first_of_two_damaged_blocks_is_named():
    encoded = four_blocks()
    encoded.crc[3] ^= 1
    encoded.crc[1] ^= 1
    with pytest.raises(CorruptStream, match=r"^block 1: the values do not match their CRC-32"):
        fast.decode_blocks(encoded)


def test_each_bit_of_a_block_matters():
    # Two short blocks, one of them raw: any bit that is turned over is damage of that block.
    values = np.concatenate([skewed_values(60), np.arange(100, 120)]).astype(np.uint8)
    encoded = fast.encode_blocks(values, SKEWED, 60)
    assert encoded.raw.tolist() == [False, True]
    for bit in range(8 * len(encoded.data)):
        data = encoded.data.copy()
        data[bit // 8] ^= 128 >> bit % 8
        block = int(8 * encoded.starts[1] <= bit)
        with pytest.raises(CorruptStream, match=f"^block {block}: "):
            fast.decode_blocks(fast.EncodedBlocks.of(data, len(values), 60, SKEWED))


def with_header(encoded, block, **changes):
    """The data with some fields of a block's header replaced, and its CRC-7 right."""
    data = encoded.data.copy()
    at = encoded.starts[block]
    header = BlockHeader.from_bytes(data[at : at + 8].tobytes())
    data[at : at + 8] = np.frombuffer(replace(header, **changes).to_bytes(), dtype=np.uint8)
    return data


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pieces": 3}, "block 1: its number of pieces is impossible"),
        ({"pieces": 501}, "block 1: its number of pieces is impossible"),
        ({"pieces": 499, "raw": True}, "block 1: its number of pieces is impossible"),
        ({"pieces": 4}, "block 2: the block's header does not match its CRC-7"),
        ({"crc": 1}, "block 1: the values do not match their CRC-32"),
        ({"pieces": 500, "raw": True}, "block 2: the block's header does not match its CRC-7"),
    ],
)
def test_headers_that_cannot_be(changes, message):
    with pytest.raises(CorruptStream, match=message):
        read(with_header(four_blocks(), 1, **changes))


def test_coded_blocks_may_fill_the_words_of_a_raw_one():
    # 1,001 values of 8 bits take 501 pieces and 126 words of 4: up to 504 pieces may be coded.
    encoded = fast.encode_blocks(skewed_values(1001).astype(np.uint8), SKEWED, 1001)
    for pieces, message in ((504, "the data end before"), (505, "impossible")):
        with pytest.raises(CorruptStream, match=f"block 0: .*{message}"):
            fast.EncodedBlocks.of(with_header(encoded, 0, pieces=pieces), 1001, 1001, SKEWED)


def test_data_that_end_early_or_late():
    encoded = four_blocks()
    end = int(encoded.starts[3])
    for cut, message in (
        (end, "block 3: the data end before its header does"),
        (end + 7, "block 3: the data end before its header does"),
        (end + 8, "block 3: the data end before its pieces do"),
        (len(encoded.data) - 1, "block 3: the data end before its pieces do"),
        (0, "block 0: the data end before its header does"),
    ):
        with pytest.raises(CorruptStream, match=message):
            read(encoded.data[:cut].tobytes())
    with pytest.raises(CorruptStream, match=r"^8 bytes behind the last block"):
        read(encoded.data.tobytes() + bytes(8))


def test_noise_gives_values_or_an_error():
    rng = np.random.default_rng(5)
    for streams in (1, 2, 4, 8, 32):
        for _ in range(30):
            data = rng.integers(0, 256, 8 + 8 * 60, dtype=np.uint8)
            encoded = fast.EncodedBlocks(
                500,
                500,
                SKEWED,
                16,
                streams,
                8,
                np.array([False]),
                np.array([240]),
                np.array([0], dtype=np.uint32),
                np.array([0, len(data)]),
                data,
            )
            with pytest.raises(CorruptStream, match=r"^block 0: "):
                fast.decode_blocks(encoded)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fast.encode_blocks(np.array([256]), SymbolTable.uniform()), "value 256"),
        (lambda: fast.encode_blocks(np.array([1]), SymbolTable.uniform(), 0), "blocks of 0"),
        (lambda: fast.encode_blocks(np.array([1]), SKEWED, (1 << 20) + 1), "1 to 1048576 are"),
        (lambda: fast.encode_blocks(np.array([1]), SymbolTable.uniform(), 9, 8), "code_w >= 12"),
        (lambda: fast.encode_blocks(np.array([1]), SKEWED, streams=3), "3 streams"),
        (lambda: fast.encode_blocks(np.array([1]), SKEWED, word_bytes=3), "words of 3 bytes"),
        (
            lambda: fast.encode_blocks(np.array([1]), SymbolTable.uniform(8, 4, 15), 9, 17, 4, 2),
            "words of 2 bytes; 4, 8 are legal",
        ),
        (lambda: fast.EncodedBlocks.of(b"", 0, 9, SKEWED, streams=128), "128 streams"),
        (lambda: fast.encode_blocks(np.array([1]), SymbolTable.uniform()).block(1), "block 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ApackError, match=message):
        call()
