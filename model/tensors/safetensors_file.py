# SPDX-License-Identifier: Apache-2.0
"""safetensors files (https://huggingface.co/docs/safetensors), read lazily tensor by tensor.

The package `safetensors` gives NumPy no arrays of bfloat16 or of less, and refuses a whole file for
one type that it does not know; so the header, JSON after its length in 8 bytes, is read here.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import InputError
from .contents import Found
from .raw_bytes import array_of_bytes
from .select import is_weight

_DTYPES = {
    "I8": "int8",
    "U8": "uint8",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F4": "float4_e2m1fn",
    "F64": "float64",
    "I32": "int32",
    "U32": "uint32",
    "I64": "int64",
    "U64": "uint64",
    "C64": "complex64",
    "BOOL": "bool",
}
_LENGTH_BYTES = 8
MOST_HEADER_BYTES = 100_000_000


def read_safetensors(path: Path) -> list[Found]:
    """The tensors of a safetensors file, in the order of their data."""
    total = path.stat().st_size
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if header_bytes > min(MOST_HEADER_BYTES, total - _LENGTH_BYTES):
            raise InputError(
                f"not a safetensors file, or cut short: a header of {header_bytes} bytes "
                f"in a file of {total}"
            )
        entries = json.loads(file.read(header_bytes), object_pairs_hook=_pairs)
    start = _LENGTH_BYTES + header_bytes
    tensors = [_entry(name, dict(fields)) for name, fields in entries if name != "__metadata__"]
    tensors.sort(key=lambda tensor: tensor[3])
    _check_offsets([offsets for *_, offsets in tensors], total - start)
    return [_found(path, start, *tensor) for tensor in tensors]


class _Pairs(list):
    """The members of a JSON object, doubled names included."""


def _pairs(members: list[tuple]) -> _Pairs:
    return _Pairs(members)


def _entry(name: str, fields: dict) -> tuple[str, str, tuple[int, ...], tuple[int, int]]:
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    whole = all(type(number) is int and number >= 0 for number in (*shape, *offsets))
    if not whole or type(dtype) is not str or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise InputError(f"tensor {name!r}: its type, shape or place in the header is none")
    return name, dtype, tuple(shape), tuple(offsets)


def _check_offsets(offsets: list[tuple[int, int]], data_bytes: int) -> None:
    """Raise InputError unless the tensors follow each other from the first byte to the last."""
    position = 0
    for begin, end in offsets:
        if begin != position:
            raise InputError(f"a tensor's data begins at byte {begin}, where {position} is due")
        position = end
    if position > data_bytes:
        raise InputError(f"cut short: {data_bytes} of {position} bytes of data")
    if position < data_bytes:
        raise InputError(f"{data_bytes - position} bytes after the last tensor")


def _found(
    path: Path,
    start: int,
    name: str,
    type_name: str,
    shape: tuple[int, ...],
    offsets: tuple[int, int],
) -> Found:
    dtype = _DTYPES.get(type_name, type_name)
    load = partial(_load, path, start, dtype, shape, offsets)
    return Found(name, dtype, shape, load, is_weight(dtype, shape))


def _load(
    path: Path, start: int, dtype: str, shape: tuple[int, ...], offsets: tuple[int, int]
) -> np.ndarray:
    begin, end = offsets
    with path.open("rb") as file:
        file.seek(start + begin)
        return array_of_bytes(file.read(end - begin), dtype, shape)
