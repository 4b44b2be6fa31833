# SPDX-License-Identifier: Apache-2.0
"""decompress."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..apack.container import Container, TensorRecord
from ..errors import InputError, shown
from ..tensors import Tensor
from ..tensors.files import write_whole
from ..tensors.naming import chosen
from ..tensors.write import FORMATS, npz_keys
from . import options as shared
from .output import check_output
from .terminal import print_table, progress

EXAMPLES = """  %(prog)s weights.apack -o weights.npy
  %(prog)s model.apack -o model.npz
  %(prog)s model.apack -o model.safetensors
  %(prog)s model.apack --tensor conv1 -o conv1.npy
  %(prog)s model.apack --tensor '*/kernel' --format npz -o - > kernels.npz
"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = shared.add_command(
        commands, _decompress, "decompress", "restore the tensors of a container", EXAMPLES
    )
    command.add_argument("input", type=Path, metavar="IN.apack")
    shared.add_output(
        command,
        ".npz for all tensors, .npy for a single one, .safetensors for all with the types that "
        "NumPy has not, such as bfloat16",
    )
    command.add_argument(
        "--format", choices=tuple(FORMATS), help="the output's format (default: as it ends)"
    )
    command.add_argument(
        "--tensor",
        action="append",
        metavar="NAME",
        help="only this tensor, or those that match with * ? [abc]; repeatable",
    )


def _decompress(options: argparse.Namespace) -> None:
    check_output(options.output, options.input)
    file_format = _format(options)
    with Container(options.input) as container:
        records = _chosen(container, options.tensor)
        if file_format == "npy":
            _check_single(options, records)
        with progress("decompress", sum(record.count for record in records)) as advance:
            tensors = [container.read(record, advance) for record in records]
    form = FORMATS[file_format]
    arrays = {tensor.name: form.array(tensor) for tensor in tensors}
    try:
        data = form.file(arrays)
    except InputError as error:
        raise InputError(f"{options.output}: {error}") from None
    write_whole(options.output, [data])
    print_table(
        ("tensor", "type", "shape"),
        [(name, array.dtype.name, str(array.shape)) for name, array in arrays.items()],
    )
    _report_changes(tensors, arrays)
    if file_format == "npz":
        _report_keys(arrays)


def _format(options: argparse.Namespace) -> str:
    file_format = options.format or options.output.suffix.lower().removeprefix(".")
    if file_format not in FORMATS:
        raise InputError(
            f"{options.output}: write to a .npz or .safetensors file, to .npy for one tensor, "
            "or choose one of these with --format"
        )
    return file_format


def _check_single(options: argparse.Namespace, records: list[TensorRecord]) -> None:
    if len(records) != 1:
        of_these = "" if options.tensor is None else " of these names"
        raise InputError(
            f"{options.input} holds {len(records)} tensors{of_these}: choose one with --tensor, "
            "or write to a .npz or .safetensors file"
        )


def _chosen(container: Container, patterns: list[str] | None) -> list[TensorRecord]:
    if patterns is None:
        return list(container.tensors)
    names = [record.name for record in container.tensors]
    try:
        return [container.tensors[place] for place in chosen(names, patterns)]
    except InputError as error:
        raise InputError(f"{container.path}: {error}") from None


def _report_changes(tensors: list[Tensor], arrays: dict[str, np.ndarray]) -> None:
    """Say what is not in the output as it was in the file that was compressed."""
    quantized = sum(tensor.coding == "quantized" for tensor in tensors)
    if quantized:
        print(
            f"note: {quantized} of {len(tensors)} tensors come as the integers of quantized floats"
        )
    changes = Counter(
        (tensor.dtype, arrays[tensor.name].dtype.name, tensor.is_patterns)
        for tensor in tensors
        if tensor.coding != "quantized"
    )
    for (source, written, patterns), number in changes.items():
        if source != written:
            how = f" bit patterns: .view(ml_dtypes.{source}) gives the floats" if patterns else ""
            print(f"note: {number} of {len(tensors)} tensors, {source}, come as {written}{how}")


def _report_keys(names: Iterable[str]) -> None:
    for name, key in npz_keys(names).items():
        if key != name:
            print(f"note: tensor {shown(name)} has the key {shown(key)}")
