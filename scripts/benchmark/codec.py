# SPDX-License-Identifier: Apache-2.0
"""Speed and size of the compiled APack codec beside other coders: same tensors, same run.

Tensors are the weights of the model zoo; coders those of the project's list of codecs that are
compiled. Every result is decoded again and compared. Tables, models and the form of input that a
coder wants are made before its clock starts; the best of the runs counts. Writes
build/bench/codec.json and build/bench/codec.md.
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

from model.apack import Bits, entropy_bits, fast, histogram, solve
from model.apack.container import pack, write_container
from model.cli.progress import Progress
from model.codecs import CODECS, Codec, largest_error
from model.errors import InputError
from model.tensors import Tensor
from scripts.console.arguments import OneLineParser
from tb.sim.paths import ROOT

BENCH = ROOT / "build" / "bench"


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


def apack(cores: int) -> Contestant:
    """The codec of this project; its size counts the pieces of all blocks."""

    def prepare(tensor: Tensor) -> tuple:
        counts = histogram(tensor.values, tensor.value_w)
        return tensor.values.reshape(-1), solve(counts, tensor.value_w)

    def encode(case: tuple) -> fast.EncodedBlocks:
        return fast.encode_blocks(*case, cores=cores)

    def size(coded: fast.EncodedBlocks) -> float:
        return coded.bits / 8

    def decode(_: tuple, coded: fast.EncodedBlocks) -> np.ndarray:
        return fast.decode_blocks(coded, cores=cores)

    return Contestant("APack", cores, prepare, encode, decode, size)


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

    return Contestant("constriction range coder", 1, prepare, encode, decode, lambda x: x.nbytes)


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
    """All coders, APack first, on all cores and on one: a range coder, and what is listed."""
    cores = sorted({os.cpu_count() or 1, 1}, reverse=True)
    prepared = {
        "apack": lambda: [*map(apack, cores), constriction_range_coder()],
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
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 2 with one line when something is missing."""
    options = parse_arguments(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        report = run(zoo_tensors(options.model), options.runs)
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


def zoo_tensors(keys: list[str] | None) -> dict[str, list[Tensor]]:
    """The 8-bit weights of the chosen models, or of all."""
    from model.zoo import MODELS, zoo_model

    models = [zoo_model(key) for key in keys] if keys else MODELS
    return {model.key: model.weights() for model in models}


def run(tensors: dict[str, list[Tensor]], runs: int) -> dict:
    """Measure every coder on every tensor; the content of codec.json."""
    coders = contestants()
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
    return summary(tensors, results)


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
    """Values, entropy and the size of an APack container of a model, in bytes."""
    counts = [histogram(tensor.values, tensor.value_w) for tensor in tensors]
    packed = [
        pack(tensor, solve(own, tensor.value_w))
        for tensor, own in zip(tensors, counts, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        container_bytes = write_container(Path(folder) / "model.apack", packed)
    return {
        "tensors": len(tensors),
        "values": sum(tensor.values.size for tensor in tensors),
        "entropy_bytes": sum(map(entropy_bits, counts)) / 8,
        "container_bytes": container_bytes,
    }


def markdown(report: dict) -> str:
    """Both tables: speeds of each coder, and sizes by model as a share of the raw bytes."""
    machine, models = report["machine"], report["models"]
    lines = [
        f"{report['values']:,} weights of {len(models)} models, {machine['cores']} cores.",
        "MB/s counts raw bytes; sizes are shares of the raw size.",
        "",
        "| coder | cores | encode MB/s | decode MB/s | size |",
        "| --- | --: | --: | --: | --: |",
    ]
    for coder in report["coders"]:
        lines.append(
            f"| {coder['name']} | {coder['cores']} | {coder['encode_mb_s']:.1f} | "
            f"{coder['decode_mb_s']:.1f} | {coder['ratio']:.4f} |"
        )
    sized = [coder for coder in report["coders"] if coder["name"] != "APack"]
    header = ("model", "values", "entropy", "APack", "with metadata")
    lines += [
        "",
        "| " + " | ".join([*header, *(coder["name"] for coder in sized)]) + " |",
        "| --- |" + " --: |" * (len(header) - 1 + len(sized)),
    ]
    for key, model in models.items():
        sizes = [model["entropy_bytes"], report["coders"][0]["model_bytes"][key]]
        sizes += [model["container_bytes"], *(coder["model_bytes"][key] for coder in sized)]
        shares = [f"{size / model['values']:.4f}" for size in sizes]
        lines.append("| " + " | ".join([key, f"{model['values']:,}", *shares]) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
