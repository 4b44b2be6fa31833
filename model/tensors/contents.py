"""What a file holds: arrays found in it, the tensors made of them, and what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model.tensors.quantization import UNQUANTIZED, Quantization, text_of
from model.tensors.tensor import Tensor

_REASON_LENGTH = 160


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
        return f"{self.name!r}{kind}: {self.reason}"


@dataclass(frozen=True)
class Contents:
    """The tensors of a file in its order, and what of it was left out."""

    tensors: list[Tensor]
    left_out: list[LeftOut]


def one_line(error: BaseException) -> str:
    """What a parser's exception says, in one short line."""
    return " ".join(str(error).split())[:_REASON_LENGTH] or type(error).__name__
