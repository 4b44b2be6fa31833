"""The record that every reader returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.tensors.quantize import signed_values


@dataclass(frozen=True)
class Tensor:
    """One named tensor as unsigned bit patterns, the form the coder takes.

    values: uint8 (value_w <= 8) or uint16, any shape; int8 -1 is 0xFF at value_w = 8.
    dtype: element type in the file, such as "int8" or "float32".
    stored: integer type that `values` stand for: `dtype` itself, or the quantized type of a float.
    scale, zero_point: real value = scale * (integer - zero_point); one entry for the tensor, one
        for each index of dimension `axis`, or none when the file does not say.
    note: what the reader did to the values, empty when they are as shipped.
    """

    name: str
    values: np.ndarray
    dtype: str
    value_w: int = 8
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    note: str = ""
    stored: str = ""
    axis: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "stored", self.stored or self.dtype)

    def integers(self) -> np.ndarray:
        """The integers the patterns stand for, in the type `stored`, same shape."""
        if self.stored.startswith("int"):
            return signed_values(self.values, self.value_w).astype(self.stored)
        return self.values.astype(self.stored)
