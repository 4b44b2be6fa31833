"""compress."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.apack import SymbolTable, entropy_bits, histogram, solve
from model.apack.container import (
    MAX_BLOCK_VALUES,
    WORD_BYTES,
    PackedTensor,
    pack,
    write_container,
)
from model.apack.fast import BLOCK_VALUES
from model.cli import options as shared
from model.cli.output import check_output
from model.cli.terminal import percent, print_table, progress
from model.tensors import EXTENSIONS, Tensor, read_tensors

COMPRESS_EXAMPLES = """  python -m model compress weights.npy -o weights.apack
  python -m model compress model.tflite -o model.apack
  python -m model compress features.npy --value-width 12 --groups 32 -o features.apack
  python -m model compress weights.npy --table table.json -o weights.apack
"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
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


def _compress(options: argparse.Namespace) -> None:
    check_output(options.output, options.input)
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
