# SPDX-License-Identifier: Apache-2.0
"""The words say what the numbers are."""

from __future__ import annotations

import numpy as np

from model.apack import histogram, solve
from model.report.explain import reasons, shape_of
from model.report.measure import measure
from model.tensors import Tensor
from model.tensors.select import make_tensor
from model.tests.report.parts import bell


def text(values: np.ndarray) -> str:
    return " ".join(reasons(measure(make_tensor("w", values, 8))))


def test_an_outlier_is_named_as_the_reason_for_a_small_size() -> None:
    values = bell(50_000, 1, peak=4)
    values[7] = 60
    assert "The largest magnitude, 127 steps, is 5" in text(values)
    assert "sets the step" in text(values)


def test_values_that_fill_the_range_are_named() -> None:
    assert "The values fill their range" in text(bell(50_000, 1, peak=2.5))


def test_metadata_of_a_tiny_tensor_is_named() -> None:
    assert "With only 200 values, table and headers weigh" in text(bell(200, 1))


def test_zeros_count_around_the_zero_point() -> None:
    values = np.full(10_000, 60, np.uint8)
    values[::3] = np.arange(3334) % 100 + 60
    sentences = reasons(measure(Tensor("map", values, "uint8", 8, (0.1,), (60,))))
    assert any(sentence.startswith("67% of the values are zero") for sentence in sentences)


def test_a_foreign_table_is_named() -> None:
    narrow, wide = (np.rint(bell(9000, s) * s).astype(np.int8).view(np.uint8) for s in (2, 25))
    size = measure(Tensor("map", wide, "int8"), solve(histogram(narrow, 8)))
    assert any("The profiled table costs" in sentence for sentence in reasons(size))


def test_a_constant_tensor_has_an_explanation() -> None:
    assert reasons(measure(Tensor("map", np.zeros(100, np.uint8), "uint8")))


def test_signed_values_are_in_ascending_order() -> None:
    shape = shape_of(measure(Tensor("w", np.array([255, 255, 1, 0], np.uint8), "int8")))
    assert shape.integers[0] == -128 and shape.integers[-1] == 127
    assert shape.shares[shape.integers == -1] == 0.5
    assert (shape.peak, shape.zeros) == (1, 0.25)


def test_a_signed_zero_point_is_taken_off() -> None:
    values = np.array([0x80, 0x80, 0x80, 0x8A], np.uint8)  # -128 three times, -118
    shape = shape_of(measure(Tensor("map", values, "int8", 8, (0.1,), (-128,))))
    assert (shape.zeros, shape.peak) == (0.75, 10)
