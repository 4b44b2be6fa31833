# SPDX-License-Identifier: Apache-2.0
"""info and inspect."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..apack import SymbolTable
from ..apack.coder import OFFSETS, decode_pieces
from ..apack.container import Container, StoredBlock, TensorRecord
from ..errors import InputError
from ..tensors.quantization import text_of
from ..tensors.statistics import entropy_bits, histogram
from . import options as shared
from .terminal import percent, print_table, printable, progress

INFO_EXAMPLES = """  %(prog)s weights.apack
  %(prog)s weights.apack --json
"""
INSPECT_EXAMPLES = """  %(prog)s weights.apack
  %(prog)s model.apack --tensor conv1 --block 3 --json
--json has the `pieces` in stored order, without header and padding, as numbers of `piece_w` bits,
and their `owners`: the number of a code stream or "offset"; "values" in a raw block.
"""
_PIECES_SHOWN = 16
_VALUES_SHOWN = 64


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the two commands."""
    command = shared.add_command(
        commands, _info, "info", "sizes of every tensor of a container", INFO_EXAMPLES
    )
    command.add_argument("input", type=Path, metavar="IN.apack")
    shared.add_json(command)
    command = shared.add_command(
        commands, _inspect, "inspect", "one block: table, pieces and values", INSPECT_EXAMPLES
    )
    command.add_argument("input", type=Path, metavar="IN.apack")
    command.add_argument("--tensor", metavar="NAME", help="needed when there are several")
    command.add_argument(
        "--block", type=shared.number(0, 2**62), default=0, metavar="K", help="from 0 (default 0)"
    )
    shared.add_json(command)


def _info(options: argparse.Namespace) -> None:
    with Container(options.input) as container:
        count = sum(record.count for record in container.tensors)
        with progress("entropy", count) as advance:
            tensors = [_sizes(container, record, advance) for record in container.tensors]
        types = [_type(record) for record in container.tensors]
        total = _total(tensors, container.file_bytes)
    if options.json:
        print(json.dumps({"file": str(options.input), "tensors": tensors, "total": total}))
        return
    print_table(
        ("tensor", "type", "shape", "values", "blocks", "raw", "piece bits", "bytes", "entropy",
         "footprint"),
        [_row(*pair) for pair in zip(types, tensors, strict=True)],
    )  # fmt: skip
    print(
        f"{total['values']:,} values in {total['file_bytes']:,} bytes: "
        f"{percent(total['entropy_bits'], total['value_bits'])} entropy, "
        f"{percent(8 * total['payload_bytes'], total['value_bits'])} blocks, "
        f"{percent(8 * total['file_bytes'], total['value_bits'])} with all metadata"
    )


def _sizes(container: Container, record: TensorRecord, advance: Callable[[int], None]) -> dict:
    """The JSON of one tensor: `piece_bits` are those of all blocks, coded and raw.

    `payload_bytes` are the blocks with headers and padding, and `footprint` their share of the
    values; `stored_bytes` have the tile table too.
    """
    encoded = container.blocks(record)
    value_bits = record.count * record.table.value_w
    tensor = container.read(record, advance)
    return {
        "name": record.name,
        "type": record.stored,
        "source": record.source,
        "coding": record.coding,
        "shape": list(record.shape),
        "scale": [scale if math.isfinite(scale) else None for scale in record.scale],
        "zero_point": list(record.zero_point),
        "axis": record.axis,
        "value_w": record.table.value_w,
        "values": record.count,
        "value_bits": value_bits,
        "streams": record.streams,
        "block_values": record.block_values,
        "word_bytes": record.word_bytes,
        "tile_blocks": record.tile_blocks,
        "blocks": record.blocks,
        "raw_blocks": int(encoded.raw.sum()),
        "piece_bits": encoded.bits,
        "payload_bytes": record.payload_bytes,
        "stored_bytes": record.end - record.start,
        "entropy_bits": entropy_bits(histogram(tensor.values, record.table.value_w)),
        "footprint": 8 * record.payload_bytes / value_bits if value_bits else None,
    }


def _total(tensors: list[dict], file_bytes: int) -> dict:
    keys = ("values", "value_bits", "blocks", "raw_blocks", "piece_bits", "payload_bytes",
            "stored_bytes", "entropy_bits")  # fmt: skip
    total = {key: sum(sizes[key] for sizes in tensors) for key in keys}
    value_bits = total["value_bits"]
    return total | {
        "file_bytes": file_bytes,
        "footprint": 8 * total["payload_bytes"] / value_bits if value_bits else None,
        "file_footprint": 8 * file_bytes / value_bits if value_bits else None,
    }


def _row(shown_type: str, sizes: dict) -> tuple[str, ...]:
    return (
        sizes["name"],
        shown_type,
        text_of(sizes["shape"]),
        *(
            f"{sizes[key]:,}"
            for key in ("values", "blocks", "raw_blocks", "piece_bits", "payload_bytes")
        ),
        percent(sizes["entropy_bits"], sizes["value_bits"]),
        percent(8 * sizes["payload_bytes"], sizes["value_bits"]),
    )


def _type(record: TensorRecord) -> str:
    """The element type, and how floats are stored: float32 as int8, or their own bit patterns."""
    if record.coding == "integers":
        return record.source
    how = "patterns" if record.coding == "patterns" else f"as {record.stored}"
    return f"{record.source} {how}"


def _inspect(options: argparse.Namespace) -> None:
    with Container(options.input) as container:
        record = _chosen(container, options.tensor)
        block = container.block(record, options.block)
        values = container.values_of_block(record, options.block).tolist()
    if options.json:
        print(json.dumps(_block_json(record, options.block, block, values)))
    else:
        _print_block(record, options.block, block, values)


def _chosen(container: Container, name: str | None) -> TensorRecord:
    if name is not None:
        return container.record(name)
    if len(container.tensors) == 1:
        return container.tensors[0]
    if not container.tensors:
        raise InputError(f"{container.path}: holds no tensors")
    names = ", ".join(printable(record.name) for record in container.tensors[:5])
    raise InputError(f"{container.path}: choose one of its tensors with --tensor: {names}, ...")


def _block_json(
    record: TensorRecord, number: int, block: StoredBlock, values: list[int]
) -> dict[str, object]:
    return {
        "tensor": record.name,
        "type": record.stored,
        "source": record.source,
        "coding": record.coding,
        "block": number,
        "count": len(values),
        "code_w": record.code_w,
        "streams": record.streams,
        "table": json.loads(record.table.to_json()),
        "raw": block.encoded.raw,
        "crc32": f"{block.crc:08x}",
        "piece_w": block.encoded.piece_w,
        "pieces": list(block.encoded.pieces),
        "owners": _owners(record, block),
        "values": values,
    }


def _owners(record: TensorRecord, block: StoredBlock) -> list[int | str]:
    """Whose each piece is: the number of its code stream, "offset", or "values" in a raw block."""
    if block.encoded.raw:
        return ["values"] * len(block.encoded.pieces)
    owners = decode_pieces(block.encoded, record.table, record.streams, record.code_w).owners
    return ["offset" if owner == OFFSETS else owner for owner in owners]


def _first_owners(record: TensorRecord, block: StoredBlock) -> list[int | str]:
    """Whose the pieces are that are shown, from as few values as tell it."""
    wanted = min(_PIECES_SHOWN, len(block.encoded.pieces))
    count = min(_VALUES_SHOWN, block.encoded.count)
    while True:
        part = replace(block, encoded=replace(block.encoded, count=count))
        owners = _owners(record, part)
        if len(owners) >= wanted or count == block.encoded.count:
            return owners[:wanted]
        count = min(2 * count, block.encoded.count)


def _print_block(record: TensorRecord, number: int, block: StoredBlock, values: list[int]) -> None:
    kind = "raw" if block.encoded.raw else f"coded in {record.streams} streams"
    print(
        f"{printable(record.name)}, {_type(record)}, block {number} of {record.blocks}: "
        f"{len(values)} values, {kind}, CRC-32 {block.crc:08x}"
    )
    print_groups(record.table)
    piece_w = block.encoded.piece_w
    pieces = list(zip(_first_owners(record, block), block.encoded.pieces, strict=False))
    print_table(
        ("piece", "of", "hex", "bits"),
        [
            (str(place), str(owner), f"{piece:0{piece_w // 4}x}", f"{piece:0{piece_w}b}")
            for place, (owner, piece) in enumerate(pieces)
        ],
    )
    hidden = len(block.encoded.pieces) > len(pieces)
    shown = f", {len(pieces)} shown" if hidden else ""
    print(f"{len(block.encoded.pieces)} pieces of {piece_w} bits{shown}")
    shown_values = " ".join(map(str, values[:_VALUES_SHOWN]))
    print(f"values: {shown_values}{' ...' if len(values) > _VALUES_SHOWN else ''}")


def print_groups(table: SymbolTable) -> None:
    """The rows of a symbol table."""
    total = 1 << table.count_w
    rows = []
    for row, (base, size, count) in enumerate(
        zip(table.base, table.sizes, table.counts, strict=True)
    ):
        rows.append(
            (str(row), f"{base}..{base + size - 1}", str(table.offset_w[row]), str(table.cum[row]),
             str(count), percent(count, total))
        )  # fmt: skip
    print_table(("group", "values", "offset bits", "cum", "count", "probability"), rows)
