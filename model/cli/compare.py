# SPDX-License-Identifier: Apache-2.0
"""compare."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from ..codecs import CODECS, Codec
from ..report.measure import TensorSize, measure
from ..tensors import EXTENSIONS, PATTERNS, read_file
from . import options as shared
from .terminal import percent, print_table, printable, progress

EXAMPLES = """  %(prog)s weights.npy
  %(prog)s model.onnx --tensor '*.weight' --json
Sizes are those of values, tables and headers; names, shapes and scales are left out everywhere.
"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    listed = f"codecs: {'; '.join(codec.title for codec in CODECS)}\n"
    command = shared.add_command(
        commands, _compare, "compare", "the size of a file under each codec", EXAMPLES + listed
    )
    command.add_argument("input", type=Path, metavar="IN", help=" ".join(EXTENSIONS))
    shared.add_reading(command, None, PATTERNS)
    shared.add_json(command)


def _compare(options: argparse.Namespace) -> None:
    contents = read_file(options.input, options.value_width, options.float, options.tensor)
    contents.check(options.input, options.strict)
    sizes = []
    with progress("compare", sum(tensor.values.size for tensor in contents.tensors)) as advance:
        for tensor in contents.tensors:
            sizes.append(measure(tensor))
            advance(tensor.values.size)
    if options.json:
        print(json.dumps({
            "file": str(options.input),
            "codecs": {codec.key: _codec_json(codec) for codec in CODECS},
            "tensors": [_tensor_json(size) for size in sizes],
            "left_out": [asdict(one) for one in contents.left_out],
        }))  # fmt: skip
        return
    raw = sum(size.raw for size in sizes)
    rows = [_row(codec, sizes, raw) for codec in CODECS]
    entropy = sum(size.entropy for size in sizes)
    rows.append(("order-0 entropy", f"{entropy / 8:,.0f}", percent(entropy, raw), "", ""))
    print_table(("codec", "bytes", "of raw", "error", "widest value"), rows)
    values = sum(size.values for size in sizes)
    print(f"{values:,} values of {len(sizes)} tensor{'' if len(sizes) == 1 else 's'}")
    for one in contents.left_out:
        print(printable(f"left out: {one}"))


def _row(codec: Codec, sizes: list[TensorSize], raw: int) -> tuple[str, ...]:
    """A codec that does not take a tensor's width has no size."""
    error = f"up to {codec.max_error}" if codec.max_error else "none"
    widest = f"{codec.max_value_w} bits"
    if any(size.value_w > codec.max_value_w for size in sizes):
        return codec.title, "-", "-", error, widest
    bits = sum(size.bits(codec) for size in sizes)
    return codec.title, f"{bits / 8:,.0f}", percent(bits, raw), error, widest


def _codec_json(codec: Codec) -> dict[str, object]:
    return {
        "title": codec.title,
        "max_error": codec.max_error,
        "max_value_w": codec.max_value_w,
    }


def _tensor_json(size: TensorSize) -> dict[str, object]:
    return {
        "name": size.name,
        "type": size.dtype,
        "value_w": size.value_w,
        "values": size.values,
        "value_bits": size.raw,
        "entropy_bits": size.entropy,
        "bits": {
            codec.key: size.bits(codec) for codec in CODECS if size.value_w <= codec.max_value_w
        },
    }
