# SPDX-License-Identifier: Apache-2.0
"""APack: lossless compression of quantized values by a group table and an arithmetic coder.

The executable form of the bit-stream definition: symbol table, coder, solver and container.
"""

from ..bitstream.bits import Bits
from ..errors import CorruptStream
from ..tensors.statistics import entropy_bits, histogram
from .coder import EncodedBlock, Interval, decode_block, encode_block
from .errors import ApackError, IllegalTable
from .solver import solve
from .table import SymbolTable

__all__ = [
    "ApackError",
    "Bits",
    "CorruptStream",
    "EncodedBlock",
    "IllegalTable",
    "Interval",
    "SymbolTable",
    "decode_block",
    "encode_block",
    "entropy_bits",
    "histogram",
    "solve",
]
