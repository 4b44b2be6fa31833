# SPDX-License-Identifier: Apache-2.0
"""The code coverage for people: a table, the files, and what is not good enough."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from model.cli.progress import Progress
from scripts.console.arguments import OneLineParser, at_least
from scripts.console.shown import rounded
from scripts.coverage.code import (
    PLURAL,
    RESULT,
    RUNS,
    THRESHOLDS,
    CodeCoverage,
    Tally,
    as_json,
    coverage_files,
    measure,
    test_of,
)
from scripts.coverage.page import write_page
from scripts.coverage.points import KINDS
from scripts.runs.collect import TESTS
from scripts.runs.coverage import CoverageError, read_without_code, tests_there
from scripts.runs.job_summary import add_to_summary
from scripts.test import main as run_tests
from scripts.test import selection
from tb.sim.paths import relative


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 for enough coverage or that of a part of the tests, 1 for less or a failed test.

    It is 2 when nothing can be told.
    """
    parser = OneLineParser("coverage", description=__doc__)
    parser.add_argument("--run", action="store_true", help="run the hardware tests first")
    parser.add_argument("--seed", type=at_least(0), help="seed of the stimulus, with --run")
    parser.add_argument("--test", type=selection, help="run only what this selects, with --run")
    parser.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1, help="with --run")
    options = parser.parse_args(arguments)
    code = run(options) if options.run else 0
    return code if code > 1 else max(code, report())


def run(options: argparse.Namespace) -> int:
    """Run the hardware tests with coverage; all of them leave nothing of what ran earlier."""
    command = ["--sim", "verilator", "--coverage", "--jobs", str(options.jobs), "--tests", *TESTS]
    command += [] if options.seed is None else ["--seed", str(options.seed)]
    command += ["--test", options.test] if options.test else []
    if not options.test:
        for path in coverage_files():
            path.unlink()
    return run_tests(command)


def table(coverage: CodeCoverage) -> Table:
    """A row for each module, the worst first, and one for all of them."""
    result = Table(box=None, pad_edge=False)
    result.add_column("module", no_wrap=True)
    for kind in KINDS:
        result.add_column(f"{PLURAL[kind]} %", justify="right")
    result.add_column("missing", justify="right")
    result.add_column("excluded", justify="right")
    for module in coverage.modules:
        style = "yellow" if module.missed else ""
        result.add_row(module.name, *_cells(module.tallies), style=style)
    result.add_section()
    result.add_row("all", *_cells(coverage.totals), style="bold")
    return result


def _cells(tallies: dict[str, Tally]) -> list[str]:
    percents = [rounded(tally.percent) if tally.points else "" for tally in tallies.values()]
    counts = (
        sum(tally.missed for tally in tallies.values()),
        sum(tally.excluded for tally in tallies.values()),
    )
    return [*percents, *(str(count or "") for count in counts)]


def report() -> int:
    """Write what has been counted: exit code 0, 1 for too little of it, 2 when there is none."""
    columns = Progress.get_default_columns()
    try:
        files = coverage_files()
        tests = tests_there("verilator") if files else set()
        tests -= read_without_code(RUNS) - {test_of(path) for path in files}
        with Progress(*columns, console=Console(), transient=True) as bar:
            watch = partial(bar.track, description="reading")
            coverage = measure(files, tests, watch=watch)
    except CoverageError as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 2
    page = write_files(coverage, RESULT)
    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    console.print(table(coverage))
    for fault in coverage.faults:
        console.print(f"coverage: {fault}", style="red", markup=False)
    console.print(last_line(coverage, page), markup=False)
    figures: dict[str, object] = {
        PLURAL[kind]: f"{rounded(coverage.totals[kind].percent)} % of {THRESHOLDS[kind]:g} %"
        for kind in KINDS
    }
    figures |= {"simulations": coverage.simulations, "of": coverage.part or "all tests"}
    add_to_summary("Code coverage", figures, coverage.faults)
    return 1 if coverage.faults else 0


def write_files(coverage: CodeCoverage, path: Path) -> Path:
    """Write the result for programs, and beside it the page, whose path is returned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_json(coverage) + "\n", encoding="utf-8")
    write_page(coverage, path.with_suffix(".html"))
    return path.with_suffix(".html")


def last_line(coverage: CodeCoverage, page: Path) -> str:
    """The totals, what they are of, and where to read on."""
    totals = ", ".join(
        f"{rounded(coverage.totals[kind].percent)} % of {PLURAL[kind]} ({THRESHOLDS[kind]:g} %)"
        for kind in KINDS
    )
    stale = f" ({coverage.stale} of other sources left out)" if coverage.stale else ""
    place = relative(page)
    merged = f" ({coverage.merged})" if coverage.merged else ""
    part = (
        f"\ncoverage: partial, of {coverage.part}: thresholds do not apply" if coverage.part else ""
    )
    return f"coverage: {totals}, {coverage.simulations} simulations{stale}{merged}, {place}{part}"
