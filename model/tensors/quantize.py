# SPDX-License-Identifier: Apache-2.0
"""Integers to bit patterns and back, and the quantization of float tensors."""

from __future__ import annotations

import numpy as np

from ..errors import InputError


def pattern_dtype(value_w: int) -> type[np.unsignedinteger]:
    """The unsigned type that holds patterns of `value_w` bits: uint8 up to 8 bits, else uint16."""
    return np.uint8 if value_w <= 8 else np.uint16


def bit_patterns(integers: np.ndarray, value_w: int) -> np.ndarray:
    """Unsigned patterns of `value_w` bits of an integer array; negatives in two's complement.

    Raises InputError when a value does not fit: signed types hold -2^(value_w-1) ..
    2^(value_w-1)-1, unsigned ones 0 .. 2^value_w - 1.
    """
    signed = np.issubdtype(integers.dtype, np.signedinteger)
    low, high = (-(1 << value_w - 1), (1 << value_w - 1) - 1) if signed else (0, (1 << value_w) - 1)
    for extreme in (int(integers.min()), int(integers.max())):
        if not low <= extreme <= high:
            kind = "signed" if signed else "unsigned"
            raise InputError(
                f"value {extreme} does not fit {value_w} {kind} bits ({low}..{high});"
                " choose a larger value width"
            )
    return (integers.astype(np.int32) & (1 << value_w) - 1).astype(pattern_dtype(value_w))


def signed_values(patterns: np.ndarray, value_w: int) -> np.ndarray:
    """int32 two's-complement meaning of unsigned patterns of `value_w` bits, same shape."""
    sign = 1 << value_w - 1
    return (patterns.astype(np.int32) ^ sign) - sign


def quantize_symmetric(array: np.ndarray, bits: int = 8) -> tuple[np.ndarray, float]:
    """Quantize a float tensor per tensor, symmetric around zero.

    Returns (integers, scale): int8 for up to 8 bits, else int16, of the same shape, in
    -(2^(bits-1)-1) .. 2^(bits-1)-1, with array ~= scale * integers and the largest magnitude mapped
    to the largest integer. An all-zero tensor has scale 1. Raises InputError for bits outside
    2..16, an empty tensor, or one with NaN or infinity.
    """
    if not 2 <= bits <= 16:
        raise InputError(f"cannot quantize to {bits} bits; 2..16 are possible")
    if array.size == 0:
        raise InputError("empty tensor")
    if not np.isfinite(array).all():
        raise InputError("holds NaN or infinity, which cannot be quantized")
    top = (1 << bits - 1) - 1
    peak = float(np.abs(array).max())
    scale = peak / top if peak / top > 0 else 1.0
    integers = np.clip(np.rint(array.astype(np.float64) / scale), -top, top)
    return integers.astype(np.int8 if bits <= 8 else np.int16), scale
