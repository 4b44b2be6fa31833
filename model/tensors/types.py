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


def coding_of(
    source: str,
    stored: str,
    value_w: int,
    scale: Sequence[float] = (),
    zero_point: Sequence[int] = (),
) -> Coding:
    """How values of `value_w` bits that are stored as `stored` stand for the type `source`.

    "integers": they are the tensor's own; "patterns": they are the bits of its floats, lossless;
    "quantized": they are what its floats were rounded to. docs/format.md, section 3, has the rule.
    """
    holder = "int8" if source.startswith("int") else "uint8"
    narrow = NARROW_INTEGER_BITS.get(source) == value_w and stored == holder
    if source == stored or narrow:
        return "integers"
    unsigned = stored == ("uint8" if value_w <= 8 else "uint16")
    if FLOAT_BITS.get(source) == value_w and unsigned and not len(scale) and not len(zero_point):
        return "patterns"
    return "quantized"
