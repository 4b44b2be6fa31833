"""Size and time of the exact solver and of the paper's, on every weight tensor of the model zoo.

Writes build/bench/solver.json and build/bench/solver.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from model.apack import ApackError, SymbolTable, entropy_bits, histogram, solve
from model.apack.exact_solver import solve_exact
from model.apack.solver import METHODS
from model.cli.progress import Progress

BENCH = Path(__file__).resolve().parent.parent / "build" / "bench"
VALUE_W, SYMBOLS, COUNT_W = 8, 16, 10
LARGE = 1 << 16


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=BENCH, help="folder to write into")
    parser.add_argument("--runs", type=int, default=5, help="runs of each solver (default 5)")
    parser.add_argument("--model", action="append", help="only this model of the zoo; repeatable")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 2 with one line when something is missing."""
    options = parse_arguments(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        report = run(zoo_histograms(options.model), options.runs)
        (options.out / "solver.json").write_text(json.dumps(report, indent=1) + "\n")
        (options.out / "solver.md").write_text(markdown(report))
    except ModuleNotFoundError as error:
        return fail(f"{error.name} is not installed; run make bench-solver")
    except (ApackError, OSError) as error:
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


def markdown(report: dict) -> str:
    """The summary as a table."""
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
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
