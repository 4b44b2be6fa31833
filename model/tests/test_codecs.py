# SPDX-License-Identifier: Apache-2.0
"""Every codec: what goes in comes out, and sizes are those of the published formats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.apack import ApackError, Bits, CorruptStream, entropy_bits, histogram, solve
from model.baselines.vela import HAS_MLW
from model.codecs import CODECS, Codec, largest_error
from model.report.measure import apack_size
from model.report.summary import column_of
from model.tensors import Tensor, pattern_dtype, read_tensors
from model.zoo import wakeword_paths

BY_KEY = {codec.key: codec for codec in CODECS}
OWN = [codec for codec in CODECS if codec.key not in ("mlw", "zstd")]


def patterns(values: list[int], value_w: int = 8) -> np.ndarray:
    return np.array(values, pattern_dtype(value_w))


def text(codec: str, values: list[int], value_w: int = 8) -> str:
    return str(BY_KEY[codec].encode(patterns(values, value_w), value_w))


@st.composite
def sparse_values(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    """Values with runs, zeros and full-range ones, as feature maps have them."""
    value_w = draw(st.integers(2, 12))
    value = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, (1 << value_w) - 1))
    runs = draw(st.lists(st.tuples(value, st.integers(1, 70)), max_size=12))
    values = [v for value, length in runs for v in [value] * length]
    return patterns(values, value_w), value_w


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.key)
@settings(deadline=None)  # the first call compiles
@given(case=sparse_values())
def test_values_come_back(codec: Codec, case: tuple[np.ndarray, int]) -> None:
    values, value_w = case
    if value_w > codec.max_value_w or values.size == 0:
        return
    stream = codec.encode(values, value_w)
    decoded = codec.decode(stream, values.size, value_w)
    assert decoded.shape == values.shape
    assert largest_error(values, decoded, value_w) <= codec.max_error
    assert codec.coded_bits(values, value_w) == stream.bits


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.key)
def test_a_real_tensor_comes_back(codec: Codec) -> None:
    tensor = max(read_tensors(wakeword_paths()[0][1]), key=lambda t: t.values.size)
    values = tensor.values.reshape(-1)
    stream = codec.encode(values, 8)
    assert largest_error(values, codec.decode(stream, values.size, 8), 8) <= codec.max_error


@pytest.mark.parametrize("codec", OWN, ids=lambda codec: codec.key)
@pytest.mark.parametrize("size", [1, 7, 8, 16, 31, 32, 33])
@pytest.mark.parametrize("value", [0, 1, 255])
def test_group_edges_and_constant_tensors(codec: Codec, size: int, value: int) -> None:
    values = np.full(size, value, np.uint8)
    decoded = codec.decode(codec.encode(values, 8), size, 8)
    assert largest_error(values, decoded, 8) <= codec.max_error


@pytest.mark.parametrize("codec", OWN, ids=lambda codec: codec.key)
def test_a_stream_cut_short_or_left_over_is_refused(codec: Codec) -> None:
    values = patterns([0, 9, 0, 0, 7, 7, 200, 3] * 8)
    stream = codec.encode(values, 8)
    bits = str(stream)
    with pytest.raises(CorruptStream):
        codec.decode(Bits.from_bits(map(int, bits[:-1])), values.size, 8)
    with pytest.raises(CorruptStream):
        codec.decode(Bits.from_bits(map(int, bits + "0")), values.size, 8)


def test_keys_are_unique_and_errors_are_no_less_than_none() -> None:
    assert len(BY_KEY) == len(CODECS) and CODECS[0].key == "apack"
    assert all(codec.max_error >= 0 for codec in CODECS)


def test_an_error_is_the_distance_of_integers() -> None:
    assert largest_error(np.array([255, 3, 128]), np.array([255, 3, 128]), 8) == 0
    assert largest_error(np.array([255, 3]), np.array([1, 2]), 8) == 2  # -1 became 1
    assert largest_error(np.array([127]), np.array([128]), 8) == 255
    assert largest_error(np.array([], np.uint8), np.array([], np.uint8), 8) == 0


def test_the_column_of_a_lossy_codec_says_so() -> None:
    assert column_of(BY_KEY["rle"]).title == "RLE"
    assert column_of(replace(BY_KEY["rle"], max_error=3)).title == "RLE, error up to 3"


def test_apack_alone_takes_what_a_tensor_adds_to_a_container() -> None:
    values = patterns([0, 9, 0, 0, 7, 7, 200, 3] * 1000)
    size = apack_size(Tensor("", values, "uint8"), solve(histogram(values, 8)))
    assert BY_KEY["apack"].coded_bits(values, 8) == size.total


def test_apack_alone_refuses_another_count_or_width() -> None:
    stream = BY_KEY["apack"].encode(patterns([1, 2, 3]), 8)
    for count, value_w in ((2, 8), (3, 7)):
        with pytest.raises(CorruptStream, match="3 values of 8 bits, not"):
            BY_KEY["apack"].decode(stream, count, value_w)


@pytest.mark.parametrize("codec", ["rle", "rlez"])
def test_a_run_past_the_last_value_is_refused(codec: str) -> None:
    stream = BY_KEY[codec].encode(np.zeros(8, np.uint8), 8)
    with pytest.raises(CorruptStream, match="value 8 of 5"):
        BY_KEY[codec].decode(stream, 5, 8)


def test_rle_writes_value_and_run() -> None:
    assert text("rle", [5, 5, 5, 2]) == "000001010010000000100000"
    assert text("rle", [1] * 17, 4) == "0001111100010000"


def test_rlez_writes_zeros_and_the_value_behind_them() -> None:
    assert text("rlez", [0, 0, 9, 8], 4) == "0010100100001000"
    assert text("rlez", [0] * 16 + [3], 4) == "1111000000000011"
    assert text("rlez", [0] * 18, 4) == "1111000000010000"


def test_zvc_writes_a_mask_and_the_other_values() -> None:
    assert text("zvc", [0, 6, 0, 1], 4) == "010101100001"
    assert BY_KEY["zvc"].coded_bits(np.zeros(33, np.uint8), 8) == 33


def test_shapeshifter_writes_mask_width_and_narrow_values() -> None:
    plain = "01011010100001111"
    assert text("shapeshifter8", [4, 0, 1, 7]) == plain
    folded = "11011001011110"
    assert text("shapeshifter8", [255, 0, 254, 1]) == folded


def test_huffman_lengths_are_optimal() -> None:
    counts = {0: 8, 1: 4, 2: 2, 3: 1, 9: 1}
    values = patterns([value for value, count in counts.items() for _ in range(count)])
    header = 256 + 5 * 6
    assert BY_KEY["huffman"].coded_bits(values, 8) == header + 8 + 4 * 2 + 2 * 3 + 4 + 4


@settings(deadline=None)  # the first call compiles
@given(case=sparse_values())
def test_huffman_is_within_one_bit_a_value_of_the_entropy(case: tuple[np.ndarray, int]) -> None:
    values, value_w = case
    if values.size == 0:
        return
    counts = histogram(values, value_w)
    header = (1 << value_w) + 6 * np.count_nonzero(counts)
    body = BY_KEY["huffman"].coded_bits(values, value_w) - header
    assert entropy_bits(counts) - 1e-6 <= body <= entropy_bits(counts) + values.size


@pytest.mark.skipif(not HAS_MLW, reason="ethos-u-vela has no wheel for this Python")
def test_mlw_refuses_wide_values() -> None:
    with pytest.raises(ApackError, match="at most 8 bits"):
        BY_KEY["mlw"].encode(patterns([1], 9), 9)
