# SPDX-License-Identifier: Apache-2.0
"""The weight compression of Arm's Ethos-U NPUs, run by Arm's own encoder.

Source: package `ethos-u-vela`, module `mlw_codec` (Apache-2.0): Golomb-Rice coded palette indices
and zero runs, chosen per section of the stream. Its output is padded to 16 bytes.
The package has no wheels for Python 3.14 and newer, where the codec is left out.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec

import numpy as np

from ..bitstream.bits import Bits
from ..errors import InputError
from ..tensors import bit_patterns, signed_values

with suppress(ModuleNotFoundError):
    from ethosu import mlw_codec

MAX_VALUE_W = 8
HAS_MLW = find_spec("ethosu") is not None


def encode_mlw(values: np.ndarray, value_w: int) -> Bits:
    """mlw stream of patterns of at most 8 bits, taken as signed; raises InputError for wider."""
    if value_w > MAX_VALUE_W:
        raise InputError(f"mlw_codec takes values of at most 8 bits, not {value_w}")
    data = bytes(mlw_codec.encode(signed_values(values.reshape(-1), value_w).tolist()))
    return Bits(8 * len(data), data)


def decode_mlw(stream: Bits, count: int, value_w: int) -> np.ndarray:
    """The `count` values of an mlw stream, as unsigned patterns, int64."""
    signed = np.array(mlw_codec.decode(bytearray(stream.data))[:count], np.int32)
    return bit_patterns(signed, value_w).astype(np.int64)
