"""Which tensors the demo sends through the hardware, and the table of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.apack import ApackError, SymbolTable, histogram, solve
from model.tensors import Tensor, read_tensors
from model.tensors.naming import chosen
from model.zoo.face_detectors import (
    FULL_RANGE_PRUNED,
    SHORT_RANGE,
    map_tensors,
    portrait,
    weight_tensors,
)
from model.zoo.wakeword import wakeword_paths
from tb.apack.bulk.tops_round_trip import Shape

VALUE_W = 8
SHAPE = Shape()


@dataclass(frozen=True)
class Subject:
    """One tensor with its table. values: unsigned patterns in C order, (count,).

    group: what it is summed up with, the tensors of one file or one network's weights.
    """

    model: str
    name: str
    group: str
    values: np.ndarray
    table: SymbolTable
    note: str


def shipped_subjects() -> list[Subject]:
    """Tensors of networks in Python packages: weights as they are, and feature maps of a run.

    Four groups: the int8 weights of the microWakeWord models as shipped; weights and feature maps
    of a face detector at work on a photograph; and the weights of a pruned one.
    """
    wakewords = [
        _solved(name, "microWakeWord, weights", tensor)
        for name, path in wakeword_paths()
        for tensor in read_tensors(path, VALUE_W)
    ]
    picture = portrait()
    face, pruned = SHORT_RANGE.run(picture), FULL_RANGE_PRUNED.run(picture)
    return wakewords + [
        _solved(model, group, tensor)
        for model, group, tensors in (
            ("blazeface", "BlazeFace, weights", weight_tensors(face)),
            ("blazeface", "BlazeFace, feature maps", map_tensors(face)),
            ("blazeface_pruned", "BlazeFace, pruned weights", weight_tensors(pruned)),
        )
        for tensor in tensors
    ]


def file_subjects(
    path: Path, patterns: Sequence[str] = (), table_path: Path | None = None
) -> list[Subject]:
    """The tensors of a file, all or those chosen by name, with the user's table or the solved one.

    Raises ApackError for what cannot be read, a name that no tensor has, and a table that does not
    fit the tensors or the hardware.
    """
    table = SymbolTable.load(table_path) if table_path else None
    if table:
        check_hardware(table, table_path)
    tensors = read_tensors(path, table.value_w if table else VALUE_W)
    if patterns:
        tensors = _chosen(path, tensors, patterns)
    if table is None:
        return [_solved(path.stem, path.name, tensor) for tensor in tensors]
    return [
        Subject(path.stem, tensor.name, path.name, tensor.values.reshape(-1), table, tensor.note)
        for tensor in tensors
    ]


def _chosen(path: Path, tensors: list[Tensor], patterns: Sequence[str]) -> list[Tensor]:
    names = [tensor.name for tensor in tensors]
    try:
        return [tensors[place] for place in chosen(names, _several(names, patterns))]
    except ApackError as error:
        raise ApackError(f"{path}: {error}") from None


def _several(names: Sequence[str], patterns: Iterable[str]) -> list[str]:
    """The patterns, one with spaces that matches no name taken for several: make has one TENSOR."""
    found = []
    for pattern in patterns:
        try:
            chosen(names, [pattern])
            found.append(pattern)
        except ApackError:
            found.extend(pattern.split() or [pattern])
    return found


def _solved(model: str, group: str, tensor: Tensor) -> Subject:
    """A tensor with the table that fits it best."""
    values = tensor.values.reshape(-1)
    table = solve(histogram(values, tensor.value_w), value_w=tensor.value_w, symbols=SHAPE.symbols)
    return Subject(model, tensor.name, group, values, table, tensor.note)


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
