"""Values per cycle of compressor and decompressor, in simulation: over engines and over streams.

The int8 weights of the microWakeWord models, repeated to a large tensor, go through both units, the
decompressor after the compressor, so that neither waits for the other. What comes back is compared
as in the demo. Figures and picture go to build/throughput/.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib

from tb.sim.paths import ROOT

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from model.apack import ApackError, SymbolTable, histogram, solve
from model.cli.progress import Progress
from model.tensors import read_tensors
from model.zoo.wakeword import wakeword_paths
from scripts.console.arguments import OneLineParser, number_to
from tb.apack.bulk.tops_round_trip import (
    UNITS,
    Shape,
    build_tops,
    mismatches,
    run_tops_round_trip,
)
from tb.apack.env.memory_image import MemoryImage
from tb.sim.bench import BenchFailure
from tb.sim.builds import BuildError
from tb.sim.tools import ToolMissing, find_simulator

FOLDER = ROOT / "build" / "throughput"
VALUES = 1 << 20
ENGINES = (1, 2, 3, 4, 6, 8)
STREAMS = (1, 2, 3, 4, 6, 8)
# Memory words narrow enough that their port is what limits many engines; blocks small enough that
# each engine has several; a memory that holds the whole tensor.
SHAPE = Shape(lanes=16, word_w=32, block_values=1024, fifo_w=19)
STALLS = ("STALL_INPUT", "STALL_OUTPUT", "STALL_ENGINE")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = OneLineParser("throughput", description=__doc__)
    parser.add_argument("--sim", default="verilator", help="verilator or icarus")
    parser.add_argument("--engines", type=_numbers_to(64), default=ENGINES, help="such as 1,2,4")
    parser.add_argument("--streams", type=_numbers_to(8), default=STREAMS, help="such as 1,4,8")
    parser.add_argument("--values", type=number_to(VALUES), default=VALUES, help="of the tensor")
    parser.add_argument("--jobs", type=number_to(256), default=2, help="simulations at a time")
    return parser.parse_args(arguments)


def _numbers_to(most: int) -> Callable[[str], tuple[int, ...]]:
    def numbers(text: str) -> tuple[int, ...]:
        return tuple(sorted({number_to(most)(part) for part in text.split(",")}))

    return numbers


def weights(count: int) -> np.ndarray:
    """(count,) int8 weights as uint8 patterns: those of all shipped models, again and again."""
    tensors = [tensor for _, path in wakeword_paths() for tensor in read_tensors(path, 8)]
    return np.resize(np.concatenate([tensor.values.reshape(-1) for tensor in tensors]), count)


def measure(shape: Shape, values: np.ndarray, table: SymbolTable, sim: str) -> dict[str, object]:
    """One point: cycles, stalls and values per cycle of both units.

    Raises BenchFailure when hardware and model differ.
    """
    build = build_tops(table, sim, shape)
    folder = FOLDER / f"run-{shape.engines}-{shape.streams}"
    found = run_tops_round_trip(
        build, shape, values, table, shape.block_values, folder, overlap=False
    )
    image = MemoryImage.of(values, table, shape.block_values, shape.word_w, shape.code_w)
    wrong, lines = mismatches(values, image, found)
    if wrong:
        raise BenchFailure(f"hardware and model differ: {lines[0]} (see {folder})")
    shutil.rmtree(folder)
    point: dict[str, object] = {
        "engines": shape.engines,
        "streams": shape.streams,
        "memory_words": len(found.words),
    }
    for unit in UNITS:
        counters = getattr(found, unit)
        point[unit] = {
            "values_per_cycle": round(len(values) / counters["CYCLES"], 4),
            "cycles": counters["CYCLES"],
            **{name.lower(): counters[name] for name in STALLS},
        }
    return point


def measure_all(options: argparse.Namespace, console: Console) -> list[dict[str, object]]:
    """All points, those over the engines first, then those over the streams."""
    values = weights(options.values)
    table = solve(histogram(values, 8))
    shapes = [replace(SHAPE, engines=engines) for engines in options.engines]
    shapes += [replace(SHAPE, streams=streams) for streams in options.streams]
    shapes = list(dict.fromkeys(shapes))
    columns = (TextColumn("designs"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=console, transient=True) as bar,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        task = bar.add_task("designs", total=len(shapes))

        def run(shape: Shape) -> dict[str, object]:
            point = measure(shape, values, table, options.sim)
            bar.advance(task)
            return point

        return list(pool.map(run, shapes))


def draw(points: list[dict], options: argparse.Namespace, path: Path) -> None:
    """Write the picture as PNG: both units over engines, and over streams."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for axes, key, fixed, shown in (
        (left, "engines", "streams", options.engines),
        (right, "streams", "engines", options.streams),
    ):
        still = getattr(SHAPE, fixed)
        chosen = [point for point in points if point[key] in shown and point[fixed] == still]
        for unit, marker in zip(UNITS, "os", strict=True):
            places = [point[key] for point in chosen]
            axes.plot(
                places, [point[unit]["values_per_cycle"] for point in chosen], marker, ls="-",
                label=unit, alpha=0.8,
            )  # fmt: skip
        axes.set_xlabel(key)
        axes.set_xticks(list(shown))
        axes.set_ylabel("values per cycle")
        rates = [point[unit]["values_per_cycle"] for point in chosen for unit in UNITS]
        axes.set_ylim(0, 1.2 * max(rates))
        axes.grid(alpha=0.3)
        axes.set_title(f"{still} {fixed if still > 1 else fixed.removesuffix('s')}", fontsize=10)
        axes.legend()
    left.plot(options.engines, options.engines, ":", color="0.5", label="one value an engine")
    most = options.values / points[0]["memory_words"]
    if left.get_ylim()[1] > most:
        left.axhline(most, ls="--", color="0.5", label="one memory word a cycle")
    left.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def report(points: list[dict], options: argparse.Namespace, console: Console) -> None:
    """Print the points and write figures and picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    record = {
        "simulator": options.sim,
        "values": options.values,
        "shape": asdict(SHAPE),
        "points": points,
    }
    text = json.dumps(record, indent=1) + "\n"
    (FOLDER / "throughput.json").write_text(text, encoding="utf-8")
    draw(points, options, FOLDER / "throughput.png")
    table = Table(title="Values per cycle", box=box.SIMPLE)
    for name in ("engines", "streams", *UNITS):
        table.add_column(name, justify="right")
    for point in points:
        rates = (f"{point[unit]['values_per_cycle']:.3f}" for unit in UNITS)
        table.add_row(str(point["engines"]), str(point["streams"]), *rates)
    console.print(table)
    console.print(
        f"{options.values:,} int8 weights in blocks of {SHAPE.block_values:,}, "
        f"{SHAPE.lanes} values a beat, memory words of {SHAPE.word_w} bits",
        highlight=False,
    )
    for name in ("throughput.json", "throughput.png"):
        console.print(str((FOLDER / name).relative_to(ROOT)), highlight=False, soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 when something could not run or hardware and model differ."""
    options = parse_arguments(arguments)
    console = Console(markup=False, emoji=False)
    try:
        console.print(find_simulator(options.sim).banner, highlight=False)
        points = measure_all(options, console)
    except (ApackError, ToolMissing, BuildError, BenchFailure) as error:
        print(f"throughput: {error}", file=sys.stderr)
        return 2
    report(points, options, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
