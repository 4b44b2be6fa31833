# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.apack import (
    ApackError,
    Bits,
    CorruptStream,
    EncodedBlock,
    SymbolTable,
    decode_block,
    encode_block,
)
from model.apack.hostile import centred_table, longest_pending_run, pending_run
from model.tests.apack import bignum
from model.tests.apack.tables import tables, tables_and_values

HALVES = SymbolTable(2, 1, (0, 2), (0, 1, 2))
SKEWED = SymbolTable(2, 2, (0, 1), (0, 3, 4))

# Derived by hand from the definition. HALVES: each value halves the interval exactly, so the code
# is the top bit of each value, and 01 closes it. SKEWED, value 0: high = 49151, no shift. Again:
# (49152 * 3 >> 2) - 1 = 36863. Third time: 27647, one shift, emits 0, high = 55295; low = 0 then
# closes with 01. Value 1, 2 or 3: low = 49152, two shifts, emits 11, and the offset has two bits.
GOLDEN = [
    (HALVES, [], "01", ""),
    (HALVES, [0], "001", "0"),
    (HALVES, [3], "101", "1"),
    (HALVES, [0, 1, 2, 3], "001101", "0101"),
    (SKEWED, [0], "01", ""),
    (SKEWED, [0, 0, 0], "001", ""),
    (SKEWED, [1], "1101", "00"),
    (SKEWED, [3], "1101", "10"),
    # 0: high = 49151. 1: low = 36864, high = 49151: emits 1, then low = 8192, high = 32767
    # emits 0, then low = 16384, high = 65535 stays; low is a quarter, so 10 closes it.
    (SKEWED, [0, 1], "1010", "00"),
]


@pytest.mark.parametrize(("table", "values", "code", "offsets"), GOLDEN)
def test_golden_vectors_derived_by_hand(table, values, code, offsets):
    block = encode_block(np.array(values, dtype=np.uint8), table)
    assert (str(block.code), str(block.offsets), block.count) == (code, offsets, len(values))
    assert decode_block(block, table).tolist() == values


@given(tables_and_values(), st.integers(0, 6))
def test_encoder_matches_exact_arithmetic(case, slack):
    table, values = case
    code_w = table.count_w + 2 + slack
    block = encode_block(values, table, code_w)
    assert (str(block.code), str(block.offsets)) == bignum.encode(values, table, code_w)


@given(tables_and_values(), st.integers(0, 6))
def test_round_trip(case, slack):
    table, values = case
    code_w = table.count_w + 2 + slack
    decoded = decode_block(encode_block(values, table, code_w), table, code_w)
    np.testing.assert_array_equal(decoded, values)
    assert decoded.dtype == (np.uint8 if table.value_w <= 8 else np.uint16)


@given(tables(), st.integers(0, 1000), st.sampled_from([None, 3, 40]))
@settings(max_examples=30)
def test_hostile_values_are_exact_for_any_table(table, seed, run):
    values = pending_run(table, 200, seed=seed, run=run)
    block = encode_block(values, table)
    assert (str(block.code), str(block.offsets)) == bignum.encode(values, table)
    np.testing.assert_array_equal(decode_block(block, table), values)


@pytest.mark.parametrize("table", [centred_table(), SymbolTable.uniform(groups=15)])
@pytest.mark.parametrize("last", [0, 255])
def test_pending_run_of_more_than_16000_bits(table, last):
    values = pending_run(table, 4096)
    assert longest_pending_run(values, table) > 16_000
    values[-1] = last
    block = encode_block(values, table)
    assert (str(block.code), str(block.offsets)) == bignum.encode(values, table)
    np.testing.assert_array_equal(decode_block(block, table), values)


def test_whole_block_can_stay_pending():
    table = centred_table(count_w=10, centre=2)
    values = pending_run(table, 4096)
    assert longest_pending_run(values, table) == 9 * 4096
    assert str(encode_block(values, table).code) == "0" + "1" * (9 * 4096 + 1)


def test_one_group_in_all_sends_only_offsets():
    table = SymbolTable(8, 10, (0,), (0, 1024))
    values = np.arange(256, dtype=np.uint8)
    block = encode_block(values, table)
    assert str(block.code) == "01"
    assert block.offsets.data == bytes(range(256))
    np.testing.assert_array_equal(decode_block(block, table), values)


def test_groups_of_one_value_have_no_offsets():
    table = SymbolTable.uniform(value_w=4, groups=16, count_w=10)
    values = np.array([0, 15, 7, 7, 3], dtype=np.uint8)
    block = encode_block(values, table)
    assert block.offsets == Bits(0, b"")
    np.testing.assert_array_equal(decode_block(block, table), values)


@given(tables())
def test_blocks_of_no_value_and_of_one(table):
    empty = encode_block(np.array([], dtype=np.uint8), table)
    assert (str(empty.code), empty.offsets.bits, empty.count) == ("01", 0, 0)
    assert decode_block(empty, table).size == 0
    for value in (0, (1 << table.value_w) - 1):
        block = encode_block(np.array([value]), table)
        assert decode_block(block, table).tolist() == [value]


def test_anything_may_follow_the_code_stream():
    table = SymbolTable(8, 10, (0, 3, 250), (0, 700, 1000, 1024))
    values = np.random.default_rng(3).integers(0, 256, 50).astype(np.uint8)
    block = encode_block(values, table)
    for tail in ("0" * 16, "1" * 16, "0110100111"):
        longer = Bits.from_bits(map(int, str(block.code) + tail))
        with pytest.raises(CorruptStream, match="code stream left over"):
            decode_block(replace(block, code=longer), table)


@given(tables_and_values(max_length=60), st.data())
def test_a_shorter_code_stream_never_passes_for_the_same_values(case, data):
    table, values = case
    block = encode_block(values, table)
    cut = data.draw(st.integers(0, block.code.bits - 1))
    try:
        decoded = decode_block(replace(block, code=_resized(block.code, cut)), table)
    except CorruptStream:
        return
    assert decoded.tolist() != values.tolist()


@given(tables_and_values(max_length=60), st.data())
def test_a_shorter_or_longer_offset_stream_is_reported(case, data):
    table, values = case
    block = encode_block(values, table)
    longer = _resized(block.offsets, block.offsets.bits + data.draw(st.integers(1, 9)))
    with pytest.raises(CorruptStream, match="offset stream left over"):
        decode_block(replace(block, offsets=longer), table)
    cut = data.draw(st.integers(0, max(0, block.offsets.bits - 1)))
    if cut < block.offsets.bits:
        with pytest.raises(CorruptStream, match="offset stream ended early"):
            decode_block(replace(block, offsets=_resized(block.offsets, cut)), table)


def test_a_code_stream_cut_to_almost_nothing_ended_early():
    table = SymbolTable.uniform()
    block = encode_block(np.arange(256), table)
    for cut in (0, 1, 2, 100, block.code.bits - 1):
        with pytest.raises(CorruptStream, match="code stream ended early"):
            decode_block(replace(block, code=_resized(block.code, cut)), table)


@given(tables(), st.integers(0, 40), st.binary(max_size=40), st.binary(max_size=40))
def test_noise_gives_values_or_an_error(table, count, code, offsets):
    block = EncodedBlock(count, Bits(8 * len(code), code), Bits(8 * len(offsets), offsets))
    try:
        values = decode_block(block, table)
    except CorruptStream:
        return
    assert values.shape == (count,) and (values < 1 << table.value_w).all()


def test_offset_outside_its_group_is_reported():
    table = SymbolTable(2, 2, (0, 1), (0, 1, 4))
    good = encode_block(np.array([3]), table)
    bad = replace(good, offsets=Bits.from_bits([1, 1]))
    with pytest.raises(CorruptStream, match="offset outside its group, at value 0 of 1"):
        decode_block(bad, table)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([1, 300]), "value 300 at index 1"),
        (np.array([0, -1], dtype=np.int8), "value -1 at index 1"),
        (np.array([0.5]), "float64"),
        (np.array(["a"]), "U1"),
    ],
)
def test_values_that_do_not_fit(values, message):
    with pytest.raises(ApackError, match=message):
        encode_block(values, SymbolTable.uniform())


@pytest.mark.parametrize(("code_w", "message"), [(11, "code_w >= 12"), (64, "3 to 32"), (2, "3")])
def test_code_width_must_leave_room_for_the_counts(code_w, message):
    with pytest.raises(ApackError, match=message):
        encode_block(np.array([1]), SymbolTable.uniform(), code_w)


def _resized(bits: Bits, size: int) -> Bits:
    return Bits.from_bits(map(int, str(bits)[:size].ljust(size, "0")))
