# SPDX-License-Identifier: Apache-2.0
"""Size and time of the exact solver and of the paper's, on every weight tensor of the model zoo.

A second table is of values of 16 bits, where a search over all boundaries of groups takes minutes:
what it costs to allow fewer, on the largest float weights of the zoo as bits of BF16, as bits of
FP16 and as int16. `--largest 1 --model silero-vad --every-boundary` has the full search too.

Writes build/bench/solver.json and build/bench/solver.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from model.apack import SymbolTable, entropy_bits, histogram, solve
from model.apack.exact_solver import BOUNDARY_CELLS, adaptive_boundaries, solve_exact
from model.apack.solver import METHODS
from model.cli.progress import Progress
from model.errors import InputError
from model.tensors.quantize import quantize_symmetric
from scripts.console.arguments import OneLineParser
from tb.sim.paths import ROOT

BENCH = ROOT / "build" / "bench"
VALUE_W, SYMBOLS, COUNT_W = 8, 16, 10
WIDE_W = 16
LARGE = 1 << 16


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the benchmark."""
    parser = OneLineParser("benchmark.solver", description=__doc__)
    parser.add_argument("--out", type=Path, default=BENCH, help="folder to write into")
    parser.add_argument("--runs", type=int, default=5, help="runs of each solver (default 5)")
    parser.add_argument("--model", action="append", help="only this model of the zoo; repeatable")
    parser.add_argument(
        "--largest", type=int, default=3, help="16-bit tensors of each float model (default 3)"
    )
    parser.add_argument(
        "--every-boundary", action="store_true", help="the full search of 16 bits too: minutes each"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 2 with one line when something is missing."""
    options = parse_arguments(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        report = run(zoo_histograms(options.model), options.runs)
        cases = wide_histograms(options.model, options.largest)
        report["wide"] = run_wide(cases, options.every_boundary)
        (options.out / "solver.json").write_text(
            json.dumps(report, indent=1) + "\n", encoding="utf-8"
        )
        (options.out / "solver.md").write_text(markdown(report), encoding="utf-8")
    except ModuleNotFoundError as error:
        return fail(f"{error.name} is not installed; run make bench-solver")
    except (InputError, OSError) as error:
        return fail(str(error))
    print(markdown(report), end="")
    return 0


def fail(message: str) -> int:
    """One line on stderr and the exit code of a user's mistake."""
    print(f"bench-solver: {message}", file=sys.stderr)
    return 2


def zoo_histograms(keys: list[str] | None) -> dict[str, np.ndarray]:
    """The histogram of each 8-bit weight tensor, named model/tensor."""
    from model.zoo import MODELS, zoo_model

    models = [zoo_model(key) for key in keys] if keys else MODELS
    return {
        f"{model.key}/{tensor.name}": histogram(tensor.values, VALUE_W)
        for model in models
        for tensor in model.weights(VALUE_W)
    }


def run(histograms: dict[str, np.ndarray], runs: int) -> dict:
    """Solve every histogram with every method; the content of solver.json."""
    first = next(iter(histograms.values()))
    for method in METHODS:
        solve(first, VALUE_W, SYMBOLS, COUNT_W, method)  # compiles
    rows = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        for name, counts in bar.track(histograms.items(), description="tensors"):
            rows.append({"tensor": name, **measure(counts, runs)})
    return {
        "value_w": VALUE_W,
        "symbols": SYMBOLS,
        "count_w": COUNT_W,
        "summary": {method: summary(rows, method) for method in METHODS},
        "proven": sum(row["proven"] for row in rows),
        "tensors": rows,
    }


def measure(counts: np.ndarray, runs: int) -> dict:
    """Bits and best seconds of each method on one histogram."""
    row = {"values": int(counts.sum()), "entropy_bits": entropy_bits(counts)}
    row["proven"] = bool(solve_exact(counts, VALUE_W, SYMBOLS, COUNT_W).proven)
    for method in METHODS:
        table, seconds = timed(
            lambda method=method: solve(counts, VALUE_W, SYMBOLS, COUNT_W, method), runs
        )
        row[method] = {"bits": table.expected_bits(counts), "seconds": seconds}
    return row


def timed(work: Callable[[], SymbolTable], runs: int) -> tuple[SymbolTable, float]:
    """The result and the best time of a few runs."""
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return result, best


def summary(rows: list[dict], method: str) -> dict:
    """Time over all tensors; size over entropy summed, and on tensors of 64 Ki values and more."""
    seconds = [row[method]["seconds"] for row in rows]
    bits = sum(row[method]["bits"] for row in rows)
    large = [
        row[method]["bits"] / row["entropy_bits"] - 1 for row in rows if row["values"] >= LARGE
    ]
    return {
        "mean_ms": 1e3 * statistics.fmean(seconds),
        "median_ms": 1e3 * statistics.median(seconds),
        "max_ms": 1e3 * max(seconds),
        "over_entropy": bits / sum(row["entropy_bits"] for row in rows) - 1,
        "large_tensors": len(large),
        "large_mean_over_entropy": statistics.fmean(large) if large else None,
        "large_max_over_entropy": max(large, default=None),
    }


@dataclass(frozen=True)
class Case:
    """A tensor of 16-bit values; kind: what its values are."""

    model: str
    tensor: str
    kind: str
    counts: np.ndarray


def patterns_of(array: np.ndarray) -> dict[str, np.ndarray]:
    """Float weights as unsigned 16-bit values: the bits of both types, and quantized to int16."""
    return {
        "BF16": array.astype(ml_dtypes.bfloat16).view(np.uint16),
        "FP16": array.astype(np.float16).view(np.uint16),
        "int16": quantize_symmetric(array, WIDE_W)[0].view(np.uint16),
    }


def wide_histograms(keys: list[str] | None, largest: int) -> list[Case]:
    """The largest float weights of the chosen models, or of all, as values of 16 bits."""
    from model.zoo.float_weights import FLOAT_MODELS, float_weights

    cases = []
    for model in (key for key in FLOAT_MODELS if keys is None or key in keys):
        arrays = float_weights(model)
        for name in sorted(arrays, key=lambda name: -arrays[name].size)[:largest]:
            for kind, values in patterns_of(arrays[name]).items():
                cases.append(Case(model, name, kind, histogram(values, WIDE_W)))
    return cases


def boundary_rules(counts: np.ndarray, every: bool) -> dict[str, np.ndarray]:
    """The boundaries of each rule for a histogram of 16-bit values, the one in use first."""
    rules = {f"adaptive, {BOUNDARY_CELLS:,} cells": adaptive_boundaries(counts, WIDE_W)}
    for step in (256, 64, 16):
        rules[f"multiples of {step}"] = np.arange(0, (1 << WIDE_W) + 1, step)
    for cells in (256, 4096):
        rules[f"adaptive, {cells:,} cells"] = adaptive_boundaries(counts, WIDE_W, cells)
    if every:
        rules["every boundary"] = np.arange((1 << WIDE_W) + 1)
    return rules


def run_wide(cases: list[Case], every: bool) -> list[dict]:
    """Bits and seconds of the search under each rule for boundaries."""
    solve(np.ones(1 << WIDE_W, dtype=np.int64), WIDE_W, SYMBOLS, COUNT_W)  # compiles
    rows = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        for case in bar.track(cases, description="16-bit tensors"):
            for rule, boundaries in boundary_rules(case.counts, every).items():
                start = time.perf_counter()
                solution = solve_exact(case.counts, WIDE_W, SYMBOLS, COUNT_W, boundaries)
                rows.append({
                    "model": case.model,
                    "tensor": case.tensor,
                    "kind": case.kind,
                    "values": int(case.counts.sum()),
                    "entropy_bits": entropy_bits(case.counts),
                    "rule": rule,
                    "bits": solution.bits,
                    "seconds": time.perf_counter() - start,
                })  # fmt: skip
    return rows


def wide_markdown(rows: list[dict]) -> str:
    """Bits a value of each kind and mean seconds under each rule, over all tensors."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    tensors = {(row["model"], row["tensor"]) for row in rows}
    lines = [
        "",
        f"{len(tensors)} tensors of {len({model for model, _ in tensors})} models as values of "
        f"{WIDE_W} bits; bits a value, over all values, by where groups may begin:",
        "",
        "| groups begin at | " + " | ".join(kinds) + " | s mean | s max |",
        "| --- |" + " --: |" * (len(kinds) + 2),
    ]
    for rule in dict.fromkeys(row["rule"] for row in rows):
        ours = [row for row in rows if row["rule"] == rule]
        seconds = [row["seconds"] for row in ours]
        cells = [f"{_bits_a_value(ours, kind, 'bits'):.4f}" for kind in kinds]
        cells += [f"{statistics.fmean(seconds):.2f}", f"{max(seconds):.2f}"]
        lines.append(f"| {rule} | " + " | ".join(cells) + " |")
    cells = [f"{_bits_a_value(ours, kind, 'entropy_bits'):.4f}" for kind in kinds]
    lines.append("| entropy | " + " | ".join(cells) + " | | |")
    return "\n".join(lines) + "\n"


def _bits_a_value(rows: list[dict], kind: str, key: str) -> float:
    chosen = [row for row in rows if row["kind"] == kind]
    return sum(row[key] for row in chosen) / sum(row["values"] for row in chosen)


def markdown(report: dict) -> str:
    """The summary as a table, and that of 16 bits."""
    count = len(report["tensors"])
    lines = [
        f"{count} weight tensors of {report['value_w']}-bit values, at most {report['symbols']} "
        f"groups, counts of {report['count_w']} bits.",
        f"{report['proven']} of the exact tables are proven to be the best. Large tensors have "
        f"{LARGE:,} values or more.",
        "",
        "| solver | ms mean | ms median | ms max | size over entropy | large, mean | large, max |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for method, figures in report["summary"].items():
        times = (figures[f"{which}_ms"] for which in ("mean", "median", "max"))
        sizes = (
            figures[key]
            for key in ("over_entropy", "large_mean_over_entropy", "large_max_over_entropy")
        )
        cells = [f"{value:.2f}" for value in times]
        cells += ["-" if value is None else f"{100 * value:.3f} %" for value in sizes]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    wide = wide_markdown(report["wide"]) if report.get("wide") else ""
    return "\n".join(lines) + "\n" + wide


if __name__ == "__main__":
    sys.exit(main())
