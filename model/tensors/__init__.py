"""Tensors of unsigned bit patterns, read from the files people have: arrays and models."""

from model.tensors.quantize import bit_patterns, quantize_symmetric, signed_values
from model.tensors.read import EXTENSIONS, read_tensors
from model.tensors.tensor import Tensor

__all__ = [
    "EXTENSIONS",
    "Tensor",
    "bit_patterns",
    "quantize_symmetric",
    "read_tensors",
    "signed_values",
]
