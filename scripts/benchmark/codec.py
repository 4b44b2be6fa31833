# SPDX-License-Identifier: Apache-2.0
"""Speed and size of the compiled APack codec beside other coders: same tensors, same run.

Tensors are the weights of the model zoo; coders those of the project's list of codecs that are
compiled, and packages that are installed for this (requirements-codecs.txt); one that is missing
has a line that says so. Every result is decoded again and compared. Tables, models and the form of
input that a coder wants are made before its clock starts; the best of the runs counts. Writes
build/bench/codec.json and build/bench/codec.md.

    python -m scripts.benchmark.codec --model=mobilenetv2 --most-values=400000
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from model.apack import Bits, SymbolTable, entropy_bits, fast, histogram, solve
from model.apack.container import pack, write_container
from model.cli.progress import Progress
from model.codecs import CODECS, Codec, largest_error
from model.errors import InputError
from model.tensors import Tensor
from scripts.console.arguments import OneLineParser
from tb.sim.paths import ROOT

BENCH = ROOT / "build" / "bench"
REFERENCE = "constriction range coder"  # the speeds of all are given in its own, too
STREAM_COUNTS = (4, 8, 16)
# Streams and values of a block whose sizes are compared with the entropy.
SHAPES = ((4, 4096), (8, 4096), (4, 16384), (4, 65536), (4, 1 << 20))
LARGE_BLOCK = 1 << 20


@dataclass(frozen=True)
class Contestant:
    """A coder of one tensor.

    prepare(tensor) -> input of encode; encode(input) -> coded; decode(input, coded) -> values as
    unsigned patterns, flat, changed by at most max_error; size(coded) -> bytes.
    """

    name: str
    cores: int
    prepare: Callable[[Tensor], object]
    encode: Callable[[object], object]
    decode: Callable[[object, object], np.ndarray]
    size: Callable[[object], float]
    max_error: int = 0


@dataclass
class Result:
    """Totals of one coder: bytes by model, and the best seconds of all tensors."""

    name: str
    cores: int
    model_bytes: dict[str, float] = field(default_factory=dict)
    encode_seconds: float = 0.0
    decode_seconds: float = 0.0

    def add(self, model: str, coded: float, encode_seconds: float, decode_seconds: float) -> None:
        """Count one tensor of a model."""
        self.model_bytes[model] = self.model_bytes.get(model, 0.0) + coded
        self.encode_seconds += encode_seconds
        self.decode_seconds += decode_seconds


def apack(cores: int, streams: int) -> Contestant:
    """The codec of this project; its size is that of all blocks with headers and padding."""

    def prepare(tensor: Tensor) -> tuple:
        counts = histogram(tensor.values, tensor.value_w)
        return tensor.values.reshape(-1), solve(counts, tensor.value_w)

    def encode(case: tuple) -> fast.EncodedBlocks:
        return fast.encode_blocks(*case, streams=streams, cores=cores)

    def decode(_: tuple, coded: fast.EncodedBlocks) -> np.ndarray:
        return fast.decode_blocks(coded, cores=cores)

    name = f"APack, {streams} streams"
    return Contestant(name, cores, prepare, encode, decode, lambda coded: len(coded.data))


def constriction_range_coder() -> Contestant:
    """constriction's range coder with a model of all 256 values, which its size leaves out."""
    import constriction

    def prepare(tensor: Tensor) -> tuple:
        counts = histogram(tensor.values, tensor.value_w).astype(np.float64)
        model = constriction.stream.model.Categorical(counts / counts.sum(), perfect=False)
        return tensor.values.reshape(-1).astype(np.int32), model

    def encode(case: tuple) -> np.ndarray:
        encoder = constriction.stream.queue.RangeEncoder()
        encoder.encode(*case)
        return encoder.get_compressed()

    def decode(case: tuple, coded: np.ndarray) -> np.ndarray:
        decoder = constriction.stream.queue.RangeDecoder(coded)
        return decoder.decode(case[1], len(case[0])).astype(np.uint8)

    return Contestant(REFERENCE, 1, prepare, encode, decode, lambda x: x.nbytes)


def mlw() -> Contestant:
    """Arm's coder of the Ethos-U, from Vela."""
    from ethosu import mlw_codec

    def prepare(tensor: Tensor) -> list[int]:
        return tensor.values.reshape(-1).view(np.int8).tolist()

    def decode(values: list[int], coded: bytearray) -> np.ndarray:
        return np.array(mlw_codec.decode(coded)[: len(values)], dtype=np.int8).view(np.uint8)

    return Contestant("Vela mlw_codec", 1, prepare, mlw_codec.encode, decode, len)


def zstd(level: int) -> Contestant:
    """Zstandard on the values as bytes."""
    import zstandard

    def encode(values: bytes) -> bytes:
        return zstandard.ZstdCompressor(level=level).compress(values)

    def decode(_: bytes, coded: bytes) -> np.ndarray:
        return np.frombuffer(zstandard.ZstdDecompressor().decompress(coded), dtype=np.uint8)

    return Contestant(
        f"zstd -{level}", 1, lambda tensor: tensor.values.tobytes(), encode, decode, len
    )


def pcodec() -> Contestant:
    """pcodec on int8 numbers, which suits it better than patterns."""
    from pcodec import ChunkConfig, standalone

    config = ChunkConfig(enable_8_bit=True)
    return Contestant(
        "pcodec",
        1,
        lambda tensor: tensor.values.reshape(-1).view(np.int8),
        lambda values: standalone.simple_compress(values, config),
        lambda _, coded: standalone.simple_decompress(coded).view(np.uint8),
        len,
    )


def openzl() -> Contestant:
    """OpenZL's graph of general compression on numbers of one byte."""
    from openzl import ext

    compressor = ext.Compressor()
    compressor.select_starting_graph(ext.graphs.Compress()(compressor))

    def encode(values: np.ndarray) -> bytes:
        context = ext.CCtx()  # forgets its parameters with each call
        context.ref_compressor(compressor)
        context.set_parameter(ext.CParam.FormatVersion, ext.MAX_FORMAT_VERSION)
        return context.compress([ext.Input(ext.Type.Numeric, values)])

    def decode(_: np.ndarray, coded: bytes) -> np.ndarray:
        (output,) = ext.DCtx().decompress(coded)
        return np.frombuffer(output.content.as_bytes(), dtype=np.uint8)

    return Contestant(
        "OpenZL",
        1,
        lambda tensor: tensor.values.reshape(-1),
        encode,
        decode,
        len,
    )


def zipnn() -> Contestant:
    """zipnn's compiled core, called as its package calls it for numbers of one byte."""
    import zipnn_core

    header, parts, reorder, chunk, threads = 32, 1, (0, 10), 1 << 17, 1

    def encode(values: bytes) -> bytes:
        sizes = (chunk, 0.95, 10, threads)
        copy = bytearray(values)  # the core may change what it is given
        return zipnn_core.zipnn_core(bytes(header), copy, parts, *reorder, 0, *sizes)

    def decode(values: bytes, coded: bytes) -> np.ndarray:
        body = memoryview(coded)[header:]
        back = zipnn_core.combine_dtype(body, parts, *reorder, chunk, len(values), threads)
        return np.frombuffer(back, dtype=np.uint8)

    return Contestant("zipnn", 1, lambda tensor: tensor.values.tobytes(), encode, decode, len)


# Packages that only this benchmark uses: who makes the coder, and what installs it.
PACKAGES = {
    "pcodec": (pcodec, "make bench-codec installs it"),
    "OpenZL": (openzl, "make bench-codec installs it"),
    "zipnn": (zipnn, "it comes as source, which make bench-floats compiles"),
}


def installed() -> tuple[list[Contestant], dict[str, str]]:
    """The coders of PACKAGES, and why each that is missing is."""
    coders, missing = [], {}
    for name, (make, remedy) in PACKAGES.items():
        try:
            coders.append(make())
        except ImportError as error:
            missing[name] = f"{error}; {remedy}"
    return coders, missing


def as_listed(codec: Codec) -> Contestant:
    """A codec of the project's list, whose input is the values as they are."""

    def encode(tensor: Tensor) -> Bits:
        return codec.encode(tensor.values.reshape(-1), tensor.value_w)

    def decode(tensor: Tensor, coded: Bits) -> np.ndarray:
        return codec.decode(coded, tensor.values.size, tensor.value_w)

    return Contestant(
        codec.title,
        1,
        lambda tensor: tensor,
        encode,
        decode,
        lambda coded: coded.bits / 8,
        codec.max_error,
    )


def contestants() -> list[Contestant]:
    """All coders that are listed, APack first, on all cores and on one, beside a range coder."""
    cores = sorted({os.cpu_count() or 1, 1}, reverse=True)
    shapes = [(number, STREAM_COUNTS[0]) for number in cores]
    shapes += [(1, streams) for streams in STREAM_COUNTS[1:]]
    prepared = {
        "apack": lambda: [*(apack(*shape) for shape in shapes), constriction_range_coder()],
        "mlw": lambda: [mlw()],
        "zstd": lambda: [zstd(3), zstd(19)],
    }
    coders: list[Contestant] = []
    for codec in CODECS:
        if codec.key in prepared:
            coders += prepared[codec.key]()
        elif codec.compiled:
            coders.append(as_listed(codec))
    return coders


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the benchmark."""
    parser = OneLineParser("benchmark.codec", description=__doc__)
    parser.add_argument("--out", type=Path, default=BENCH, help="folder to write into")
    parser.add_argument("--runs", type=int, default=3, help="runs of each coder (default 3)")
    parser.add_argument("--model", action="append", help="only this model of the zoo; repeatable")
    parser.add_argument("--most-values", type=int, help="only so many values of each tensor")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 2 with one line when something is missing."""
    options = parse_arguments(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        report = run(zoo_tensors(options.model, options.most_values), options.runs)
        (options.out / "codec.json").write_text(
            json.dumps(report, indent=1) + "\n", encoding="utf-8"
        )
        (options.out / "codec.md").write_text(markdown(report), encoding="utf-8")
    except ModuleNotFoundError as error:
        return fail(f"{error.name} is not installed; run make bench-codec")
    except (InputError, OSError) as error:
        return fail(str(error))
    print(markdown(report), end="")
    return 0


def fail(message: str) -> int:
    """One line on stderr and the exit code of a user's mistake."""
    print(f"bench-codec: {message}", file=sys.stderr)
    return 2


def zoo_tensors(keys: list[str] | None, most: int | None = None) -> dict[str, list[Tensor]]:
    """The 8-bit weights of the chosen models, or of all; of each tensor the first `most` values."""
    from model.zoo import MODELS, zoo_model

    models = [zoo_model(key) for key in keys] if keys else MODELS
    return {model.key: [shortened(own, most) for own in model.weights()] for model in models}


def shortened(tensor: Tensor, most: int | None) -> Tensor:
    """A tensor's first values, without what they mean."""
    if not most:
        return tensor
    return Tensor(tensor.name, tensor.values.reshape(-1)[:most], tensor.stored, tensor.value_w)


def run(tensors: dict[str, list[Tensor]], runs: int) -> dict:
    """Measure every coder on every tensor; the content of codec.json."""
    packages, missing = installed()
    coders = [*contestants(), *packages]
    count = sum(map(len, tensors.values()))
    results = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        for coder in coders:
            task = bar.add_task(f"{coder.name}, {coder.cores} cores", total=count)
            measure(coder, next(iter(tensors.values()))[0], 1)  # compiles
            result = Result(coder.name, coder.cores)
            for key, group in tensors.items():
                for tensor in group:
                    result.add(key, *measure(coder, tensor, runs))
                    bar.advance(task)
            results.append(result)
            bar.remove_task(task)
    return summary(tensors, results) | {"missing": missing}


def measure(coder: Contestant, tensor: Tensor, runs: int) -> tuple[float, float, float]:
    """Coded bytes, and the best seconds of both ways; raises when more changed than may."""
    case = coder.prepare(tensor)
    encode_seconds = decode_seconds = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        coded = coder.encode(case)
        middle = time.perf_counter()
        values = coder.decode(case, coded)
        end = time.perf_counter()
        encode_seconds = min(encode_seconds, middle - start)
        decode_seconds = min(decode_seconds, end - middle)
    if largest_error(tensor.values.reshape(-1), values, tensor.value_w) > coder.max_error:
        raise InputError(f"{coder.name} did not restore tensor {tensor.name!r}")
    return float(coder.size(coded)), encode_seconds, decode_seconds


def summary(tensors: dict[str, list[Tensor]], results: list[Result]) -> dict:
    """The content of codec.json; sizes in bytes, speeds in 10**6 values (raw bytes) a second."""
    models = {key: model_sizes(group) for key, group in tensors.items()}
    values = sum(model["values"] for model in models.values())
    coders = [
        asdict(result)
        | {
            "encode_mb_s": values / result.encode_seconds / 1e6,
            "decode_mb_s": values / result.decode_seconds / 1e6,
            "ratio": sum(result.model_bytes.values()) / values,
        }
        for result in results
    ]
    return {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "values": values,
        "models": models,
        "coders": coders,
    }


def model_sizes(tensors: list[Tensor]) -> dict:
    """Values, entropy, and what APack's blocks and containers come to for a model, in bytes."""
    counts = [histogram(tensor.values, tensor.value_w) for tensor in tensors]
    tables = [solve(own, tensor.value_w) for tensor, own in zip(tensors, counts, strict=True)]
    blocks = dict.fromkeys(SHAPES, 0)
    for tensor, table in zip(tensors, tables, strict=True):
        for streams, block_values in SHAPES:
            coded = fast.encode_blocks(tensor.values, table, block_values, streams=streams)
            blocks[streams, block_values] += len(coded.data)
    return {
        "tensors": len(tensors),
        "values": sum(tensor.values.size for tensor in tensors),
        "entropy_bytes": sum(map(entropy_bits, counts)) / 8,
        "container_bytes": container_bytes(tensors, tables, fast.BLOCK_VALUES),
        "large_container_bytes": container_bytes(tensors, tables, LARGE_BLOCK),
        "block_bytes": {shape_name(*shape): size for shape, size in blocks.items()},
    }


def shape_name(streams: int, block_values: int) -> str:
    """The head of a column of sizes."""
    return f"{streams} streams, {block_values:,}"


def container_bytes(tensors: list[Tensor], tables: list[SymbolTable], block_values: int) -> int:
    """Size of a file of these tensors."""
    packed = [
        pack(tensor, table, block_values) for tensor, table in zip(tensors, tables, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        return write_container(Path(folder) / "model.apack", packed)


def markdown(report: dict) -> str:
    """Speeds of each coder, sizes by model over the raw bytes, and APack's over the entropy."""
    machine, models = report["machine"], report["models"]
    lines = [
        f"{report['values']:,} weights of {len(models)} models, {machine['cores']} cores.",
        "MB/s counts raw bytes; sizes are shares of the raw size.",
        "",
        *speeds(report),
        "",
        *sizes(report),
        "",
        f"APack's blocks, with headers and padding, over the entropy; blocks of so many values,"
        f" memory words of {fast.WORD_BYTES} bytes:",
        "",
        *excesses(models),
    ]
    return "\n".join(lines) + "\n"


def speeds(report: dict) -> list[str]:
    """The table of speeds, with those over the reference's, and what is not installed."""
    reference = [coder for coder in report["coders"] if coder["name"] == REFERENCE]
    lines = table_head("coder", "cores", "encode MB/s", "x", "decode MB/s", "x", "size")
    for coder in report["coders"]:
        cells = [coder["name"], coder["cores"]]
        for way in ("encode_mb_s", "decode_mb_s"):
            times = [f"{coder[way] / own[way]:.2f}" for own in reference]
            cells += [f"{coder[way]:.1f}", *(times or ["-"])]
        lines.append(table_row(*cells, f"{coder['ratio']:.4f}"))
    for name, reason in report["missing"].items():
        lines.append(table_row(name, "-", "-", "-", "-", "-", f"missing: {reason}"))
    return [*lines, "", f"x: times the speed of the {REFERENCE} in this run."]


def sizes(report: dict) -> list[str]:
    """The table of sizes by model."""
    coders = {
        (coder["name"]): coder["model_bytes"] for coder in report["coders"] if coder["cores"] == 1
    }
    large = f"container, blocks of {LARGE_BLOCK:,}"
    lines = table_head("model", "values", "entropy", "container", large, *coders)
    for key, model in report["models"].items():
        found = [model["entropy_bytes"], model["container_bytes"], model["large_container_bytes"]]
        found += [model_bytes[key] for model_bytes in coders.values()]
        shares = [f"{size / model['values']:.4f}" for size in found]
        lines.append(table_row(key, f"{model['values']:,}", *shares))
    return lines


def excesses(models: dict) -> list[str]:
    """The table of what blocks take beyond the entropy, by model."""
    lines = table_head("model", *(shape_name(*shape) for shape in SHAPES))
    for key, model in models.items():
        over = [size / model["entropy_bytes"] - 1 for size in model["block_bytes"].values()]
        lines.append(table_row(key, *(f"{100 * share:.2f} %" for share in over)))
    return lines


def table_head(first: str, *others: str) -> list[str]:
    """Head and rule of a table, numbers to the right."""
    return [table_row(first, *others), "| --- |" + " --: |" * len(others)]


def table_row(*cells: object) -> str:
    """A row of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    sys.exit(main())
