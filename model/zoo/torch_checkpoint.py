# SPDX-License-Identifier: Apache-2.0
"""PyTorch checkpoints (.pth) of tensors, without PyTorch and without running foreign code.

Reads the format that torch.save wrote before version 1.6: four pickles (magic number, protocol,
system, the state), the list of storage keys, and per storage its length and its raw data
(torch/serialization.py, `_legacy_save`). The unpickler knows five names and refuses all others.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..errors import InputError

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGE_TYPES = {
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
}


@dataclass(frozen=True)
class _StorageType:
    dtype: np.dtype


@dataclass(frozen=True)
class _Tensor:
    """A tensor before its storage is read; offset and strides count elements."""

    key: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StateUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _STORAGE_TYPES:
            return _StorageType(_STORAGE_TYPES[name])
        raise pickle.UnpicklingError(f"the checkpoint asks for {module}.{name}")

    def persistent_load(self, pid: tuple) -> tuple[str, np.dtype]:
        kind, storage_type, key = pid[:3]
        if kind != "storage" or not isinstance(storage_type, _StorageType):
            raise pickle.UnpicklingError("the checkpoint holds something other than a storage")
        return key, storage_type.dtype


def _rebuild(
    storage: tuple[str, np.dtype], offset: int, shape: tuple, strides: tuple, *_: Any
) -> _Tensor:
    return _Tensor(*storage, offset, tuple(shape), tuple(strides))


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """Name -> array of every tensor in a checkpoint, in its order.

    Raises InputError, in one line, for a file that is not such a checkpoint or that asks for
    anything but tensors.
    """
    try:
        with path.open("rb") as file:
            return _read_state(file)
    except Exception as error:
        # pickle turns damaged input into almost any exception.
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(f"{path}: not a readable PyTorch checkpoint ({reason})") from error


def _read_state(file: BinaryIO) -> dict[str, np.ndarray]:
    magic = _StateUnpickler(file).load()
    if magic != _MAGIC:
        raise InputError("no torch.save magic number")
    for _ in ("protocol", "system"):
        _StateUnpickler(file).load()
    state = _StateUnpickler(file).load()
    tensors = {name: value for name, value in state.items() if isinstance(value, _Tensor)}
    dtypes = {tensor.key: tensor.dtype for tensor in tensors.values()}
    storages = {key: _read_storage(file, dtypes[key]) for key in _StateUnpickler(file).load()}
    return {name: _view(storages[tensor.key], tensor) for name, tensor in tensors.items()}


def _read_storage(file: BinaryIO, dtype: np.dtype) -> np.ndarray:
    length = int.from_bytes(file.read(8), "little")
    data = file.read(length * dtype.itemsize)
    return np.frombuffer(data, dtype, length)


def _view(storage: np.ndarray, tensor: _Tensor) -> np.ndarray:
    spans = [(n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True)]
    if min([tensor.offset, *tensor.shape, *tensor.strides]) < 0:
        raise InputError("a tensor has a negative offset, length or stride")
    if 0 not in tensor.shape and tensor.offset + sum(spans) >= len(storage):
        raise InputError("a tensor reaches past the end of its storage")
    byte_strides = [s * tensor.dtype.itemsize for s in tensor.strides]
    view = as_strided(storage[tensor.offset :], tensor.shape, byte_strides, writeable=False)
    return np.ascontiguousarray(view)
