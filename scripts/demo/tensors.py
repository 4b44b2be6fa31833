"""Which tensors the demo sends through the hardware, and the table of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.apack import ApackError, SymbolTable, histogram, solve
from model.tensors import Tensor, read_tensors
from model.zoo.wakeword import wakeword_paths
from tb.apack.bulk.tops_round_trip import Shape

VALUE_W = 8
SHAPE = Shape()


@dataclass(frozen=True)
class Subject:
    """One tensor with its table. values: unsigned patterns in C order, (count,)."""

    model: str
    name: str
    values: np.ndarray
    table: SymbolTable
    note: str


def shipped_subjects() -> list[Subject]:
    """Every int8 weight tensor of the microWakeWord models in the package pymicro-wakeword."""
    return [
        solved_subject(name, tensor)
        for name, path in wakeword_paths()
        for tensor in read_tensors(path, VALUE_W)
    ]


def model_subjects(path: Path) -> list[Subject]:
    """Every weight tensor of a model file."""
    return [solved_subject(path.stem, tensor) for tensor in read_tensors(path, VALUE_W)]


def tensor_subjects(path: Path, table_path: Path | None) -> list[Subject]:
    """The arrays of a .npy or .npz file, with the user's table or the solved one."""
    if table_path is None:
        return model_subjects(path)
    table = SymbolTable.load(table_path)
    check_hardware(table, table_path)
    return [
        Subject(path.stem, tensor.name, tensor.values.reshape(-1), table, tensor.note)
        for tensor in read_tensors(path, table.value_w)
    ]


def solved_subject(model: str, tensor: Tensor) -> Subject:
    """A tensor with the table that fits it best."""
    values = tensor.values.reshape(-1)
    table = solve(histogram(values, tensor.value_w), value_w=tensor.value_w, symbols=SHAPE.symbols)
    return Subject(model, tensor.name, values, table, tensor.note)


def check_hardware(table: SymbolTable, path: Path) -> None:
    """Raise ApackError when a legal table does not fit the parameters the units are built with."""
    if table.groups > SHAPE.symbols:
        raise ApackError(
            f"{path}: {table.groups} groups; the hardware has SYMBOLS = {SHAPE.symbols} rows"
        )
    if table.count_w > SHAPE.code_w - 2:
        raise ApackError(
            f"{path}: count_w is {table.count_w}; "
            f"the hardware's CODE_W = {SHAPE.code_w} allows up to {SHAPE.code_w - 2}"
        )
