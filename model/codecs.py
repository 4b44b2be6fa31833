# SPDX-License-Identifier: Apache-2.0
"""The list of all codecs: those of this project, and those they are compared with.

A line in `CODECS` is all that one needs: the report, `make bench-codec` and the command `compare`
read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .apack.alone import decode_apack, encode_apack
from .baselines.huffman import decode_huffman, encode_huffman
from .baselines.run_length import decode_rle, decode_rlez, encode_rle, encode_rlez
from .baselines.shapeshifter import shapeshifter
from .baselines.vela import HAS_MLW, decode_mlw, encode_mlw
from .baselines.zero_value import decode_zvc, encode_zvc
from .baselines.zstd import HAS_ZSTD, decode_zstd, encode_zstd
from .bitstream.bits import Bits
from .tensors.quantize import signed_values


@dataclass(frozen=True)
class Codec:
    """One codec over flat unsigned patterns in which the real number zero is pattern 0.

    encode(values, value_w) -> Bits, with all that the decoder needs but the count of values.
    decode(bits, count, value_w) -> values.
    max_error: most by which a value may change, as an integer of value_w bits; 0 is lossless.
    compiled: both ways run compiled code, so that their speed is worth measuring.
    """

    key: str
    title: str
    encode: Callable[[np.ndarray, int], Bits]
    decode: Callable[[Bits, int, int], np.ndarray]
    max_value_w: int = 16
    max_error: int = 0
    compiled: bool = False

    def coded_bits(self, values: np.ndarray, value_w: int) -> int:
        """Size of the encoder's own output in bits."""
        return self.encode(values, value_w).bits


def largest_error(values: np.ndarray, decoded: np.ndarray, value_w: int) -> int:
    """Most by which a pattern of value_w bits changed, both taken as two's complement."""
    before, after = (
        signed_values(np.asarray(patterns), value_w).astype(np.int64)
        for patterns in (values, decoded)
    )
    return int(np.abs(after - before).max(initial=0))


APACK = Codec("apack", "APack", encode_apack, decode_apack, compiled=True)
CODECS = (
    APACK,
    Codec("rle", "RLE", encode_rle, decode_rle),
    Codec("rlez", "RLEZ", encode_rlez, decode_rlez),
    Codec("zvc", "ZVC", encode_zvc, decode_zvc),
    Codec("shapeshifter8", "ShapeShifter, 8", *shapeshifter(8)),
    Codec("shapeshifter16", "ShapeShifter, 16", *shapeshifter(16)),
    Codec("huffman", "Huffman", encode_huffman, decode_huffman),
    *([Codec("mlw", "mlw_codec", encode_mlw, decode_mlw, 8, compiled=True)] if HAS_MLW else []),
    *([Codec("zstd", "zstd -19", encode_zstd, decode_zstd, compiled=True)] if HAS_ZSTD else []),
)
