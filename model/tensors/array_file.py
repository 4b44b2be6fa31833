"""NumPy .npy and .npz files. Pickled objects are never loaded."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from model.apack import ApackError
from model.tensors.select import ACCEPTED, FLOAT_TYPES, INTEGER_TYPES, make_tensor
from model.tensors.tensor import Tensor


def read_npy(path: Path, value_w: int) -> list[Tensor]:
    """The one array of a .npy file, named after the file."""
    with path.open("rb") as file:
        array = _read_array(file, path.stat().st_size, path.stem)
    return [make_tensor(path.stem, array, value_w)]


def read_npz(path: Path, value_w: int) -> list[Tensor]:
    """All arrays of a .npz archive, in its order, named after their entries."""
    tensors = []
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            with archive.open(entry) as file:
                array = _read_array(file, entry.file_size, name)
            tensors.append(make_tensor(name, array, value_w))
    if not tensors:
        raise ApackError("the archive holds no array")
    return tensors


def _read_array(file: BinaryIO, total: int, name: str) -> np.ndarray:
    """The array in an open .npy stream of `total` bytes.

    The header is checked against the size before anything is allocated for the data.
    """
    version = npy_format.read_magic(file)
    read_header = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise ApackError(f".npy format version {version[0]}.{version[1]} is not supported")
    shape, fortran_order, dtype = read_header(file)
    if dtype.name not in (*INTEGER_TYPES, *FLOAT_TYPES):
        raise ApackError(f"tensor '{name}' has type {dtype.name}; {ACCEPTED}")
    bytes_wanted = math.prod(shape) * dtype.itemsize
    if bytes_wanted > total - file.tell():
        raise ApackError(f"tensor '{name}' is cut short: its header promises {bytes_wanted} bytes")
    data = file.read(bytes_wanted)
    if len(data) != bytes_wanted:
        raise ApackError(f"tensor '{name}' is cut short: {len(data)} of {bytes_wanted} bytes")
    flat = np.frombuffer(data, dtype=dtype).astype(dtype.newbyteorder("="))
    return flat.reshape(shape, order="F" if fortran_order else "C")
