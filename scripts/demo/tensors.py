# SPDX-License-Identifier: Apache-2.0
"""Which tensors the demo sends through the hardware, and what the codec makes of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.errors import InputError
from model.tensors import PATTERNS, Contents, LeftOut, Tensor, read_file, read_tensors
from model.zoo.face_detectors import FULL_RANGE_PRUNED, SHORT_RANGE, map_tensors, portrait
from model.zoo.wakeword import wakeword_paths
from tb.sim.round_trip import Codec, Job

Prepare = Callable[[Tensor], Job]


@dataclass(frozen=True)
class Subject:
    """One tensor, ready for the hardware.

    group: what it is summed up with, the tensors of one file or one network's weights.
    """

    model: str
    name: str
    group: str
    job: Job
    note: str


def shipped_subjects(prepare: Prepare) -> list[Subject]:
    """Tensors of networks in Python packages: weights as they are, and feature maps of a run.

    Four groups: the int8 weights of the microWakeWord models as shipped; weights of a face detector
    and its feature maps of a photograph; and the weights of a pruned face detector.
    """
    wakewords = [
        _subject(name, "microWakeWord, weights", tensor, prepare)
        for name, path in wakeword_paths()
        for tensor in read_tensors(path)
    ]
    maps = map_tensors(SHORT_RANGE.run(portrait()))
    return wakewords + [
        _subject(model, group, tensor, prepare)
        for model, group, tensors in (
            ("blazeface", "BlazeFace, weights", SHORT_RANGE.weights()),
            ("blazeface", "BlazeFace, feature maps", maps),
            ("blazeface_pruned", "BlazeFace, pruned weights", FULL_RANGE_PRUNED.weights()),
        )
        for tensor in tensors
    ]


def file_subjects(
    path: Path,
    codec: Codec,
    block: int,
    names: Sequence[str] = (),
    floats: str = PATTERNS,
    table_path: Path | None = None,
) -> tuple[list[Subject], list[LeftOut]]:
    """The tensors of a file, all or those chosen by name, and what of it was left out.

    With the user's table or those that fit best. Raises InputError for what cannot be read, a name
    that no tensor has, and a table that does not fit the tensors or the hardware.
    """
    table = codec.load_table(table_path) if table_path else None
    contents = _read(path, table.value_w if table else None, floats, names)
    for tensor in contents.tensors:
        if table and tensor.value_w != table.value_w:
            raise InputError(
                f"{table_path}: value_w is {table.value_w}, but tensor {tensor.name!r} of "
                f"{path} has values of {tensor.value_w} bits"
            )

    def prepare(tensor: Tensor) -> Job:
        return codec.prepare(tensor, block, table)

    subjects = [_subject(path.stem, path.name, tensor, prepare) for tensor in contents.tensors]
    return subjects, contents.left_out


def _read(path: Path, value_w: int | None, floats: str, names: Sequence[str]) -> Contents:
    """The file; names that match nothing are taken for several, since make has only one TENSOR."""
    try:
        return read_file(path, value_w, floats, names)
    except InputError:
        words = [word for name in names for word in name.split()]
        if len(words) <= len(names):
            raise
        return read_file(path, value_w, floats, words)


def _subject(model: str, group: str, tensor: Tensor, prepare: Prepare) -> Subject:
    return Subject(model, tensor.name, group, prepare(tensor), tensor.note)
