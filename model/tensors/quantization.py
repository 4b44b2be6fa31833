# SPDX-License-Identifier: Apache-2.0
"""What a file says of a constant's quantization, checked against the constant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ZERO_POINTS = range(-(2**31), 2**31)  # those that a container can hold


@dataclass(frozen=True)
class Quantization:
    """Scale, zero point and axis as in `Tensor`, and in `note` what of them was lost and why."""

    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis: int | None = None
    note: str = ""


UNQUANTIZED = Quantization()


def lost(reason: str) -> Quantization:
    """The quantization of a constant whose scales cannot be kept."""
    return Quantization(note=f"scales lost: {reason}")


def stated(
    shape: tuple[int, ...],
    scale: np.ndarray | Sequence[float],
    zero_point: np.ndarray | Sequence[int],
    axis: int | None,
    block: int = 0,
) -> Quantization:
    """The quantization of a constant of `shape` that has these parameters.

    scale, zero_point: of any shape; no zero point stands for 0. axis: the dimension that the
    entries of a vector of scales belong to, negative from the end. block: values along `axis` that
    share a scale, 0 unless the file says. One scale for each block of values is more than a
    container can hold; that, and parameters that contradict the shape, are lost.
    """
    with np.errstate(invalid="ignore"):  # some that are no numbers signal it
        scale = np.asarray(scale, dtype=np.float64)
    zero_point = np.asarray(zero_point)
    if scale.size == 0:
        return UNQUANTIZED
    if zero_point.size not in (0, 1, scale.size):
        return lost(f"{zero_point.size} zero points for {_count(scale.size, 'scale')}")
    zeros = _whole_zero_points(zero_point, scale.size)
    if isinstance(zeros, str):
        return lost(zeros)
    if scale.size > 1:
        axis = _axis(shape, scale, axis, block)
        if isinstance(axis, str):
            return lost(axis)
    else:
        axis = None
    scales = tuple(map(float, scale.reshape(-1)))
    doubtful = sum(not (math.isfinite(one) and one > 0) for one in scales)
    note = f"{_count(doubtful, 'scale')} not above zero or no number" if doubtful else ""
    return Quantization(scales, zeros, axis, note)


def agreed(said: Sequence[Quantization]) -> Quantization:
    """What all that is said of one constant comes to: the same, or lost."""
    different = list(dict.fromkeys(one for one in said if one != UNQUANTIZED))
    if len(different) > 1:
        return lost(f"given in {len(different)} different ways")
    return different[0] if different else UNQUANTIZED


def _whole_zero_points(zero_point: np.ndarray, scales: int) -> tuple[int, ...] | str:
    """One zero point for each scale, or why they cannot be kept."""
    values = zero_point.reshape(-1).tolist() or [0]
    if zero_point.dtype.kind not in "iu":
        values = [float(value) for value in values]
        if not all(value.is_integer() for value in values):
            return "zero points that are no whole numbers"
    wide = next((int(value) for value in values if int(value) not in ZERO_POINTS), None)
    if wide is not None:
        return f"zero point {wide} has more than 32 bits"
    return tuple(map(int, values)) * (scales if len(values) == 1 else 1)


def _axis(shape: tuple[int, ...], scale: np.ndarray, axis: int | None, block: int) -> int | str:
    """The dimension with one scale for each of its indices, or why there is none."""
    if scale.ndim > 1:
        return _axis_of_full_rank(shape, scale.shape)
    if axis is None or not -len(shape) <= axis < len(shape):
        return f"axis {axis} of {_count(len(shape), 'dimension')}"
    axis %= len(shape)
    if scale.size != shape[axis]:
        blocks = f" in blocks of {block}" if block else ""
        return f"{scale.size} of them{blocks} for {shape[axis]} along dimension {axis}"
    return axis


def _axis_of_full_rank(shape: tuple[int, ...], scales: tuple[int, ...]) -> int | str:
    along = [dimension for dimension, length in enumerate(scales) if length > 1]
    if len(scales) == len(shape) and len(along) == 1 and scales[along[0]] == shape[along[0]]:
        return along[0]
    return f"blocked, {text_of(scales)} scales for {text_of(shape)} values"


def text_of(shape: Sequence[int]) -> str:
    """A shape as people write it: 3x4."""
    return "x".join(map(str, shape)) or "scalar"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
