"""APack: lossless compression of quantized values by a group table and an arithmetic coder.

The executable form of the bit-stream definition: symbol table, coder, solver and container.
"""

from model.apack.bits import Bits
from model.apack.coder import EncodedBlock, Interval, decode_block, encode_block
from model.apack.entropy import entropy_bits, histogram
from model.apack.errors import ApackError, CorruptStream, IllegalTable
from model.apack.solver import solve
from model.apack.table import SymbolTable

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
