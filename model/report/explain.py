# SPDX-License-Identifier: Apache-2.0
"""Why a tensor compresses well or badly, in words, from its own numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..tensors import signed_values
from .measure import TensorSize

MANY_ZEROS = 0.25  # share of zeros from which they are the main reason
LONG_TAIL = 8.0  # peak over standard deviation; 3 to 5 for a Gaussian of usual sizes
FLAT = 4.5
HEAVY_METADATA = 0.15  # bits a value
FOREIGN_TABLE = 0.02  # relative cost of a profiled table against the tensor's own
COARSE_TABLE = 0.005  # relative cost of groups and counts over entropy


@dataclass(frozen=True)
class Shape:
    """The distribution of a tensor's values around the real number zero, in quantization steps."""

    integers: np.ndarray
    shares: np.ndarray
    zeros: float
    deviation: float
    peak: int

    @property
    def crest(self) -> float:
        """Largest magnitude over standard deviation; 0 for a tensor of zeros."""
        return self.peak / self.deviation if self.deviation else 0.0


def shape_of(tensor: TensorSize) -> Shape:
    """Integers that can occur (ascending) and the share of each, with their statistics."""
    patterns = np.arange(1 << tensor.value_w)
    if tensor.signed:
        integers = signed_values(patterns, tensor.value_w) - tensor.zero_integer
    else:
        integers = patterns - tensor.zero_integer
    order = np.argsort(integers)
    integers, shares = integers[order], tensor.counts[order] / tensor.values
    mean = float((integers * shares).sum())
    used = integers[shares > 0]
    return Shape(
        integers,
        shares,
        zeros=float(shares[integers == 0].sum()),
        deviation=float(np.sqrt((shares * (integers - mean) ** 2).sum())),
        peak=int(np.abs(used).max()),
    )


def reasons(tensor: TensorSize) -> list[str]:
    """Sentences that explain the footprint, the weightiest first."""
    shape = shape_of(tensor)
    sentences = [
        f"The order-0 entropy is {tensor.entropy / tensor.values:.2f} of {tensor.value_w} bits a"
        " value."
    ]
    if shape.zeros >= MANY_ZEROS:
        sentences.append(f"{shape.zeros:.0%} of the values are zero.")
    sentences += _spread(shape)
    if tensor.apack.metadata / tensor.values > HEAVY_METADATA:
        sentences.append(
            f"With only {tensor.values:,} values, table and headers weigh"
            f" {tensor.apack.metadata / tensor.values:.2f} bits a value."
        )
    foreign = tensor.apack.coded / tensor.own_table - 1
    if foreign > FOREIGN_TABLE:
        sentences.append(
            f"The profiled table costs {foreign:.1%} over one made from these inputs, whose values"
            " are distributed differently."
        )
    coarse = tensor.own_table / tensor.entropy - 1 if tensor.entropy else 0.0
    if coarse > COARSE_TABLE:
        sentences.append(
            f"{tensor.table.groups} groups and {tensor.table.count_w}-bit counts, made for these"
            f" values, cost {coarse:.2%} over the entropy."
        )
    return sentences


def _spread(shape: Shape) -> list[str]:
    if shape.crest >= LONG_TAIL:
        near = np.abs(shape.integers) <= shape.deviation
        return [
            f"The largest magnitude, {shape.peak} steps, is {shape.crest:.0f} standard deviations"
            f" and sets the step, so that {shape.shares[near].sum():.0%} of the values lie within"
            f" {shape.deviation:.1f} steps of zero."
        ]
    if 0 < shape.crest < FLAT:
        return [
            f"The values fill their range: the largest magnitude, {shape.peak} steps, is only"
            f" {shape.crest:.1f} standard deviations, so that few codes are rare."
        ]
    return [f"The largest magnitude is {shape.crest:.1f} standard deviations ({shape.peak} steps)."]
