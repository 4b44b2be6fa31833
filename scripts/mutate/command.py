# SPDX-License-Identifier: Apache-2.0
"""Command line of the mutation score."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from model.cli.progress import Progress
from scripts.console.arguments import OneLineParser, at_least
from scripts.console.ending import INTERRUPTED
from scripts.console.shown import floored
from scripts.mutate.equivalence import ABC
from scripts.mutate.measure import (
    ERROR,
    Entry,
    Result,
    measure,
    progress_of,
    result_path,
    work_folder,
)
from scripts.mutate.page import write_page
from scripts.mutate.results import Run, percent, write_results
from scripts.mutate.targets import NoSuchDesign, Target, select_targets
from scripts.runs.job_summary import add_to_summary
from tb.sim.paths import ROOT, relative
from tb.sim.tools import ToolMissing, find_simulator

FOLDER = ROOT / "build" / "mutate"
MUTANTS = 200
SEEDS = 3  # as many as a regression has
TARGET = 98.0
SHOWN = 60  # survivors in the terminal


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the mutation score."""
    parser = OneLineParser("mutate", description=__doc__)
    parser.add_argument("--design", nargs="*", default=[], help="modules, wildcards allowed")
    parser.add_argument("--mutants", type=at_least(1), default=MUTANTS, help="most of a module")
    parser.add_argument(
        "--seed", type=at_least(0), default=1, help="of the draw; first of the tests"
    )
    parser.add_argument("--seeds", type=at_least(1), default=SEEDS, help="of the tests")
    parser.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--target", type=share, default=TARGET, help="least score, in percent")
    return parser.parse_args(arguments)


def share(text: str) -> float:
    """The type of an argument: a number of percent."""
    if not re.fullmatch(r"\d{1,3}(\.\d+)?", text) or float(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")
    return float(text)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the target is reached, 1 when it is not, 2 when nothing could be run."""
    options = parse_arguments(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        find_simulator("verilator")
        if not ABC.is_file():
            raise ToolMissing(f"{ABC} is missing: run make setup")
        targets = select_targets([name for text in options.design for name in text.split()])
    except (NoSuchDesign, ToolMissing) as error:
        print(f"mutate: {error}", file=sys.stderr)
        return 2
    try:
        return score(targets, options)
    except KeyboardInterrupt:
        print("mutate: stopped; what is done is kept", file=sys.stderr)
        return INTERRUPTED


def score(targets: Sequence[Target], options: argparse.Namespace, folder: Path = FOLDER) -> int:
    """Measure all targets, write the results, and say what came out."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    begin = time.monotonic()
    chosen = (options.mutants, options.seed, options.seeds)
    paths = {target.module: result_path(target, *chosen) for target in targets}
    measure_all(targets, options, console)
    results, errors = [], {}
    for target in targets:
        path = paths[target.module]
        if path.is_file():
            results.append(Result.read(path))
        else:
            path = path.with_name(ERROR)
            errors[target.module] = (
                path.read_text(encoding="utf-8").strip() if path.is_file() else "died"
            )
    seconds = round(time.monotonic() - begin, 1)
    run = Run(results, errors, options.target, *chosen, seconds)
    write_results(run, folder)
    write_page(run, folder)
    report(run, console, folder)
    add_to_summary(
        f"Mutation score, SEED={run.seed}",
        {
            "score": f"{floored(run.score)} %",
            "target": f"{run.target:g} %",
            "mutants": run.mutants,
            "found": run.killed,
            "survived": run.judged - run.killed,
            "proven equivalent": run.mutants - run.judged,
        },
        [f"{module}: {message}" for module, message in run.errors.items()],
    )
    return 0 if run.good else 1


def measure_all(targets: Sequence[Target], options: argparse.Namespace, console: Console) -> None:
    """Measure what is not known yet, some modules at a time, the largest first."""
    chosen = (options.mutants, options.seed, options.seeds)
    folders = {target.module: work_folder(target, *chosen) for target in targets}
    waiting = sorted(
        (target for target in targets if not result_path(target, *chosen).is_file()),
        key=lambda target: sum(path.stat().st_size for path in target.sources),
    )
    children = max(options.jobs // max(min(options.jobs, len(waiting)), 1), 1)
    context = multiprocessing.get_context("spawn")
    running: dict[str, BaseProcess] = {}
    with progress_bar(console) as bar:
        task = bar.add_task("")
        try:
            while waiting or running:
                while waiting and len(running) < options.jobs:
                    target = waiting.pop()
                    arguments = (target, *chosen, children)
                    running[target.module] = context.Process(target=measure_alone, args=arguments)
                    running[target.module].start()
                time.sleep(0.3)
                running = {name: run for name, run in running.items() if run.is_alive()}
                show_progress(bar, task, folders, options.mutants, running)
        finally:
            for process in running.values():
                process.terminate()
        show_progress(bar, task, folders, options.mutants, running)


def measure_alone(target: Target, count: int, seed: int, seeds: int, children: int) -> None:
    """`measure` in a process of its own: one that is ended ends the tools it runs."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        measure(target, count, seed, seeds, children)


def show_progress(bar: Progress, task: int, folders, count: int, running) -> None:
    """Bring the bar to where the measurements are."""
    states = [progress_of(folder, count) for folder in folders.values()]
    bar.update(
        task,
        description=", ".join(running) or "done",
        completed=sum(done for done, _ in states),
        total=sum(total for _, total in states),
    )


def progress_bar(console: Console) -> Progress:
    """A bar with the modules at work."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def report(run: Run, console: Console, folder: Path) -> None:
    """Print the scores, the survivors and where the rest is."""
    console.print(score_table(run))
    survivors = [(result, entry) for result in run.results for entry in result.survivors]
    for result, entry in survivors[:SHOWN]:
        console.print(survivor_line(result, entry))
    if len(survivors) > SHOWN:
        console.print(f"and {len(survivors) - SHOWN} more survivors on the page")
    for module, message in run.errors.items():
        console.print(f"[red]{escape(f'{module}: {message}')}[/red]")
    seconds = sum(entry.seconds for result in run.results for entry in result.entries)
    if seconds:
        console.print(f"{run.mutants / seconds:.1f} mutants a second in one simulation")
    colour = "green" if run.good else "red"
    console.print(
        f"[{colour}]{floored(run.score)} %[/{colour}]: {run.killed} of {run.judged} mutants found, "
        f"target {run.target:g} %; {run.mutants - run.judged} more are proven equivalent, "
        f"{run.idle} of them while payloads are valid, {run.keeping} within a contract"
    )
    page = folder / "index.html"
    console.print(f"page: {escape(relative(page))}")


def score_table(run: Run) -> Table:
    """A row for each module."""
    table = Table(box=None, pad_edge=False)
    longest = max((len(result.module) for result in run.results), default=0)
    table.add_column("module", min_width=longest)
    for name in ("places", "mutants", "equivalent", "found", "survived", "score", "a second"):
        table.add_column(name, justify="right")
    for result in run.results:
        table.add_row(
            result.module,
            *(str(n) for n in (result.places, len(result.entries), len(result.equivalents))),
            *(str(n) for n in (result.killed, len(result.survivors))),
            f"{floored(percent(result.killed, result.judged))} %",
            f"{result.rate:.1f}",
        )
    return table


def survivor_line(result: Result, entry: Entry) -> str:
    """Where a survivor is, what was changed and what is known of it, in two lines."""
    return (
        f"[red]{escape(f'{result.file}:{entry.line}: {entry.change}')}[/red]: "
        f"{escape(entry.detail)}\n    {escape(entry.text)}"
    )
