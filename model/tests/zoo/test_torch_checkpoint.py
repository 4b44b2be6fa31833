# SPDX-License-Identifier: Apache-2.0
"""The checkpoint reader: the arrays of a file as torch.save wrote it, and nothing else."""

from __future__ import annotations

import os
import pickle
import random
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from model.apack import ApackError
from model.zoo.torch_checkpoint import _MAGIC, read_checkpoint


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> tuple | None:
        return obj if isinstance(obj, tuple) and obj and obj[0] == "storage" else None


def _torch_names(monkeypatch: pytest.MonkeyPatch) -> tuple[type, Any]:
    """Stand-ins for the two names of PyTorch that a checkpoint refers to."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch.FloatStorage, _rebuild_tensor_v2


class _Saved:
    """Pickles as a call of _rebuild_tensor_v2, the way tensors do."""

    def __init__(self, rebuild: Any, arguments: tuple) -> None:
        self._call = rebuild, arguments

    def __reduce__(self) -> tuple:
        return self._call


def save(
    path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple, strides: tuple, offset: int = 0
) -> np.ndarray:
    """Write a checkpoint of one tensor "w" over a storage of 12 floats; returns the storage."""
    storage_type, rebuild = _torch_names(monkeypatch)
    storage = np.arange(12, dtype="<f4")
    pid = ("storage", storage_type, "7", "cpu", 12, None)
    saved = _Saved(rebuild, (pid, offset, shape, strides, False, OrderedDict()))
    with path.open("wb") as file:
        for head in (_MAGIC, 1001, {"little_endian": True}):
            pickle.dump(head, file, protocol=2)
        _Pickler(file, protocol=2).dump(OrderedDict(w=saved, epoch=3))
        pickle.dump(["7"], file, protocol=2)
        file.write((12).to_bytes(8, "little") + storage.tobytes())
    return storage


def test_row_major_and_strided_tensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pth"
    storage = save(path, monkeypatch, (3, 4), (4, 1))
    assert np.array_equal(read_checkpoint(path)["w"], storage.reshape(3, 4))
    save(path, monkeypatch, (4, 2), (1, 4), offset=4)
    assert np.array_equal(read_checkpoint(path)["w"], storage[4:].reshape(2, 4).T)
    assert list(read_checkpoint(path)) == ["w"]


@pytest.mark.parametrize(("shape", "strides"), [((3, 5), (4, 1)), ((13,), (1,)), ((2,), (-1,))])
def test_a_tensor_outside_its_storage_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple, strides: tuple
) -> None:
    save(tmp_path / "a.pth", monkeypatch, shape, strides)
    with pytest.raises(ApackError, match=r"a tensor (reaches past|has a negative)"):
        read_checkpoint(tmp_path / "a.pth")


def test_foreign_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(pickle.dumps(_Saved(os.mkdir, (str(tmp_path / "made"),))))
    with pytest.raises(ApackError, match=r"asks for (posix|nt)\.mkdir"):
        read_checkpoint(path)
    assert not (tmp_path / "made").exists()


def test_damaged_files_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pth"
    save(path, monkeypatch, (3, 4), (4, 1))
    good, draw = path.read_bytes(), random.Random(1)
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(ApackError) as caught:
            read_checkpoint(path)
        assert "\n" not in str(caught.value)
    for _ in range(300):
        mutated = bytearray(good)
        mutated[draw.randrange(len(good) - 48)] = draw.randrange(256)
        path.write_bytes(mutated)
        try:
            read_checkpoint(path)
        except ApackError as error:
            assert "\n" not in str(error)
