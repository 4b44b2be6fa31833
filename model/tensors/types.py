# SPDX-License-Identifier: Apache-2.0
"""Types of elements beyond NumPy's own, and how a container's integers stand for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Coding = Literal["integers", "patterns", "quantized"]

# Floats whose bit patterns are narrow enough to be coded as they are, with their bits.
FLOAT_BITS = {
    "float16": 16,
    "bfloat16": 16,
    "float8_e3m4": 8,
    "float8_e4m3": 8,
    "float8_e4m3b11fnuz": 8,
    "float8_e4m3fn": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2": 8,
    "float8_e5m2fnuz": 8,
    "float8_e8m0fnu": 8,
    "float6_e2m3fn": 6,
    "float6_e3m2fn": 6,
    "float4_e2m1fn": 4,
}
# Integers narrower than a byte, with their bits; they are stored as the 8-bit type of their sign.
NARROW_INTEGER_BITS = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2}
INTEGER_BITS = {"int8": 8, "uint8": 8, "int16": 16, "uint16": 16} | NARROW_INTEGER_BITS
# Floats that can only be quantized.
WIDE_FLOATS = ("float32",)
ACCEPTED = (
    "accepted are int8, uint8, int16, uint16, float16, float32, bfloat16, "
    "integers of 2 and 4 bits, floats of 4, 6 and 8 bits"
)

# How to take floats: the bit patterns of those in FLOAT_BITS, or all quantized.
PATTERNS, QUANTIZE = "patterns", "int8"
FLOAT_WAYS = (PATTERNS, QUANTIZE)


def is_accepted(dtype: str) -> bool:
    """Whether tensors of this type are coded, one way or another."""
    return dtype in INTEGER_BITS or dtype in FLOAT_BITS or dtype in WIDE_FLOATS


def bits_of(dtype: str) -> int:
    """Bits of an element of an accepted type."""
    return (INTEGER_BITS | FLOAT_BITS).get(dtype, 32)


def holder_of(dtype: str) -> str:
    """The integer type that a container stores integers or bit patterns of an accepted type as."""
    sign = "" if dtype.startswith("int") else "u"
    return f"{sign}int{8 if bits_of(dtype) <= 8 else 16}"


def coding_of(
    source: str,
    stored: str,
    value_w: int,
    scale: Sequence[float] = (),
    zero_point: Sequence[int] = (),
) -> Coding:
    """How values of `value_w` bits that are stored as `stored` stand for the type `source`.

    "integers": they are the tensor's own; "patterns": they are the bits of its floats, lossless;
    "quantized": they are what its floats were rounded to. See docs/apack/format.md, section 3.
    """
    holder = "int8" if source.startswith("int") else "uint8"
    narrow = NARROW_INTEGER_BITS.get(source, 0) >= value_w and stored == holder
    if source == stored or narrow:
        return "integers"
    unsigned = stored == ("uint8" if value_w <= 8 else "uint16")
    if FLOAT_BITS.get(source) == value_w and unsigned and not len(scale) and not len(zero_point):
        return "patterns"
    return "quantized"
