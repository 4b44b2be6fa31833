# SPDX-License-Identifier: Apache-2.0
"""The weights or the activations of one network, measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..zoo import ZooModel
from .measure import TensorSize

WEIGHTS, ACTIVATIONS = "weights", "activations"
NARROW_WIDTHS = (4, 5, 6, 7)


@dataclass(frozen=True)
class Part:
    """The weights or the activations of one network at one width.

    inputs: how many inputs the activations come from, 0 for weights.
    """

    model: ZooModel
    kind: str
    value_w: int
    tensors: tuple[TensorSize, ...]
    inputs: int = 0

    @property
    def values(self) -> int:
        """Number of values in all tensors, over all inputs."""
        return sum(tensor.values for tensor in self.tensors)

    @property
    def raw(self) -> int:
        """Bits of all values without compression."""
        return sum(tensor.raw for tensor in self.tensors)

    def footprint(self, bits: Callable[[TensorSize], float]) -> float:
        """Share of the raw size that remains when a tensor needs `bits` of it."""
        return sum(bits(tensor) for tensor in self.tensors) / self.raw
