# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.apack import ApackError, Bits


def test_first_bit_is_the_msb_of_byte_and_word():
    bits = Bits.from_bits([1, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    assert bits == Bits(10, b"\x80\xc0")
    assert bits.words(16).tolist() == [0x80C0]
    assert bits.words(4).tolist() == [8, 0, 12]
    assert bits.words(64).tolist() == [0x80C0 << 48]
    assert str(bits) == "1000000011"


def test_no_bits_make_no_words():
    words = Bits(0, b"").words(32)
    assert words.shape == (0,) and words.dtype == np.uint64


@given(st.lists(st.integers(0, 1), max_size=300), st.integers(1, 64))
def test_words_round_trip(bits, word_w):
    stream = Bits.from_bits(bits)
    assert stream.array().tolist() == bits
    words = stream.words(word_w)
    assert len(words) == -(-len(bits) // word_w)
    assert Bits.from_words(words, word_w, len(bits)) == stream


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bits(9, b"\x00"), "1 bytes"),
        (lambda: Bits(4, b"\x01"), "padding"),
        (lambda: Bits(-1, b""), "-1 bits"),
        (lambda: Bits.from_words([1], 8, 9), "fewer than 9"),
        (lambda: Bits.from_words([256], 8, 8), "word 0 is 0x100"),
        (lambda: Bits(8, b"a").words(65), "65 bits"),
    ],
)
def test_impossible_strings_are_refused(make, message):
    with pytest.raises(ApackError, match=message):
        make()
