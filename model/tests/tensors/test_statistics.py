# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from model.apack import ApackError, entropy_bits, histogram


def test_histogram_counts_patterns():
    counts = histogram(np.array([[0, 3], [3, 3]], dtype=np.uint8), 2)
    assert counts.dtype == np.int64 and counts.tolist() == [1, 0, 0, 3]
    assert histogram(np.array([]), 3).tolist() == [0] * 8
    with pytest.raises(ApackError, match="value 4 at index 0"):
        histogram(np.array([4]), 2)


def test_entropy_by_hand():
    assert entropy_bits(np.array([2, 2, 4, 0])) == pytest.approx(8 * 1.5)
    assert entropy_bits(np.array([7, 0])) == 0.0
    assert entropy_bits(np.zeros(4)) == 0.0
