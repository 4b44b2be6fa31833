# SPDX-License-Identifier: Apache-2.0
"""Tensors of unsigned bit patterns, read from the files people have: arrays and models."""

from .contents import Contents, LeftOut
from .quantize import bit_patterns, pattern_dtype, quantize_symmetric, signed_values
from .read import EXTENSIONS, read_file, read_tensors
from .tensor import Tensor
from .types import FLOAT_WAYS, PATTERNS, QUANTIZE

__all__ = [
    "EXTENSIONS",
    "FLOAT_WAYS",
    "PATTERNS",
    "QUANTIZE",
    "Contents",
    "LeftOut",
    "Tensor",
    "bit_patterns",
    "pattern_dtype",
    "quantize_symmetric",
    "read_file",
    "read_tensors",
    "signed_values",
]
