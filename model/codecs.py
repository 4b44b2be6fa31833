"""The list of codecs that APack is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .baselines.huffman import decode_huffman, encode_huffman
from .baselines.run_length import decode_rle, decode_rlez, encode_rle, encode_rlez
from .baselines.shapeshifter import shapeshifter
from .baselines.vela import HAS_MLW, decode_mlw, encode_mlw
from .baselines.zero_value import decode_zvc, encode_zvc
from .baselines.zstd import decode_zstd, encode_zstd
from .bitstream.bits import Bits


@dataclass(frozen=True)
class Codec:
    """One lossless codec over flat unsigned patterns in which the real number zero is pattern 0.

    encode(values, value_w) -> Bits, with all that the decoder needs but the count of values.
    decode(bits, count, value_w) -> values.
    """

    key: str
    title: str
    encode: Callable[[np.ndarray, int], Bits]
    decode: Callable[[Bits, int, int], np.ndarray]
    max_value_w: int = 16

    def coded_bits(self, values: np.ndarray, value_w: int) -> int:
        """Size of the encoder's own output in bits."""
        return self.encode(values, value_w).bits


CODECS = (
    Codec("rle", "RLE", encode_rle, decode_rle),
    Codec("rlez", "RLEZ", encode_rlez, decode_rlez),
    Codec("zvc", "ZVC", encode_zvc, decode_zvc),
    Codec("shapeshifter8", "ShapeShifter, 8", *shapeshifter(8)),
    Codec("shapeshifter16", "ShapeShifter, 16", *shapeshifter(16)),
    Codec("huffman", "Huffman", encode_huffman, decode_huffman),
    *([Codec("mlw", "mlw_codec", encode_mlw, decode_mlw, max_value_w=8)] if HAS_MLW else []),
    Codec("zstd", "zstd -19", encode_zstd, decode_zstd),
)
