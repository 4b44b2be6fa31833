# SPDX-License-Identifier: Apache-2.0
"""compress."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..apack import SymbolTable, solve
from ..apack.coder import STREAM_COUNTS, STREAMS
from ..apack.container import PackedTensor, pack, write_container
from ..apack.fast import BLOCK_VALUES, MOST_BLOCK_VALUES, WORD_BYTES, WORD_BYTES_CHOICES
from ..errors import InputError, shown
from ..tensors import EXTENSIONS, PATTERNS, Contents, LeftOut, Tensor, read_file
from ..tensors.statistics import entropy_bits, histogram
from . import options as shared
from .output import check_output
from .terminal import percent, print_table, printable, progress

COMPRESS_EXAMPLES = """  %(prog)s weights.npy -o weights.apack
  %(prog)s model.tflite -o model.apack
  %(prog)s model.safetensors --tensor '*.weight' --strict -o weights.apack
  %(prog)s features.npy --value-width 12 --groups 32 -o features.apack
  %(prog)s weights.npy --streams 8 --block 1024 -o weights.apack
  %(prog)s weights.npy --table table.json -o weights.apack
"""
_NAMES_SHOWN = 3


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    command = shared.add_command(
        commands, _compress, "compress", "compress every tensor of a file", COMPRESS_EXAMPLES
    )
    command.add_argument("input", type=Path, metavar="IN", help=" ".join(EXTENSIONS))
    shared.add_output(command, "the container to write")
    shared.add_reading(command, None, PATTERNS)
    shared.add_solver(command)
    shared.add_code_width(command)
    command.add_argument(
        "--block",
        type=shared.number(1, MOST_BLOCK_VALUES),
        default=BLOCK_VALUES,
        metavar="N",
        help=f"values in a block, 1 to {MOST_BLOCK_VALUES} (default {BLOCK_VALUES})",
    )
    command.add_argument(
        "--streams",
        type=int,
        choices=STREAM_COUNTS,
        default=STREAMS,
        help=f"code streams of a block (default {STREAMS})",
    )
    command.add_argument(
        "--word-bytes",
        type=int,
        choices=WORD_BYTES_CHOICES,
        default=WORD_BYTES,
        help=f"bytes of a memory word that blocks are padded to (default {WORD_BYTES})",
    )
    command.add_argument(
        "--table", type=Path, metavar="TABLE.json", help="your own symbol table, for all tensors"
    )


def _compress(options: argparse.Namespace) -> None:
    check_output(options.output, options.input, *filter(None, [options.table]))
    table = SymbolTable.load(options.table) if options.table else None
    value_w = options.value_width or (table.value_w if table else None)
    contents = read_file(options.input, value_w, options.float, options.tensor)
    if table:
        contents = contents.of_width(table.value_w)
    contents.check(options.input, options.strict)
    contents, packed = _packed(contents, table, options)
    contents.check(options.input, options.strict)
    size = write_container(options.output, packed)
    _report(contents, packed, size)


def _packed(
    contents: Contents, table: SymbolTable | None, options: argparse.Namespace
) -> tuple[Contents, list[PackedTensor]]:
    """The tensors that a container can hold, and what it holds of them."""
    tensors, left_out, packed = [], list(contents.left_out), []
    with progress("compress", sum(tensor.values.size for tensor in contents.tensors)) as advance:
        for tensor in contents.tensors:
            try:
                own = table or _solved(tensor, options)
                coding = (options.block, options.code_width, options.streams, options.word_bytes)
                packed.append(pack(tensor, own, *coding, progress=advance))
                tensors.append(tensor)
            except InputError as error:
                reason = str(error).removeprefix(f"tensor {shown(tensor.name)}: ")
                left_out.append(LeftOut(tensor.name, tensor.dtype, tensor.values.shape, reason))
    return Contents(tensors, left_out), packed


def _solved(tensor: Tensor, options: argparse.Namespace) -> SymbolTable:
    return solve(
        histogram(tensor.values, tensor.value_w),
        tensor.value_w,
        options.groups,
        options.count_width,
        options.method,
    )


def _report(contents: Contents, packed: list[PackedTensor], size: int) -> None:
    rows = []
    for tensor, one in zip(contents.tensors, packed, strict=True):
        raw = tensor.values.size * tensor.value_w
        entropy = entropy_bits(histogram(tensor.values, tensor.value_w))
        stored = 8 * (len(one.tile_table) + len(one.payload))
        rows.append((
            tensor.name,
            tensor.dtype,
            f"{tensor.values.size:,}",
            percent(entropy, raw),
            percent(stored, raw),
        ))  # fmt: skip
    print_table(("tensor", "type", "values", "entropy", "stored"), rows)
    for note in sorted({tensor.note for tensor in contents.tensors if tensor.note}):
        noted = [tensor.name for tensor in contents.tensors if tensor.note == note]
        whose = "" if len(noted) == len(contents.tensors) else f": {_list_of(noted)}"
        print(printable(f"note: {note}{whose}"))
    for one in contents.left_out:
        print(printable(f"left out: {one}"))
    raw = sum(tensor.values.size * tensor.value_w for tensor in contents.tensors)
    print(f"{size:,} bytes, {percent(8 * size, raw)} of the raw values, everything included")
    count = len(contents.tensors)
    print(f"{count} tensor{'' if count == 1 else 's'}, {len(contents.left_out)} left out")


def _list_of(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(map(shown, names[:_NAMES_SHOWN])) + (f" and {more} more" if more > 0 else "")
