"""decompress."""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np

from model.apack import ApackError
from model.apack.container import Container, TensorRecord
from model.apack.storage import write_whole
from model.cli import options as shared
from model.cli.output import check_output
from model.cli.terminal import print_table, progress

EXAMPLES = """  python -m model decompress weights.apack -o weights.npy
  python -m model decompress model.apack -o model.npz
  python -m model decompress model.apack --tensor conv1 -o conv1.npy
"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = shared.add_command(
        commands, _decompress, "decompress", "restore the tensors of a container", EXAMPLES
    )
    command.add_argument("input", type=Path, metavar="IN.apack")
    shared.add_output(command, ".npz for all tensors, .npy for a single one")
    command.add_argument("--tensor", metavar="NAME", help="only this tensor")


def _decompress(options: argparse.Namespace) -> None:
    check_output(options.output, options.input)
    if options.output.suffix not in (".npy", ".npz"):
        raise ApackError(f"{options.output}: write to a .npz file, or to .npy for one tensor")
    with Container(options.input) as container:
        records = container.tensors
        if options.tensor is not None:
            records = (container.record(options.tensor),)
        if options.output.suffix == ".npy" and len(records) != 1:
            raise ApackError(
                f"{options.input} holds {len(records)} tensors: "
                "choose one with --tensor, or write to a .npz file"
            )
        with progress("decompress", sum(record.count for record in records)) as advance:
            arrays = {record.name: container.read(record, advance).integers() for record in records}
    _write_arrays(options.output, arrays)
    print_table(
        ("tensor", "type", "shape"),
        [(name, str(array.dtype), str(array.shape)) for name, array in arrays.items()],
    )
    _report_quantized(records)


def _report_quantized(records: tuple[TensorRecord, ...]) -> None:
    floats = sum(record.source != record.stored for record in records)
    if floats:
        print(f"note: {floats} of {len(records)} tensors come as the integers of quantized floats")


def _write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    if path.suffix == ".npy":
        (array,) = arrays.values()
        write_whole(path, [_npy(array)])
        return
    archive_bytes = io.BytesIO()
    with zipfile.ZipFile(archive_bytes, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", _npy(array))
    write_whole(path, [archive_bytes.getbuffer()])


def _npy(array: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.lib.format.write_array(data, array, allow_pickle=False)
    return data.getvalue()
