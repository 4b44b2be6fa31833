"""The element types of files: how many bits one takes, and what its bit patterns are stored as."""

from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np


@dataclass(frozen=True)
class ElementType:
    """A type whose values the coder takes as they are.

    bits: of a value. stored: the integer type of a container that its patterns are stored as.
    """

    bits: int
    stored: str


INTEGERS = {
    name: ElementType(bits, f"{sign}int{max(bits, 8)}")
    for bits in (8, 16, 4, 2)
    for sign, name in (("", f"int{bits}"), ("u", f"uint{bits}"))
}
# Floats small enough to be coded as their bit patterns, without loss.
PATTERN_FLOATS = {
    "float16": ElementType(16, "uint16"),
    "bfloat16": ElementType(16, "uint16"),
    "float8_e3m4": ElementType(8, "uint8"),
    "float8_e4m3": ElementType(8, "uint8"),
    "float8_e4m3b11fnuz": ElementType(8, "uint8"),
    "float8_e4m3fn": ElementType(8, "uint8"),
    "float8_e4m3fnuz": ElementType(8, "uint8"),
    "float8_e5m2": ElementType(8, "uint8"),
    "float8_e5m2fnuz": ElementType(8, "uint8"),
    "float8_e8m0fnu": ElementType(8, "uint8"),
    "float6_e2m3fn": ElementType(6, "uint8"),
    "float6_e3m2fn": ElementType(6, "uint8"),
    "float4_e2m1fn": ElementType(4, "uint8"),
}
# Floats that can only be quantized.
WIDE_FLOATS = ("float32",)

PATTERNS, QUANTIZE = "patterns", "int8"
FLOAT_WAYS = (PATTERNS, QUANTIZE)

ACCEPTED = (
    "accepted are int8, uint8, int16, uint16, float16, float32, bfloat16, "
    "integers of 2 and 4 bits, floats of 4, 6 and 8 bits"
)


def is_float(dtype: str) -> bool:
    """Whether it is a float type that the coder takes, as patterns or quantized."""
    return dtype in PATTERN_FLOATS or dtype in WIDE_FLOATS


def is_accepted(dtype: str) -> bool:
    """Whether values of this type are coded, one way or another."""
    return dtype in INTEGERS or is_float(dtype)


def numpy_type(dtype: str) -> np.dtype:
    """The NumPy type of an accepted type's name; one of less than 8 bits takes a byte a value."""
    return np.dtype(getattr(ml_dtypes, dtype, dtype))


def array_of_bytes(raw: bytes | memoryview | np.ndarray, dtype: str, shape: tuple) -> np.ndarray:
    """An array of an accepted type of whole bytes, from bytes in little-endian order.

    raw: as many bytes as the shape needs.
    """
    to = numpy_type(dtype)
    words = np.frombuffer(raw, dtype=f"<u{to.itemsize}")
    return words.astype(f"=u{to.itemsize}").view(to).reshape(shape)


def array_of_packed(raw: bytes | memoryview | np.ndarray, dtype: str, shape: tuple) -> np.ndarray:
    """An array of a type of 4 or 2 bits, from bytes that hold 2 or 4 values, the first lowest."""
    bits, to = bits_of(dtype), numpy_type(dtype)
    packed = np.frombuffer(raw, dtype=np.uint8)
    patterns = packed[:, None] >> np.arange(0, 8, bits, dtype=np.uint8) & ((1 << bits) - 1)
    patterns = patterns.astype(np.uint8).reshape(-1)[: int(np.prod(shape, dtype=np.int64))]
    if dtype in INTEGERS:
        sign = 0 if dtype.startswith("u") else 1 << bits - 1
        return ((patterns.astype(np.int8) ^ sign) - sign).astype(to).reshape(shape)
    return patterns.view(to).reshape(shape)


def bits_of(dtype: str) -> int:
    """Bits of a value of an accepted type."""
    if dtype in WIDE_FLOATS:
        return 8 * np.dtype(dtype).itemsize
    return (INTEGERS | PATTERN_FLOATS)[dtype].bits
