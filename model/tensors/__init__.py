"""Tensors of unsigned bit patterns, read from the files people have: arrays and models."""

from model.tensors.contents import Contents, LeftOut
from model.tensors.quantize import bit_patterns, quantize_symmetric, signed_values
from model.tensors.read import EXTENSIONS, read_file, read_tensors
from model.tensors.tensor import Tensor
from model.tensors.types import FLOAT_WAYS, PATTERNS, QUANTIZE

__all__ = [
    "EXTENSIONS",
    "FLOAT_WAYS",
    "PATTERNS",
    "QUANTIZE",
    "Contents",
    "LeftOut",
    "Tensor",
    "bit_patterns",
    "quantize_symmetric",
    "read_file",
    "read_tensors",
    "signed_values",
]
