# SPDX-License-Identifier: Apache-2.0
"""Tensors to array files: what each format can hold of their types and names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from itertools import chain, count

import numpy as np

from ..errors import InputError, shown
from .safetensors_file import MOST_HEADER_BYTES
from .tensor import Tensor

_ZIP_NAME_BYTES = 65_535
_SAFETENSORS_TYPES = frozenset({
    "int8", "uint8", "int16", "uint16", "float16", "bfloat16", "float8_e4m3fn", "float8_e4m3fnuz",
    "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu",
})  # fmt: skip


def numpy_array(tensor: Tensor) -> np.ndarray:
    """The elements in a type that NumPy's files have.

    Floats that NumPy has not come as their unsigned bit patterns, integers narrower than a byte in
    the type they are stored as, quantized floats as their integers.
    """
    array = tensor.array()
    return array if array.dtype.isbuiltin == 1 else tensor.integers()


def npy_bytes(arrays: dict[str, np.ndarray]) -> memoryview:
    """A .npy file of the only array."""
    (array,) = arrays.values()
    data = io.BytesIO()
    np.lib.format.write_array(data, array, allow_pickle=False)
    return data.getbuffer()


def npz_bytes(arrays: dict[str, np.ndarray]) -> memoryview:
    """A .npz archive under the keys of `npz_keys`, the same bytes at any time.

    Raises InputError for a name that is longer than an archive can hold.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, key in npz_keys(arrays).items():
            entry = zipfile.ZipInfo(f"{key}.npy")
            size = len(entry.filename.encode())
            if size > _ZIP_NAME_BYTES:
                raise InputError(
                    f"tensor {shown(name)}: an entry's name of {size:,} bytes is too long for a "
                    ".npz file; write to a .safetensors file, or this tensor alone to .npy"
                )
            archive.writestr(entry, npy_bytes({name: arrays[name]}))
    return data.getbuffer()


def npz_keys(names: Iterable[str]) -> dict[str, str]:
    """The key of each array in a .npz archive: its name, but where NumPy would mix names up.

    An archive ends names at a zero character, which is written %00 here, and `numpy.load` takes
    "a.npy" for "a" when that is there too. What is changed gets #2, #3 and so on until it is unlike
    all others.
    """
    names = dict.fromkeys(names)
    keys: dict[str, str] = {}
    taken = {*names, *(name.removesuffix(".npy") for name in names)}
    for name in names:
        keys[name] = name
        if _is_mistaken(name, names):
            plain = name.replace("\0", "%00")
            candidates = chain([plain], (f"{plain}#{copy}" for copy in count(2)))
            keys[name] = next(
                key for key in candidates if key not in taken and not key.endswith(".npy")
            )
            taken.add(keys[name])
    return keys


def _is_mistaken(name: str, names: Container[str]) -> bool:
    return "\0" in name or (name.endswith(".npy") and name.removesuffix(".npy") in names)


def safetensors_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """A .safetensors file, for arrays of ml_dtypes' types too.

    Raises InputError that names the tensor for a type, or a name, that the format has not.
    """
    from safetensors.numpy import save

    for name, array in arrays.items():
        if array.dtype.name not in _SAFETENSORS_TYPES:
            raise InputError(
                f"tensor {shown(name)} is {array.dtype.name}, which .safetensors has not; "
                "write to a .npz or .npy file"
            )
        if name == "__metadata__":
            raise InputError(f"tensor {name!r} has a name that .safetensors keeps for itself")
    data = save(arrays)
    header_bytes = int.from_bytes(data[:8], "little")
    if header_bytes > MOST_HEADER_BYTES:
        raise InputError(
            f"names and shapes take {header_bytes:,} bytes, of which a .safetensors file holds "
            f"{MOST_HEADER_BYTES:,}; write to a .npz file"
        )
    return data


@dataclass(frozen=True)
class Format:
    """A format: the array it takes for a tensor, and the file of arrays by name."""

    array: Callable[[Tensor], np.ndarray]
    file: Callable[[dict[str, np.ndarray]], bytes | memoryview]


FORMATS = {
    "npz": Format(numpy_array, npz_bytes),
    "npy": Format(numpy_array, npy_bytes),
    "safetensors": Format(Tensor.array, safetensors_bytes),
}
