# SPDX-License-Identifier: Apache-2.0
"""Measure the model zoo under APack and every other codec, and write build/report/.

Needs the packages of requirements-zoo.txt. Takes a few minutes on two cores.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from model.cli.progress import Progress
from model.errors import InputError
from scripts.console.arguments import OneLineParser
from tb.sim.paths import ROOT

REPORT = ROOT / "build" / "report"


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the report."""
    parser = OneLineParser("report", description=__doc__)
    parser.add_argument("--out", type=Path, default=REPORT, help="folder to write into")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the report; 0 when written, 2 with one line when something is missing."""
    options = parse_arguments(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        # onnxruntime must not have started threads where processes are forked.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max(1, options.jobs), mp_context=context) as pool:
            run(pool, options.out)
    except ModuleNotFoundError as error:
        return fail(f"{error.name} is not installed; pip install --no-deps -r requirements-zoo.txt")
    except (InputError, OSError, BrokenProcessPool) as error:
        return fail(str(error))
    return 0


def fail(message: str) -> int:
    """One line on stderr and the exit code of a user's mistake."""
    print(f"report: {message}", file=sys.stderr)
    return 2


def run(pool: Executor, folder: Path) -> None:
    """Measure, write and print the averages."""
    from model.report.collect import stages  # needs the packages of the zoo
    from model.report.pages import write_report
    from model.zoo import MODELS

    work = stages()
    console = Console(markup=False, emoji=False)
    columns = (
        TextColumn("{task.description:<44}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=len(work))
        parts = []
        for stage in work:
            progress.update(bar, description=stage.title)
            parts.append(stage.measure(pool))
            progress.advance(bar)
        progress.update(bar, description="measured")
        bar = progress.add_task("pages", total=len(MODELS) + 2)
        index = write_report(
            parts, folder, lambda title: progress.update(bar, advance=1, description=title)
        )
        progress.update(bar, description="written")
    print_summary(console, parts)
    console.print(f"report: {index}", soft_wrap=True, highlight=False)


def print_summary(console: Console, parts: list) -> None:
    """The averages and the checked claims, in the terminal."""
    from model.report.summary import ACTIVATIONS, PAPER, WEIGHTS, averages, bars, select

    table = Table(title="mean footprint over networks, 8 bits")
    table.add_column("codec")
    for kind in (WEIGHTS, ACTIVATIONS):
        table.add_column(kind, justify="right")
    rows = zip(*(averages(select(parts, kind)) for kind in (WEIGHTS, ACTIVATIONS)), strict=True)
    for weights, activations in rows:
        shares = (f"{entry.by_model:.1%}" for entry in (weights, activations))
        table.add_row(weights.column.title, *shares)
    table.add_row("APack in the paper", *(f"{PAPER[kind]:.0%}" for kind in (WEIGHTS, ACTIVATIONS)))
    console.print(table)
    for claim in bars(parts):
        verdict = "holds" if claim.holds else f"{len(claim.exceptions)} exceptions"
        console.print(f"{verdict}: {claim.claim} ({claim.cases:,} cases)", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
