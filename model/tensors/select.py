"""From an array as a file holds it to a Tensor; which arrays of a model count as weights."""

from __future__ import annotations

import numpy as np

from model.apack import ApackError
from model.tensors.quantize import bit_patterns, quantize_symmetric
from model.tensors.tensor import Tensor

INTEGER_TYPES = ("int8", "uint8", "int16", "uint16")
FLOAT_TYPES = ("float16", "float32")
ACCEPTED = "accepted are " + ", ".join((*INTEGER_TYPES, *FLOAT_TYPES))


def is_weight(dtype: str, shape: tuple[int, ...]) -> bool:
    """Whether a constant of a model counts as a weight tensor.

    Integer constants of the accepted types with two or more dimensions do. Float constants must
    moreover be longer than one along two dimensions: a (1, 384) float array is a bias or a row of
    scales, not a matrix of weights. Vectors (biases, batch-norm parameters) never count.
    """
    if len(shape) < 2 or 0 in shape:
        return False
    if dtype in FLOAT_TYPES:
        return sum(length > 1 for length in shape) >= 2
    return dtype in INTEGER_TYPES


def make_tensor(
    name: str,
    array: np.ndarray,
    value_w: int,
    scale: tuple[float, ...] = (),
    zero_point: tuple[int, ...] = (),
    axis: int | None = None,
) -> Tensor:
    """Tensor of an array: integers as they are, floats quantized to `value_w` bits.

    Raises ApackError, its message led by the tensor's name, for a type that is not accepted, an
    empty array, and values wider than value_w.
    """
    dtype = array.dtype.name
    if array.size == 0:
        raise ApackError(f"tensor '{name}' is empty")
    try:
        if dtype in FLOAT_TYPES:
            return _quantized(name, array, value_w)
        if dtype in INTEGER_TYPES:
            patterns = bit_patterns(array, value_w)
            return Tensor(name, patterns, dtype, value_w, scale, zero_point, axis=axis)
    except ApackError as error:
        raise ApackError(f"tensor '{name}': {error}") from None
    raise ApackError(f"tensor '{name}' has type {dtype}; {ACCEPTED}")


def _quantized(name: str, array: np.ndarray, value_w: int) -> Tensor:
    integers, scale = quantize_symmetric(array, value_w)
    return Tensor(
        name,
        bit_patterns(integers, value_w),
        array.dtype.name,
        value_w,
        (scale,),
        (0,),
        note=f"{array.dtype.name} quantized per tensor, symmetric int{value_w}",
        stored=integers.dtype.name,
    )
