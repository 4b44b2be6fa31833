"""compress and decompress."""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np

from model.apack import ApackError, SymbolTable, entropy_bits, histogram, solve
from model.apack.container import (
    MAX_BLOCK_VALUES,
    WORD_BYTES,
    Container,
    PackedTensor,
    TensorRecord,
    pack,
    write_container,
)
from model.apack.fast import BLOCK_VALUES
from model.apack.storage import write_whole
from model.cli import options as shared
from model.cli.terminal import percent, print_table, progress
from model.tensors import EXTENSIONS, Tensor, read_tensors

COMPRESS_EXAMPLES = """  python -m model compress weights.npy -o weights.apack
  python -m model compress model.tflite -o model.apack
  python -m model compress features.npy --value-width 12 --groups 32 -o features.apack
  python -m model compress weights.npy --table table.json -o weights.apack
"""
DECOMPRESS_EXAMPLES = """  python -m model decompress weights.apack -o weights.npy
  python -m model decompress model.apack -o model.npz
  python -m model decompress model.apack --tensor conv1 -o conv1.npy
"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the two commands."""
    command = shared.add_command(
        commands, _compress, "compress", "compress every tensor of a file", COMPRESS_EXAMPLES
    )
    command.add_argument("input", type=Path, metavar="IN", help=" ".join(EXTENSIONS))
    shared.add_output(command, "the container to write")
    shared.add_value_width(command)
    shared.add_solver(command)
    shared.add_code_width(command)
    command.add_argument(
        "--block",
        type=shared.number(1, MAX_BLOCK_VALUES),
        default=BLOCK_VALUES,
        metavar="N",
        help=f"values in a block, 1 to {MAX_BLOCK_VALUES} (default {BLOCK_VALUES})",
    )
    command.add_argument(
        "--word",
        type=int,
        choices=WORD_BYTES,
        default=1,
        help="bytes of a memory word that streams are padded to (default 1)",
    )
    command.add_argument(
        "--table", type=Path, metavar="TABLE.json", help="your own symbol table, for all tensors"
    )
    command = shared.add_command(
        commands, _decompress, "decompress", "restore the tensors of a container",
        DECOMPRESS_EXAMPLES,
    )  # fmt: skip
    command.add_argument("input", type=Path, metavar="IN.apack")
    shared.add_output(command, ".npz for all tensors, .npy for a single one")
    command.add_argument("--tensor", metavar="NAME", help="only this tensor")


def _compress(options: argparse.Namespace) -> None:
    _check_paths(options)
    tensors = read_tensors(options.input, options.value_width)
    table = SymbolTable.load(options.table) if options.table else None
    packed = []
    with progress("compress", sum(tensor.values.size for tensor in tensors)) as advance:
        for tensor in tensors:
            own = table or _solved(tensor, options)
            packed.append(
                pack(tensor, own, options.block, options.code_width, options.word, advance)
            )
    size = write_container(options.output, packed)
    _report(tensors, packed, size)


def _solved(tensor: Tensor, options: argparse.Namespace) -> SymbolTable:
    return solve(
        histogram(tensor.values, tensor.value_w),
        tensor.value_w,
        options.groups,
        options.count_width,
        options.method,
    )


def _report(tensors: list[Tensor], packed: list[PackedTensor], size: int) -> None:
    rows = []
    for tensor, one in zip(tensors, packed, strict=True):
        raw = tensor.values.size * tensor.value_w
        entropy = entropy_bits(histogram(tensor.values, tensor.value_w))
        stored = 8 * (len(one.index) + len(one.payload))
        rows.append(
            (tensor.name, f"{tensor.values.size:,}", percent(entropy, raw), percent(stored, raw))
        )
    print_table(("tensor", "values", "entropy", "stored"), rows)
    for note in sorted({tensor.note for tensor in tensors if tensor.note}):
        print(f"note: {note}")
    raw = sum(tensor.values.size * tensor.value_w for tensor in tensors)
    print(f"{size:,} bytes, {percent(8 * size, raw)} of the raw values, everything included")


def _decompress(options: argparse.Namespace) -> None:
    _check_paths(options)
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


def _check_paths(options: argparse.Namespace) -> None:
    if options.output.is_dir():
        raise ApackError(f"{options.output} is a folder; name a file")
    if not options.output.parent.is_dir():
        raise ApackError(f"{options.output}: there is no folder {options.output.parent}")
    if options.output.exists() and options.output.samefile(options.input):
        raise ApackError(f"{options.output} is the input; name another file for the output")
