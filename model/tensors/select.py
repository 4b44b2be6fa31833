# SPDX-License-Identifier: Apache-2.0
"""From an array as a file holds it to a Tensor; which arrays of a model count as weights."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .contents import Found, LeftOut, one_line
from .quantization import UNQUANTIZED, Quantization
from .quantize import bit_patterns, quantize_symmetric
from .tensor import Tensor
from .types import FLOAT_BITS, INTEGER_BITS, PATTERNS, bits_of, holder_of, is_accepted

QUANTIZED_W = 8


def is_weight(dtype: str, shape: tuple[int, ...]) -> bool:
    """Whether a constant of a model is of the type and size of a weight tensor.

    Integer constants of the accepted types with two or more dimensions are. Constants of other
    types must moreover be longer than one along two dimensions: a (1, 384) float array is a bias
    or a row of scales, not a matrix of weights. Vectors (biases, batch-norm parameters, shapes)
    never are. An empty array counts with its dimensions of length 0.
    """
    if len(shape) < 2:
        return False
    return dtype in INTEGER_BITS or sum(length != 1 for length in shape) >= 2


def take(found: Found, value_w: int | None, floats: str) -> Tensor | LeftOut:
    """The Tensor of an array, or why there is none."""
    if found.doubt:
        return LeftOut(found.name, found.dtype, found.shape, found.doubt)
    if found.dtype and not is_accepted(found.dtype):
        reason = _joined(f"type {found.dtype} is not accepted", _advice(found))
        return LeftOut(found.name, found.dtype, found.shape, reason)
    try:
        array = found.load()
        return make_tensor(found.name, array, value_w, floats, found.quantization, found.note)
    except InputError as error:
        reason = str(error)
    except MemoryError:
        reason = "not enough memory for it"
    except Exception as error:
        # As with whole files: parsers raise anything on damage.
        reason = f"not readable ({one_line(error)})"
    return LeftOut(found.name, found.dtype, found.shape, reason)


def _advice(found: Found) -> str:
    try:
        return found.advice()
    except Exception:  # the array cannot even be read, which its type made no difference to
        return ""


def make_tensor(
    name: str,
    array: np.ndarray,
    value_w: int | None = None,
    floats: str = PATTERNS,
    quantization: Quantization = UNQUANTIZED,
    note: str = "",
) -> Tensor:
    """Tensor of an array: integers as they are, floats as `floats` says.

    value_w: bits of a value, None for those of the array's own type (8 for quantized floats).
    Integers of wider types must fit it, narrower ones keep their own width. floats: "patterns"
    for the bit patterns of floats of up to 16 bits, at their own width, "int8" to quantize them
    like wider ones. Raises InputError for a type that is not accepted, an empty array, and values
    wider than value_w.
    """
    dtype = array.dtype.name
    if not is_accepted(dtype):
        raise InputError(f"type {dtype} is not accepted")
    if array.size == 0:
        raise InputError("is empty")
    if dtype in INTEGER_BITS:
        return _integers(name, array, value_w, quantization, note)
    if dtype in FLOAT_BITS and floats == PATTERNS:
        return _patterns(name, array, quantization, note)
    return _quantized(name, array, value_w or QUANTIZED_W, note)


def _integers(
    name: str, array: np.ndarray, value_w: int | None, quantization: Quantization, note: str
) -> Tensor:
    dtype = array.dtype.name
    value_w = min(value_w or bits_of(dtype), bits_of(dtype))
    return Tensor(
        name,
        bit_patterns(array.astype(holder_of(dtype)), value_w),
        dtype,
        value_w,
        quantization.scale,
        quantization.zero_point,
        _joined(note, quantization.note),
        holder_of(dtype),
        quantization.axis,
    )


def _patterns(name: str, array: np.ndarray, quantization: Quantization, note: str) -> Tensor:
    dtype = array.dtype.name
    lost = "scales lost: they scale floats" if quantization.scale else quantization.note
    return Tensor(
        name,
        array.view(holder_of(dtype)),
        dtype,
        bits_of(dtype),
        note=_joined(note, lost),
        stored=holder_of(dtype),
    )


def _quantized(name: str, array: np.ndarray, value_w: int, note: str) -> Tensor:
    dtype = array.dtype.name
    numbers = array if array.dtype.kind == "f" else array.astype(np.float32)
    integers, scale = quantize_symmetric(numbers, value_w)
    return Tensor(
        name,
        bit_patterns(integers, value_w),
        dtype,
        value_w,
        (scale,),
        (0,),
        _joined(note, f"{dtype} quantized per tensor, symmetric int{value_w}"),
        integers.dtype.name,
    )


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))
