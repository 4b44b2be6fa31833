# SPDX-License-Identifier: Apache-2.0
"""NumPy .npy and .npz files. Pickled objects are never loaded."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from ..errors import InputError
from .contents import Found, one_line

_Open = Callable[[], BinaryIO]


def read_npy(path: Path) -> list[Found]:
    """The one array of a .npy file, named after the file."""
    return [_found(path.stem, partial(path.open, "rb"), path.stat().st_size)]


def read_npz(path: Path) -> list[Found]:
    """All entries of a .npz archive but folders, in its order, named after their arrays."""
    archive = zipfile.ZipFile(path)
    found = [_found_entry(archive, entry) for entry in archive.infolist() if not entry.is_dir()]
    if not found:
        raise InputError("the archive holds no array")
    return found


def _found_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Found:
    name = entry.filename.removesuffix(".npy")
    try:
        with archive.open(entry) as file:
            is_array = file.read(len(npy_format.MAGIC_PREFIX)) == npy_format.MAGIC_PREFIX
        if is_array:
            return _found(name, partial(archive.open, entry), entry.file_size)
        reason = "no NumPy array"
    except Exception as error:  # encrypted, compressed in a way of its own, or damaged
        reason = f"not readable ({one_line(error)})"
    return Found(name, "", (), partial(_refuse, reason), True)


def _refuse(reason: str) -> np.ndarray:
    raise InputError(reason)


def _found(name: str, opened: _Open, total: int) -> Found:
    """The array in a .npy stream of `total` bytes, of which only the header is read."""
    with opened() as file:
        shape, _, dtype = _read_header(file)
    load = partial(_read_array, opened, total)
    return Found(name, _name_of(dtype), shape, load, True, advice=partial(_advice, dtype, load))


def _name_of(dtype: np.dtype) -> str:
    return f"void{8 * dtype.itemsize}" if dtype.kind == "V" and not dtype.fields else dtype.name


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy_format.read_magic(file)
    read_header = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
        # The same but for the names of fields, in UTF-8; arrays with fields are not accepted.
        (3, 0): npy_format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise InputError(f".npy format version {version[0]}.{version[1]} is not supported")
    return read_header(file)


def _read_array(opened: _Open, total: int) -> np.ndarray:
    """The header is checked against the size before anything is allocated for the data."""
    with opened() as file:
        shape, fortran_order, dtype = _read_header(file)
        bytes_wanted = math.prod(shape) * dtype.itemsize
        if bytes_wanted > total - file.tell():
            raise InputError(f"cut short: its header promises {bytes_wanted} bytes")
        data = file.read(bytes_wanted)
    if len(data) != bytes_wanted:
        raise InputError(f"cut short: {len(data)} of {bytes_wanted} bytes")
    flat = np.frombuffer(data, dtype=dtype).astype(dtype.newbyteorder("="))
    return flat.reshape(shape, order="F" if fortran_order else "C")


def _advice(dtype: np.dtype, load: Callable[[], np.ndarray]) -> str:
    """How an array of a type that is not accepted can be converted, where that makes sense."""
    if dtype.kind == "f":
        return "try array.astype(np.float32)"
    if dtype.kind == "b":
        return "try array.astype(np.uint8)"
    if dtype.kind == "V" and not dtype.fields:
        return (
            "NumPy files do not keep the names of bfloat16, float8, int4 and the like: "
            f"use .safetensors, or try array.view(np.uint{8 * dtype.itemsize})"
        )
    if dtype.kind not in "iu":
        return ""
    array = load()
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for name in ("int8", "uint8", "int16", "uint16"):
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return f"its values fit {name}: try array.astype(np.{name})"
    return f"its values, {low} to {high}, take more than 16 bits"
