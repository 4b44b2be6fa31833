"""Every baseline: what goes in comes out, and the sizes are those of its published format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.apack import ApackError, Bits, CorruptStream, entropy_bits, histogram
from model.baselines import CODECS, Codec
from model.baselines.vela import HAS_MLW
from model.tensors import pattern_dtype, read_tensors
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
    assert codec.decode(stream, values.size, value_w).tolist() == values.tolist()
    assert codec.coded_bits(values, value_w) == stream.bits


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.key)
def test_a_real_tensor_comes_back(codec: Codec) -> None:
    tensor = max(read_tensors(wakeword_paths()[0][1]), key=lambda t: t.values.size)
    values = tensor.values.reshape(-1)
    stream = codec.encode(values, 8)
    assert np.array_equal(codec.decode(stream, values.size, 8), values)


@pytest.mark.parametrize("codec", OWN, ids=lambda codec: codec.key)
@pytest.mark.parametrize("size", [1, 7, 8, 16, 31, 32, 33])
@pytest.mark.parametrize("value", [0, 1, 255])
def test_group_edges_and_constant_tensors(codec: Codec, size: int, value: int) -> None:
    values = np.full(size, value, np.uint8)
    assert codec.decode(codec.encode(values, 8), size, 8).tolist() == values.tolist()


@pytest.mark.parametrize("codec", OWN, ids=lambda codec: codec.key)
def test_a_stream_cut_short_or_left_over_is_refused(codec: Codec) -> None:
    values = patterns([0, 9, 0, 0, 7, 7, 200, 3] * 8)
    stream = codec.encode(values, 8)
    bits = str(stream)
    with pytest.raises(CorruptStream):
        codec.decode(Bits.from_bits(map(int, bits[:-1])), values.size, 8)
    with pytest.raises(CorruptStream):
        codec.decode(Bits.from_bits(map(int, bits + "0")), values.size, 8)


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
