# SPDX-License-Identifier: Apache-2.0
"""The record that every reader returns."""

from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np

from .quantize import pattern_dtype, signed_values
from .types import NARROW_INTEGER_BITS, Coding, coding_of


@dataclass(frozen=True)
class Tensor:
    """One named tensor as unsigned bit patterns, the form the coder takes.

    values: uint8 (value_w <= 8) or uint16, any shape; int8 -1 is 0xFF at value_w = 8.
    dtype: element type in the file, such as "int8", "int4", "bfloat16" or "float32".
    stored: integer type that `values` stand for: `dtype` itself, the 8-bit type that holds narrower
        integers, the quantized type of a float, or "uint8" or "uint16" for the bits of a float.
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

    @property
    def coding(self) -> Coding:
        """Whether the values are integers of the file, bits of its floats, or quantized floats."""
        return coding_of(self.dtype, self.stored, self.value_w, self.scale, self.zero_point)

    @property
    def is_patterns(self) -> bool:
        """Whether the values are the very bits of the file's floats."""
        return self.coding == "patterns"

    def integers(self) -> np.ndarray:
        """The integers the patterns stand for, in the type `stored`, same shape."""
        if self.stored.startswith("int"):
            # Arithmetic on an array without dimensions gives a number.
            integers = np.asarray(signed_values(self.values, self.value_w))
            return integers.astype(self.stored)
        return self.values.astype(self.stored)

    def array(self) -> np.ndarray:
        """The elements in the type they have in the file, same shape.

        Quantized floats, which are gone, come as their integers. Types that NumPy has not are those
        of ml_dtypes, one element a byte where they are narrower.
        """
        if self.is_patterns:
            return self.values.astype(pattern_dtype(self.value_w)).view(element_type(self.dtype))
        if self.coding == "integers" and self.dtype in NARROW_INTEGER_BITS:
            return self.integers().astype(element_type(self.dtype))
        return self.integers()


def element_type(name: str) -> np.dtype:
    """The type of that name, of ml_dtypes or else of NumPy."""
    return np.dtype(getattr(ml_dtypes, name, name))
