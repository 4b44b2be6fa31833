"""Which tensors the demo sends through the hardware, and the table of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.apack import ApackError, SymbolTable, histogram, solve
from model.tensors import PATTERNS, Contents, LeftOut, Tensor, read_file, read_tensors
from model.zoo.face_detectors import FULL_RANGE_PRUNED, SHORT_RANGE, map_tensors, portrait
from model.zoo.wakeword import wakeword_paths
from tb.apack.bulk.tops_round_trip import Shape

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

    Four groups: the int8 weights of the microWakeWord models as shipped; weights of a face detector
    and its feature maps of a photograph; and the weights of a pruned face detector.
    """
    wakewords = [
        _subject(name, "microWakeWord, weights", tensor)
        for name, path in wakeword_paths()
        for tensor in read_tensors(path)
    ]
    maps = map_tensors(SHORT_RANGE.run(portrait()))
    return wakewords + [
        _subject(model, group, tensor)
        for model, group, tensors in (
            ("blazeface", "BlazeFace, weights", SHORT_RANGE.weights()),
            ("blazeface", "BlazeFace, feature maps", maps),
            ("blazeface_pruned", "BlazeFace, pruned weights", FULL_RANGE_PRUNED.weights()),
        )
        for tensor in tensors
    ]


def file_subjects(
    path: Path, names: Sequence[str] = (), floats: str = PATTERNS, table_path: Path | None = None
) -> tuple[list[Subject], list[LeftOut]]:
    """The tensors of a file, all or those chosen by name, and what of it was left out.

    With the user's table or the solved ones. Raises ApackError for what cannot be read, a name
    that no tensor has, and a table that does not fit the tensors or the hardware.
    """
    if table_path is None:
        contents = _read(path, None, floats, names)
        tables = {}
    else:
        table = SymbolTable.load(table_path)
        check_hardware(table, table_path)
        contents = _read(path, table.value_w, floats, names)
        tables = {tensor.name: table for tensor in contents.tensors}
        for tensor in contents.tensors:
            if tensor.value_w != table.value_w:
                raise ApackError(
                    f"{table_path}: value_w is {table.value_w}, but tensor {tensor.name!r} of "
                    f"{path} has values of {tensor.value_w} bits"
                )
    subjects = [
        _subject(path.stem, path.name, tensor, tables.get(tensor.name))
        for tensor in contents.tensors
    ]
    return subjects, contents.left_out


def _read(path: Path, value_w: int | None, floats: str, names: Sequence[str]) -> Contents:
    """The file; names that match nothing are taken for several, since make has only one TENSOR."""
    try:
        return read_file(path, value_w, floats, names)
    except ApackError:
        words = [word for name in names for word in name.split()]
        if len(words) <= len(names):
            raise
        return read_file(path, value_w, floats, words)


def _subject(model: str, group: str, tensor: Tensor, table: SymbolTable | None = None) -> Subject:
    """A tensor with a table, or with the one that fits it best."""
    values = tensor.values.reshape(-1)
    if table is None:
        counts = histogram(values, tensor.value_w)
        table = solve(counts, value_w=tensor.value_w, symbols=SHAPE.symbols)
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
