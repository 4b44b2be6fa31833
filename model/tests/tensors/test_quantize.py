# SPDX-License-Identifier: Apache-2.0
"""Symmetric quantization and bit patterns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from model.apack import ApackError
from model.tensors import bit_patterns, quantize_symmetric, signed_values

FINITE = st.floats(-(2.0**99), 2.0**99, width=32)


@given(array=hnp.arrays(np.float32, st.integers(1, 50), elements=FINITE), bits=st.integers(2, 16))
def test_quantization_error_is_at_most_half_a_step(array: np.ndarray, bits: int) -> None:
    integers, scale = quantize_symmetric(array, bits)
    assert np.abs(integers.astype(int)).max() <= (1 << bits - 1) - 1
    error = np.abs(integers * scale - array.astype(np.float64))
    assert error.max() <= scale * 0.5000001


def test_largest_magnitude_maps_to_the_largest_integer() -> None:
    integers, scale = quantize_symmetric(np.array([-3.0, 1.5, 0.1], np.float32), 4)
    assert integers.tolist() == [-7, 4, 0]
    assert scale == pytest.approx(3.0 / 7)


def test_an_all_zero_tensor_has_scale_one() -> None:
    integers, scale = quantize_symmetric(np.zeros(3, np.float32))
    assert integers.tolist() == [0, 0, 0] and scale == 1.0


@pytest.mark.parametrize("bits", [1, 17])
def test_bits_outside_the_range_are_refused(bits: int) -> None:
    with pytest.raises(ApackError, match=f"cannot quantize to {bits} bits"):
        quantize_symmetric(np.ones(2, np.float32), bits)


@pytest.mark.parametrize(("dtype", "value_w"), [("int8", 8), ("int8", 11), ("int16", 16)])
def test_signed_values_are_the_inverse_of_bit_patterns(dtype: str, value_w: int) -> None:
    info = np.iinfo(dtype)
    integers = np.array([info.min, -1, 0, 1, info.max], dtype)
    patterns = bit_patterns(integers, value_w)
    assert patterns.dtype == (np.uint8 if value_w <= 8 else np.uint16)
    assert patterns.max() < 1 << value_w
    assert signed_values(patterns, value_w).tolist() == integers.tolist()
