# SPDX-License-Identifier: Apache-2.0
"""Values per cycle of a codec's units, in simulation, over the parameters that they depend on.

The int8 weights of the microWakeWord models, repeated to a large tensor, go through the units one
after another, so that none waits for another; and then the tensors as they are, each right behind
the one before, with the loading of their tables. What comes back is compared as in the demo.
Figures and picture go to build/throughput/.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
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

from model.cli.progress import Progress
from model.errors import InputError
from model.tensors import Tensor, read_tensors
from model.zoo.wakeword import wakeword_paths
from scripts.console.arguments import OneLineParser, number_to
from scripts.console.codec_argument import codec_argument
from tb.sim.bench import BenchFailure
from tb.sim.builds import BuildError
from tb.sim.round_trip import Rates, Run, find_rates
from tb.sim.tools import ToolMissing, find_simulator

FOLDER = ROOT / "build" / "throughput"
VALUES = 1 << 20

Shape = dict[str, int]


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """The command line; `rates` is what the codec offers, `shown` the values of each parameter."""
    parser = OneLineParser("benchmark.throughput", description=__doc__)
    rates = codec_argument(parser, arguments, find_rates)
    parser.add_argument("--sim", default="verilator", help="verilator or icarus")
    for name, sweep in rates.sweeps.items():
        parser.add_argument(
            f"--{name}", type=_numbers_in(sweep.legal), default=sweep.chosen, help="such as 1,2,4"
        )
    parser.add_argument("--values", type=number_to(VALUES), default=VALUES, help="of the tensor")
    parser.add_argument("--jobs", type=number_to(256), default=2, help="simulations at a time")
    options = parser.parse_args(arguments)
    options.rates = rates
    options.shown = {name: getattr(options, name) for name in rates.sweeps}
    return options


def _numbers_in(legal: Sequence[int]) -> Callable[[str], tuple[int, ...]]:
    if isinstance(legal, range):
        what = f"a number from {legal[0]} to {legal[-1]}"
    else:
        what = f"one of {', '.join(map(str, legal))}"

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or int(text) not in legal:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return int(text)

    def numbers(text: str) -> tuple[int, ...]:
        return tuple(sorted({number(part) for part in text.split(",")}))

    return numbers


def shipped() -> list[Tensor]:
    """The int8 weights of all shipped models, as uint8 patterns."""
    return [tensor for _, path in wakeword_paths() for tensor in read_tensors(path, 8)]


def weights(count: int) -> Tensor:
    """(count,) int8 weights as uint8 patterns: the shipped ones, again and again."""
    values = np.concatenate([tensor.values.reshape(-1) for tensor in shipped()])
    return Tensor("weights", np.resize(values, count), "int8")


def measure(rates: Rates, shape: Shape, tensors: Sequence[Tensor], sim: str) -> list[Run]:
    """What comes of tensors that go through hardware of a shape, each right behind the one before.

    Raises BenchFailure when hardware and model differ.
    """
    folder = FOLDER / "-".join(
        ["run", str(len(tensors)), *(str(shape[name]) for name in rates.sweeps)]
    )
    jobs = [rates.prepare(tensor, shape) for tensor in tensors]
    found = rates.run(jobs[0].build(sim), [(job, job.values) for job in jobs], folder)
    for run in found:
        for _, line in run.differences.values():
            raise BenchFailure(f"hardware and model differ: {line} (see {folder})")
    shutil.rmtree(folder)
    return found


def measure_point(rates: Rates, shape: Shape, weights: Tensor, sim: str) -> dict[str, object]:
    """One point: cycles, stalls and values per cycle of each unit."""
    (found,) = measure(rates, shape, [weights], sim)
    point: dict[str, object] = {name: shape[name] for name in rates.sweeps}
    if rates.limit:
        point[rates.limit.name] = found.figures[rates.limit.figure]
    for unit in rates.units:
        counters = found.units[unit]
        point[unit] = {
            "values_per_cycle": round(weights.values.size / counters["cycles"], 4),
            **counters,
        }
    return point


def measure_row(rates: Rates, tensors: Sequence[Tensor], sim: str) -> dict[str, object]:
    """Cycles and values per cycle of each unit over tensors that follow each other."""
    found = measure(rates, dict(rates.shape), tensors, sim)
    values = sum(tensor.values.size for tensor in tensors)
    row: dict[str, object] = {"tensors": len(tensors), "values": values}
    for unit in rates.units:
        cycles = sum(run.units[unit]["cycles"] for run in found)
        row[unit] = {"values_per_cycle": round(values / cycles, 4), "cycles": cycles}
    return row


def measure_all(options: argparse.Namespace, console: Console) -> list[dict[str, object]]:
    """All points, parameter by parameter."""
    rates, values = options.rates, weights(options.values)
    shapes: list[Shape] = []
    for name, shown in options.shown.items():
        for value in shown:
            shape = {**rates.shape, name: value}
            if shape not in shapes:
                shapes.append(shape)
    columns = (TextColumn("designs"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=console, transient=True) as bar,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        task = bar.add_task("designs", total=len(shapes))

        def run(shape: Shape) -> dict[str, object]:
            point = measure_point(rates, shape, values, options.sim)
            bar.advance(task)
            return point

        return list(pool.map(run, shapes))


def draw(points: list[dict], options: argparse.Namespace, path: Path) -> None:
    """Write the picture as PNG: all units over each parameter."""
    rates, sweeps = options.rates, options.rates.sweeps
    figure, panels = plt.subplots(
        1, len(sweeps), figsize=(5.5 * len(sweeps), 4.5), layout="constrained", squeeze=False
    )
    for axes, (key, sweep) in zip(panels[0], sweeps.items(), strict=True):
        shown = options.shown[key]
        fixed = {name: rates.shape[name] for name in sweeps if name != key}
        chosen = [
            point
            for point in points
            if point[key] in shown and all(point[name] == still for name, still in fixed.items())
        ]
        for unit, marker in zip(rates.units, "os^v", strict=False):
            places = [point[key] for point in chosen]
            axes.plot(
                places, [point[unit]["values_per_cycle"] for point in chosen], marker, ls="-",
                label=unit, alpha=0.8,
            )  # fmt: skip
        axes.set_xlabel(key)
        if not sweep.ideal:
            axes.set_xscale("log", base=2)
        axes.set_xticks(list(shown), [f"{value:,}" for value in shown])
        axes.set_ylabel("values per cycle")
        fastest = max(point[unit]["values_per_cycle"] for point in chosen for unit in rates.units)
        axes.set_ylim(0, 1.2 * fastest)
        axes.grid(alpha=0.3)
        texts = (f"{name} {still:,}" for name, still in fixed.items())
        axes.set_title(", ".join(texts), fontsize=10)
        if sweep.ideal:
            axes.plot(shown, shown, ":", color="0.5", label=sweep.ideal)
            if rates.limit:
                most = options.values / points[0][rates.limit.name]
                if axes.get_ylim()[1] > most:
                    axes.axhline(most, ls="--", color="0.5", label=rates.limit.text)
        axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def few_tensors(most: int) -> list[Tensor]:
    """The shipped tensors, as long as they are of so many values together."""
    tensors = shipped()
    ends = np.cumsum([tensor.values.size for tensor in tensors])
    return [tensor for tensor, end in zip(tensors, ends, strict=True) if end <= most] or tensors[:1]


def report(points: list[dict], row: dict, options: argparse.Namespace, console: Console) -> None:
    """Print the points and write figures and picture."""
    rates = options.rates
    FOLDER.mkdir(parents=True, exist_ok=True)
    record = {
        "simulator": options.sim,
        "values": options.values,
        "shape": dict(rates.shape),
        "points": points,
        "tensors_in_a_row": row,
    }
    text = json.dumps(record, indent=1) + "\n"
    (FOLDER / "throughput.json").write_text(text, encoding="utf-8")
    draw(points, options, FOLDER / "throughput.png")
    table = Table(title="Values per cycle", box=box.SIMPLE)
    for name in (*rates.sweeps, *rates.units):
        table.add_column(name, justify="right")
    for point in points:
        measured = (f"{point[unit]['values_per_cycle']:.3f}" for unit in rates.units)
        table.add_row(*(str(point[name]) for name in rates.sweeps), *measured)
    console.print(table)
    console.print(f"{options.values:,} int8 weights, {rates.text}", highlight=False)
    measured = (f"{unit} {row[unit]['values_per_cycle']:.3f}" for unit in rates.units)
    console.print(
        f"{row['tensors']} tensors of {row['values']:,} values, each right behind the one before: "
        f"{', '.join(measured)}",
        highlight=False,
        soft_wrap=True,
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
        row = measure_row(options.rates, few_tensors(options.values), options.sim)
    except (InputError, ToolMissing, BuildError, BenchFailure) as error:
        print(f"throughput: {error}", file=sys.stderr)
        return 2
    report(points, row, options, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
