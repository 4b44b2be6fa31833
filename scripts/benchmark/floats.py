# SPDX-License-Identifier: Apache-2.0
"""What the float weights of real networks come to without loss: APack on their bits beside others.

Networks are those of the zoo whose weights are float32, rounded to BF16 and to FP16. APack's sizes
are those of whole containers, with tables, headers and names, for tables of 16, 32 and 64 groups.
The others code each tensor by itself: zipnn as its Python package does, zstd at levels 3 and 19 on
the bytes. Everything is decoded again and compared. Writes build/bench/floats.json, .md and .png.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from model.apack import entropy_bits, histogram, solve
from model.apack.container import Container, pack, write_container
from model.cli.progress import Progress
from model.errors import InputError
from model.tensors import Tensor
from scripts.console.arguments import OneLineParser
from tb.sim.paths import ROOT

BENCH = ROOT / "build" / "bench"
TYPES = {"BF16": np.dtype(ml_dtypes.bfloat16), "FP16": np.dtype(np.float16)}
GROUPS = (16, 32, 64)
VALUE_W = 16


@dataclass(frozen=True)
class ByteCoder:
    """A coder of the bytes of one tensor, of a type named as in TYPES."""

    name: str
    encode: Callable[[bytes, str], bytes]
    decode: Callable[[bytes, int, str], bytes]

    def size(self, data: bytes, kind: str) -> int:
        """Coded bytes; raises InputError when the bytes do not come back."""
        coded = self.encode(data, kind)
        if bytes(self.decode(coded, len(data), kind)) != data:
            raise InputError(f"{self.name} did not restore a tensor")
        return len(coded)


def zipnn() -> ByteCoder:
    """zipnn's compiled core, called as the package calls it for tensors of 16-bit floats.

    The package itself cannot be imported without torch, of which it uses nothing for this. It
    prepends a header of 32 bytes, splits the bytes of BF16 with the sign moved to the end of the
    other bits and those of FP16 as they are, and codes chunks of 256 KiB.
    """
    import zipnn_core

    header, parts, byte_order, chunk, threshold, percent, threads = 32, 2, 10, 1 << 18, 0.95, 10, 1

    def encode(data: bytes, kind: str) -> bytes:
        copy = bytearray(data)  # the core moves bits in what it is given
        sizes = (chunk, threshold, percent, threads)
        return zipnn_core.zipnn_core(
            bytes(header), copy, parts, int(kind == "BF16"), byte_order, 0, *sizes
        )

    def decode(coded: bytes, size: int, kind: str) -> bytes:
        body = memoryview(coded)[header:]
        return zipnn_core.combine_dtype(
            body, parts, int(kind == "BF16"), byte_order, chunk, size, threads
        )

    return ByteCoder("zipnn", encode, decode)


def zstd(level: int) -> ByteCoder:
    """Zstandard on the bytes."""
    import zstandard

    return ByteCoder(
        f"zstd -{level}",
        lambda data, _: zstandard.ZstdCompressor(level=level).compress(data),
        lambda coded, *_: zstandard.ZstdDecompressor().decompress(coded),
    )


def apack_bytes(tensors: list[Tensor], groups: int) -> int:
    """Size of a container of the tensors; raises InputError when one does not come back."""
    packed = [
        pack(tensor, solve(histogram(tensor.values, VALUE_W), VALUE_W, groups))
        for tensor in tensors
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "floats.apack"
        size = write_container(path, packed)
        with Container(path) as container:
            for tensor in tensors:
                back = container.read(container.record(tensor.name)).array()
                if back.dtype != tensor.dtype or back.tobytes() != tensor.array().tobytes():
                    raise InputError(f"APack did not restore tensor {tensor.name!r}")
    return size


def as_patterns(arrays: dict[str, np.ndarray], kind: str) -> list[Tensor]:
    """Float weights rounded to a type of TYPES, as its bit patterns."""
    dtype = TYPES[kind]
    return [
        Tensor(name, array.astype(dtype).view(np.uint16), dtype.name, VALUE_W, stored="uint16")
        for name, array in arrays.items()
    ]


def measure(model: str, tensors: list[Tensor], kind: str, coders: list[ByteCoder]) -> dict:
    """Sizes of a network's tensors under every coder, in bytes."""
    counts = [histogram(tensor.values, VALUE_W) for tensor in tensors]
    sizes = {"entropy": sum(map(entropy_bits, counts)) / 8}
    for groups in GROUPS:
        sizes[f"APack, {groups} groups"] = apack_bytes(tensors, groups)
    for coder in coders:
        sizes[coder.name] = sum(coder.size(tensor.values.tobytes(), kind) for tensor in tensors)
    return {
        "model": model,
        "type": kind,
        "tensors": len(tensors),
        "values": sum(tensor.values.size for tensor in tensors),
        "raw_bytes": sum(tensor.values.nbytes for tensor in tensors),
        "bytes": sizes,
    }


def run(networks: dict[str, dict[str, np.ndarray]], coders: list[ByteCoder]) -> list[dict]:
    """Measure every network, each with both types; the content of floats.json."""
    rows = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        cases = [(model, kind) for kind in TYPES for model in networks]
        for model, kind in bar.track(cases, description="networks"):
            rows.append(measure(model, as_patterns(networks[model], kind), kind, coders))
    return rows


def with_totals(rows: list[dict]) -> list[dict]:
    """The rows of each type followed by their sum, the network "all"."""
    result = []
    for kind in dict.fromkeys(row["type"] for row in rows):
        ours = [row for row in rows if row["type"] == kind]
        total = {key: sum(row[key] for row in ours) for key in ("tensors", "values", "raw_bytes")}
        sizes = {name: sum(row["bytes"][name] for row in ours) for name in ours[0]["bytes"]}
        result += [*ours, {"model": "all", "type": kind, **total, "bytes": sizes}]
    return result


def markdown(rows: list[dict]) -> str:
    """Sizes as shares of the 16-bit floats."""
    names = list(rows[0]["bytes"])
    lines = [
        "Float weights without loss; sizes are shares of the 16-bit floats, APack's with all "
        "metadata.",
        "",
        "| network | type | values | " + " | ".join(names) + " |",
        "| --- | --- |" + " --: |" * (1 + len(names)),
    ]
    for row in with_totals(rows):
        shares = [f"{100 * row['bytes'][name] / row['raw_bytes']:.2f} %" for name in names]
        cells = [row["model"], row["type"], f"{row['values']:,}", *shares]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(rows: list[dict], path: Path) -> None:
    """Write the picture as PNG: a panel for each type, bars of every coder for each network."""
    rows = with_totals(rows)
    kinds = list(dict.fromkeys(row["type"] for row in rows))
    figure = Figure(figsize=(11, 3.6 * len(kinds)), layout="constrained")
    for axes, kind in zip(np.atleast_1d(figure.subplots(len(kinds), 1)), kinds, strict=True):
        ours = [row for row in rows if row["type"] == kind]
        names = list(ours[0]["bytes"])
        places = np.arange(len(ours))
        for index, name in enumerate(names):
            shares = [row["bytes"][name] / row["raw_bytes"] for row in ours]
            width = 0.8 / len(names)
            axes.bar(places + (index - (len(names) - 1) / 2) * width, shares, width, label=name)
        axes.set_xticks(places, [row["model"] for row in ours])
        axes.set_title(f"{kind}: size over the floats'", fontsize=10)
        axes.set_ylim(0, 1.05)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.grid(axis="y", alpha=0.3)
        axes.legend(ncols=len(names), fontsize=8, loc="lower center")
    figure.savefig(path, dpi=120)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the benchmark."""
    parser = OneLineParser("benchmark.floats", description=__doc__)
    parser.add_argument("--out", type=Path, default=BENCH, help="folder to write into")
    parser.add_argument("--model", action="append", help="only this network; repeatable")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 2 with one line when something is missing."""
    options = parse_arguments(arguments)
    try:
        from model.zoo.float_weights import FLOAT_MODELS, float_weights

        networks = {key: float_weights(key) for key in options.model or FLOAT_MODELS}
        rows = run(networks, [zipnn(), zstd(3), zstd(19)])
        options.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(with_totals(rows), indent=1) + "\n"
        (options.out / "floats.json").write_text(text, encoding="utf-8")
        (options.out / "floats.md").write_text(markdown(rows), encoding="utf-8")
        draw(rows, options.out / "floats.png")
    except ModuleNotFoundError as error:
        return fail(f"{error.name} is not installed; run make bench-floats")
    except (InputError, OSError) as error:
        return fail(str(error))
    print(markdown(rows), end="")
    return 0


def fail(message: str) -> int:
    """One line on stderr and the exit code of a user's mistake."""
    print(f"bench-floats: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
