# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from model.apack import (
    ApackError,
    CorruptStream,
    EncodedBlock,
    SymbolTable,
    decode_block,
    encode_block,
)
from model.apack.blocks import MOST_PIECES, BlockHeader, crc7, piece_bytes
from model.apack.coder import (
    MOST_AHEAD,
    OFFSETS,
    STREAM_COUNTS,
    decode_pieces,
    piece_width,
    raw_block,
)
from model.apack.hostile import centred_table, longest_pending_run, pending_run
from model.tests.apack import bignum
from model.tests.apack.tables import tables, tables_and_values

HALVES = SymbolTable(2, 1, (0, 2), (0, 1, 2))
SKEWED = SymbolTable(2, 2, (0, 1), (0, 3, 4))
FINE = SymbolTable(2, 15, (0, 2), (0, 1 << 14, 1 << 15))

# Derived by hand from the definition. HALVES and FINE: each value halves the interval exactly, so
# a code stream is the top bit of each of its values, and 01 closes it. SKEWED, value 0: high =
# 49151, no shift. Again: (49152 * 3 >> 2) - 1 = 36863. Third time: 27647, one shift, emits 0, high
# = 55295; low = 0 then closes with 01. Value 1, 2 or 3: low = 49152, two shifts, emits 11, and the
# offset has two bits. After its first code_w bits a stream has -code_w mod piece_w bits left.
GOLDEN = [
    (HALVES, [0, 1, 2, 3], 1, 12, 16, [0b001101 << 10, 0b0101 << 12]),
    (HALVES, [0, 1, 2, 3], 1, 16, 16, [0b001101 << 10, 0, 0b0101 << 12]),
    (HALVES, [0, 1, 2, 3], 1, 20, 16, [0b001101 << 10, 0, 0b0101 << 12]),
    (HALVES, [0, 1, 2, 3], 2, 12, 16, [0b0101 << 12, 0b0101 << 12, 0b0101 << 12]),
    (HALVES, [2, 1, 3], 2, 12, 16, [0b1101 << 12, 0b001 << 13, 0b011 << 13]),
    (HALVES, [3], 2, 12, 16, [0b101 << 13, 0b01 << 14, 0b1 << 15]),
    (FINE, [0, 1, 2, 3], 1, 20, 32, [0b001101 << 26, 0b0101 << 28]),
    (FINE, [0, 1, 2, 3], 1, 28, 32, [0b001101 << 26, 0b0101 << 28]),
    (SKEWED, [0], 1, 16, 16, [0b01 << 14]),
    (SKEWED, [0, 0, 0], 1, 16, 16, [0b001 << 13, 0]),
    (SKEWED, [0] * 6, 2, 16, 16, [0b001 << 13, 0b001 << 13, 0, 0]),
    (SKEWED, [1], 1, 16, 16, [0b1101 << 12, 0, 0]),
    (SKEWED, [3], 1, 16, 16, [0b1101 << 12, 0, 0b10 << 14]),
    # 0: high = 49151. 1: low = 36864, high = 49151: emits 1, then low = 8192, high = 32767
    # emits 0, then low = 16384, high = 65535 stays; low is a quarter, so 10 closes it.
    (SKEWED, [0, 1], 1, 16, 16, [0b1010 << 12, 0, 0]),
]


@pytest.mark.parametrize(("table", "values", "streams", "code_w", "piece_w", "pieces"), GOLDEN)
def test_golden_vectors_derived_by_hand(table, values, streams, code_w, piece_w, pieces):
    block = encode_block(np.array(values, dtype=np.uint8), table, streams, code_w)
    assert block == EncodedBlock(len(values), False, piece_w, tuple(pieces))
    assert decode_block(block, table, streams, code_w).tolist() == values


def expected(values, table, streams, code_w, word_bytes) -> tuple[list[int], bool]:
    """Pieces and whether they are raw, from exact arithmetic."""
    piece_w = piece_width(table)
    coded, ahead = bignum.block(values, table, streams, code_w, piece_w)
    text = "".join(format(int(value), f"0{table.value_w}b") for value in values)
    parts = (text[at : at + piece_w] for at in range(0, len(text), piece_w))
    verbatim = [int(part.ljust(piece_w, "0"), 2) for part in parts]
    per_word = 8 * word_bytes // piece_w
    grows = -(-len(coded) // per_word) > -(-len(verbatim) // per_word)
    raw = grows or ahead > MOST_AHEAD
    return (verbatim if raw else coded), raw


@st.composite
def settings_of_blocks(draw):
    """A table, values, streams, code_w and word_bytes."""
    table, values = draw(tables_and_values())
    code_w = draw(st.integers(table.count_w + 2, min(32, table.count_w + 18)))
    streams, word_bytes = draw(st.sampled_from(STREAM_COUNTS)), draw(st.sampled_from([2, 4, 8]))
    return table, values, streams, code_w, word_bytes


def assert_exact(table, values, streams, code_w, word_bytes) -> EncodedBlock:
    block = encode_block(values, table, streams, code_w, word_bytes)
    pieces, raw = expected(values, table, streams, code_w, word_bytes)
    assert (list(block.pieces), block.raw, block.count) == (pieces, raw, len(values))
    decoded = decode_block(block, table, streams, code_w)
    np.testing.assert_array_equal(decoded, values)
    assert decoded.dtype == (np.uint8 if table.value_w <= 8 else np.uint16)
    return block


@given(settings_of_blocks())
def test_encoder_matches_exact_arithmetic_and_values_come_back(case):
    event(f"raw {assert_exact(*case).raw}")


@given(settings_of_blocks())
def test_pieces_of_32_bits_match_too(case):
    table, values, streams, code_w, word_bytes = case
    cum = tuple(cum << (16 - table.count_w) for cum in table.cum)
    wide = SymbolTable(table.value_w, 16, table.base, cum)
    block = assert_exact(wide, values, streams, max(18, code_w), max(4, word_bytes))
    assert block.piece_w == 32
    event(f"raw {block.raw}")


@pytest.mark.parametrize(("value_w", "count_w", "piece_w"), [
    (16, 14, 16), (16, 15, 32), (2, 14, 16), (2, 15, 32), (8, 16, 32),
])  # fmt: skip
def test_pieces_have_32_bits_where_a_value_can_take_more_than_16(value_w, count_w, piece_w):
    table = SymbolTable(value_w, count_w, (0, 1), (0, (1 << count_w) - 1, 1 << count_w))
    assert piece_width(table) == piece_w
    # The rarest value makes the most shifts there are, again and again.
    values = np.tile(np.repeat([0, 1], [400, 1]), 6)
    for streams in (1, 2, 4):
        block = assert_exact(table, values, streams, min(32, count_w + 3), 8)
        assert not block.raw and block.piece_w == piece_w


@pytest.mark.parametrize("streams", STREAM_COUNTS)
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_every_number_of_streams_with_counts_about_a_multiple_of_it(streams, extra):
    table = SymbolTable(8, 10, (0, 1, 2, 3, 8), (0, 500, 900, 990, 1020, 1024))
    rng = np.random.default_rng(streams)
    values = rng.choice(9, 12 * streams + extra, p=[0.5, 0.35, 0.08] + [0.07 / 6] * 6)
    block = assert_exact(table, values, streams, 16, 8)
    owners = decode_pieces(block, table, streams, 16).owners
    if not block.raw:
        assert owners[:streams] == tuple(range(streams)) and set(owners) <= {
            *range(streams),
            OFFSETS,
        }


def test_fewer_values_than_streams():
    """A stream without values has its first piece all the same, which closes it."""
    table = SymbolTable(16, 4, (0, 1), (0, 15, 16))
    for streams in STREAM_COUNTS[1:5]:
        for count in range(1, streams):
            block = assert_exact(table, np.zeros(count, np.uint16), streams, 16, 8)
            # 16-bit values: raw takes `count` pieces, coded `streams`, in words of four.
            assert block.raw is (-(-streams // 4) > -(-count // 4))
            if not block.raw:
                assert block.pieces == (0x4000,) * streams


@pytest.mark.parametrize("streams", [1, 4, 64])
def test_no_values_are_a_raw_block_of_no_pieces(streams):
    block = encode_block(np.array([], dtype=np.uint8), HALVES, streams)
    assert block == EncodedBlock(0, True, 16, ())
    assert decode_block(block, HALVES, streams).size == 0


@given(
    tables(), st.integers(0, 1000), st.sampled_from([None, 3, 40]), st.sampled_from([1, 2, 4, 8])
)
@settings(max_examples=40)
def test_hostile_values_are_exact_for_any_table(table, seed, run, streams):
    values = pending_run(table, 200, seed=seed, run=run, streams=streams)
    assert_exact(table, values, streams, 16, 8)


# 0 costs one bit, 1 to 254 nine and the offset; the middle of the code space is in their slice.
RUNS = SymbolTable(8, 10, (0, 1, 255), (0, 511, 513, 1024))


@pytest.mark.parametrize("streams", STREAM_COUNTS)
def test_a_run_of_8_pieces_is_coded_and_one_more_goes_raw(streams):
    """12 values of 9 pending bits: ceil((16 + 108) / 16) = 8 pieces; the 13th makes 9."""
    for length, ahead in ((12, 8), (13, 9)):
        values = np.zeros(800 * streams, dtype=np.uint8)
        values[streams - 1 :: streams][:length] = 1
        assert longest_pending_run(values[streams - 1 :: streams], RUNS) == 9 * length
        assert bignum.block(values, RUNS, streams, 16, 16)[1] == ahead
        assert assert_exact(RUNS, values, streams, 16, 8).raw is (ahead > 8)


def test_a_block_goes_raw_with_its_last_value():
    """The run that is too long ends the block; one value fewer is coded in less than half."""
    values = np.zeros(4 * 13, dtype=np.uint8)
    values[3::4] = 1
    shorter = assert_exact(RUNS, values[:-1], 4, 16, 8)
    longer = assert_exact(RUNS, values, 4, 16, 8)
    assert (shorter.raw, longer.raw) == (False, True)
    assert bignum.block(values, RUNS, 4, 16, 16)[1] == MOST_AHEAD + 1
    coded, _ = bignum.block(values, RUNS, 4, 16, 16)
    assert len(coded) < len(longer.pieces), "raw because of the run, not of the size"


def test_a_run_ahead_is_judged_after_each_value_not_at_the_end():
    values = np.zeros(800, dtype=np.uint8)
    values[:13] = 1
    values[13] = 255  # decides all that was pending
    assert encode_block(values, RUNS, 1).raw
    values[12:14] = 255, 0
    assert not encode_block(values, RUNS, 1).raw


def test_pieces_of_32_bits_may_run_8_pieces_ahead():
    """ceil((20 + 14 n) / 32) - floor(decided / 32): 16 values make 8, 17 make 9."""
    table = SymbolTable(8, 15, (0, 1, 255), (0, (1 << 14) - 1, (1 << 14) + 1, 1 << 15))
    for length, raw in ((16, False), (17, True)):
        values = np.zeros(3000, dtype=np.uint8)
        values[:length] = 1
        assert assert_exact(table, values, 1, 20, 8).raw is raw


@pytest.mark.parametrize("word_bytes", [2, 4, 8])
def test_a_block_is_raw_when_it_takes_more_words_not_more_pieces(word_bytes):
    table = SymbolTable(4, 4, (0, 1), (0, 15, 16))
    rng = np.random.default_rng(0)
    found = set()
    for share in np.linspace(0.4, 0.6, 100):
        values = (rng.random(57) < share).astype(np.uint8)
        block = assert_exact(table, values, 1, 16, word_bytes)
        coded, verbatim = bignum.block(values, table, 1, 16, 16)[0], raw_block(values, table)
        found.add((block.raw, int(np.sign(len(coded) - len(verbatim.pieces)))))
    assert found >= {(False, -1), (False, 0), (True, 1)}
    assert ((False, 1) in found) is (word_bytes > 2)


def test_one_group_in_all_sends_only_offsets():
    table = SymbolTable(8, 10, (0,), (0, 1024))
    block = assert_exact(table, np.array([7, 200, 255, 0, 1], dtype=np.uint8), 1, 16, 8)
    assert block.pieces == (0x4000, 0x07C8, 0xFF00, 0x0100)
    assert decode_pieces(block, table, 1).owners == (0, OFFSETS, OFFSETS, OFFSETS)


def test_offsets_as_wide_as_a_piece():
    table = SymbolTable(16, 10, (0,), (0, 1024))
    block = assert_exact(table, np.array([0xABCD, 1, 0xFFFF], dtype=np.uint16), 1, 16, 8)
    assert block.pieces == (0x4000, 0xABCD, 0x0001, 0xFFFF)


def test_groups_of_one_value_have_no_offsets():
    table = SymbolTable(2, 4, (0, 1, 2, 3), (0, 10, 12, 14, 16))
    values = np.array([0, 3, 0, 0, 1, 0, 2, 0] * 9, dtype=np.uint8)
    block = assert_exact(table, values, 2, 16, 8)
    assert not block.raw and OFFSETS not in decode_pieces(block, table, 2).owners


@pytest.mark.parametrize(
    ("values", "table", "streams", "code_w"),
    [
        ([2, 1, 3], HALVES, 2, 12),
        ([0, 1, 2, 3], HALVES, 1, 20),
        ([0, 1, 2, 3], FINE, 1, 20),
        ([3, 0, 1, 2, 0], SKEWED, 1, 12),
        ([1, 2, 3], HALVES, 64, 16),
    ],
)
def test_no_flipped_bit_goes_unnoticed(values, table, streams, code_w):
    """Neither of the values, nor of what closes a stream, nor of what is left over behind it."""
    block = encode_block(np.array(values, dtype=np.uint8), table, streams, code_w)
    reasons = set()
    for place in range(len(block.pieces)):
        for bit in range(block.piece_w):
            pieces = list(block.pieces)
            pieces[place] ^= 1 << bit
            try:
                found = decode_block(replace(block, pieces=tuple(pieces)), table, streams, code_w)
            except CorruptStream as error:
                reasons.add(str(error))
            else:
                assert found.tolist() != values, f"bit {bit} of piece {place}"
    assert "bits behind the end of a stream are not zero" in reasons


@given(settings_of_blocks(), st.data())
def test_a_piece_more_or_fewer_is_reported(case, data):
    table, values, streams, code_w, word_bytes = case
    block = encode_block(values, table, streams, code_w, word_bytes)
    more = replace(block, pieces=(*block.pieces, *[data.draw(st.integers(0, 0xFFFF))]))
    with pytest.raises(
        CorruptStream, match=f"pieces left over: the values take {len(block.pieces)} of"
    ):
        decode_block(more, table, streams, code_w)
    if block.pieces:
        cut = data.draw(st.integers(0, len(block.pieces) - 1))
        # With zeros in place of pieces the values may be others, and take other numbers of pieces.
        with pytest.raises(
            CorruptStream, match=r"ended early|outside its group|not zero|left over"
        ):
            _refused(replace(block, pieces=block.pieces[:cut]), table, streams, code_w, values)


def _refused(block, table, streams, code_w, values):
    """Decode; values other than those encoded, which the CRC-32 finds, count as refused."""
    if decode_block(block, table, streams, code_w).tolist() != values.tolist():
        raise CorruptStream("ended early")


def test_a_raw_block_with_a_piece_fewer_ended_early():
    block = raw_block(np.arange(9, dtype=np.uint8), SymbolTable.uniform())
    with pytest.raises(CorruptStream, match="its values take 5 pieces, it has 4"):
        decode_block(replace(block, pieces=block.pieces[:-1]), SymbolTable.uniform())


@given(
    tables(),
    st.integers(0, 40),
    st.lists(st.integers(0, 0xFFFF), max_size=40),
    st.booleans(),
    st.sampled_from(STREAM_COUNTS),
)
def test_noise_gives_values_and_what_is_wrong_with_them(table, count, pieces, raw, streams):
    block = EncodedBlock(count, raw, 16, tuple(pieces))
    found = decode_pieces(block, table, streams)
    assert found.values.shape == (count,) and (found.values < 1 << table.value_w).all()
    sound = (found.outside, found.rest, len(found.owners)) == (None, False, len(pieces))
    try:
        values = decode_block(block, table, streams)
    except CorruptStream:
        assert not sound
    else:
        assert sound
        np.testing.assert_array_equal(values, found.values)


def test_offset_outside_its_group_is_reported():
    table = SymbolTable(2, 2, (0, 1), (0, 1, 4))
    good = encode_block(np.array([0, 3]), table, 1, 12)
    assert good.pieces[1] == 0b10 << 14 and not good.raw
    bad = replace(good, pieces=(good.pieces[0], 0b11 << 14))
    with pytest.raises(CorruptStream, match="offset outside its group, at value 1 of 2"):
        decode_block(bad, table, 1, 12)
    found = decode_pieces(bad, table, 1, 12)
    assert (found.outside, found.values.tolist()) == (1, [0, 0]), "1 + 3 modulo 4"


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
        encode_block(np.array([1]), SymbolTable.uniform(), 4, code_w)


@pytest.mark.parametrize("streams", [0, 3, 5, 65, 128])
def test_streams_are_a_power_of_two_up_to_64(streams):
    with pytest.raises(ApackError, match=f"{streams} streams; 1, 2, 4, 8, 16, 32, 64 are legal"):
        encode_block(np.array([1]), SymbolTable.uniform(), streams)


def test_whole_block_can_stay_pending():
    table = centred_table(count_w=10, centre=2)
    values = pending_run(table, 4096)
    assert longest_pending_run(values, table) == 9 * 4096
    assert bignum.encode(values, table)[0] == "0" + "1" * (9 * 4096 + 1)
    assert encode_block(values, table, 1).raw


def test_every_stream_of_a_hostile_block_stays_pending():
    table = centred_table()
    values = pending_run(table, 4096, streams=4)
    for stream in range(4):
        assert longest_pending_run(values[stream::4], table) == 9 * 1024


@given(st.integers(0, MOST_PIECES), st.booleans(), st.integers(0, 2**32 - 1))
def test_headers_come_back_and_every_flip_of_their_first_half_is_noticed(pieces, raw, crc):
    header = BlockHeader(pieces, raw, crc)
    data = header.to_bytes()
    assert len(data) == 8 and BlockHeader.from_bytes(data) == header
    for bit in range(32):
        flipped = (int.from_bytes(data) ^ 1 << (63 - bit)).to_bytes(8)
        with pytest.raises(CorruptStream, match="does not match its CRC-7"):
            BlockHeader.from_bytes(flipped)


def test_the_crc_7_is_that_of_memory_cards():
    # CMD0 of an SD card, 40 00 00 00 00, has the CRC-7 0x4A: the same polynomial, over 40 bits.
    def remainder(bits: str) -> int:
        rest = 0
        for bit in bits:
            rest = (rest << 1 ^ (int(bit) ^ rest >> 6) * 9) & 0x7F
        return rest

    assert remainder("01" + "0" * 38) == 0x4A
    for sized in (0, 1, 1 << 24, 0x1234567, (1 << 25) - 1):
        assert crc7(sized) == remainder(f"{sized:025b}")


def test_pieces_are_big_endian_and_padded_to_words():
    block = EncodedBlock(3, False, 16, (0x0102, 0x0304, 0xA0B0))
    assert piece_bytes(block, 2) == bytes.fromhex("01020304a0b0")
    assert piece_bytes(block, 4) == piece_bytes(block, 8) == bytes.fromhex("01020304a0b00000")
