# SPDX-License-Identifier: Apache-2.0
"""What a file holds: arrays found in it, the tensors made of them, and what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError, shown
from .quantization import UNQUANTIZED, Quantization, text_of
from .tensor import Tensor
from .types import ACCEPTED

_REASON_LENGTH = 160
_REASONS_SHOWN = 3


@dataclass(frozen=True)
class Found:
    """An array that a file holds, before it is read.

    dtype: name of its type by NumPy or ml_dtypes, or what the file calls it. load: reads it, as an
    array of this type; raises whatever its parser raises. weight: whether it is of the kind that
    is read unless names say otherwise. doubt: why one that looks like a weight is none, to be left
    out unless it is named. note: what the reader did to it. advice: for a type that is not
    accepted, what to do.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    load: Callable[[], np.ndarray]
    weight: bool
    quantization: Quantization = UNQUANTIZED
    doubt: str = ""
    note: str = ""
    advice: Callable[[], str] = str


@dataclass(frozen=True)
class LeftOut:
    """An array that was not taken, and why. dtype: as in `Found`, empty of what is no array."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    reason: str

    def __str__(self) -> str:
        kind = f" ({self.dtype}, {text_of(self.shape)})" if self.dtype else ""
        return f"{shown(self.name)}{kind}: {self.reason}"


@dataclass(frozen=True)
class Contents:
    """The tensors of a file in its order, and what of it was left out."""

    tensors: list[Tensor]
    left_out: list[LeftOut]

    def of_width(self, value_w: int) -> Contents:
        """The same with the tensors of other value widths left out too, for a table of this one."""
        other = [
            LeftOut(
                tensor.name,
                tensor.dtype,
                tensor.values.shape,
                f"values of {tensor.value_w} bits, the table is for {value_w}",
            )
            for tensor in self.tensors
            if tensor.value_w != value_w
        ]
        fitting = [tensor for tensor in self.tensors if tensor.value_w == value_w]
        return Contents(fitting, self.left_out + other)

    def check(self, path: Path, strict: bool = False) -> None:
        """Raise InputError that gives reasons when no tensor is left, or if strict one is not."""
        if self.tensors and not (strict and self.left_out):
            return
        if not self.left_out:
            raise InputError(
                f"{path}: no weight tensor found (constants of two or more dimensions, "
                f"others only by their names; {ACCEPTED})"
            )
        reasons = "; ".join(map(str, self.left_out[:_REASONS_SHOWN]))
        if len(self.left_out) > _REASONS_SHOWN:
            reasons += f"; and {len(self.left_out) - _REASONS_SHOWN} more"
        if not self.tensors:
            raise InputError(f"{path}: no tensor can be taken: {reasons}")
        count = len(self.tensors) + len(self.left_out)
        raise InputError(
            f"{path}: {len(self.left_out)} of {count} tensors would be left out: {reasons}; "
            "choose others by name, or go without --strict"
        )


def one_line(error: BaseException) -> str:
    """What a parser's exception says, in one short line."""
    return " ".join(str(error).split())[:_REASON_LENGTH] or type(error).__name__
