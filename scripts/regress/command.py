"""Command line of the regression."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from model.cli.progress import Progress
from scripts.arguments import OneLineParser, at_least
from scripts.regress.collect import ROOT, TESTS, SelectionError, collect, name_of
from scripts.regress.dashboard import write_dashboard
from scripts.regress.jobs import BAD, SKIPPED, Outcome, remove_jobs
from scripts.regress.results import write_results
from scripts.regress.run import SEED_LIMIT, Run, jobs_of, perform
from scripts.regress.workers import ClusterWorkers, LocalWorkers, Workers, WorkersError
from scripts.shown import relative
from scripts.simulators import SIMULATORS, Simulator, ToolMissing, find_simulator

FOLDER = Path("build") / "regress"
LIMIT_SECONDS = 1200
INTERRUPTED = 130


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the regression."""
    parser = OneLineParser("regress", description=__doc__)
    parser.add_argument("--sim", default="verilator", metavar="|".join(SIMULATORS))
    parser.add_argument("--seeds", type=at_least(1), default=3, help="seeds of each test")
    parser.add_argument("--seed", type=at_least(0), help="first seed (default: a new one)")
    parser.add_argument("--test", help="run only what this pytest -k expression selects")
    parser.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--scheduler", help="Dask scheduler, such as tcp://host:8786")
    parser.add_argument("--limit", type=at_least(1), default=LIMIT_SECONDS, help="seconds a job")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="files or folders of the tests")
    parser.add_argument("--folder", default=str(FOLDER), help="where the results go")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all passed, 1 when something failed, 2 when nothing could be run."""
    options = parse_arguments(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        simulator = find_simulator(options.sim)
        nodes = collect(options.test, options.sim, options.tests)
        workers = workers_of(options)
    except (ToolMissing, SelectionError, WorkersError) as error:
        print(f"regress: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("regress: interrupted", file=sys.stderr)
        return INTERRUPTED
    return regress(options, simulator, nodes, workers)


def workers_of(options: argparse.Namespace) -> Workers:
    """Those of the cluster when there is one, else of this machine."""
    if options.scheduler:
        return ClusterWorkers(options.scheduler)
    return LocalWorkers(options.jobs)


def regress(
    options: argparse.Namespace, simulator: Simulator, nodes: list[str], workers: Workers
) -> int:
    """Run the jobs, write the results, and say what came out."""
    console = Console(highlight=False, soft_wrap=True)
    folder = ROOT / options.folder
    first = options.seed
    if first is None:
        first = random.SystemRandom().randrange(SEED_LIMIT)
    run = Run(options.sim, first, options.seeds, len(nodes), workers.name)
    console.print(
        f"{escape(simulator.banner)}, SEED={first}: {run.tests} tests x {run.seeds} seeds, "
        f"{run.place}"
    )
    remove_jobs(folder)
    jobs = jobs_of(nodes, first, options.seeds, options.sim, options.limit, options.folder)
    with progress_bar(console) as progress:
        task = progress.add_task("", total=len(jobs))

        def advance(outcome: Outcome) -> None:
            counts = run.counts
            bad = sum(counts[status] for status in BAD)
            text = f"{counts['passed']} passed, {bad} failed, {counts[SKIPPED]} skipped"
            progress.update(task, advance=1, description=text)
            if outcome.status in BAD:
                console.print(failure_line(outcome))

        perform(run, jobs, workers, advance)
    write_results(run, folder)
    write_dashboard(run, folder)
    console.print(summary(run, folder))
    if run.interrupted:
        return INTERRUPTED
    if run.counts[SKIPPED] == run.total:
        print("regress: every test was skipped: nothing passed or failed", file=sys.stderr)
        return 2
    return 1 if run.failures else 0


def progress_bar(console: Console) -> Progress:
    """A bar with the counts so far."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def failure_line(outcome: Outcome) -> str:
    """What a failure is and how it is repeated, in two lines."""
    job = outcome.job
    message = outcome.message.split("\n", 1)[0][:200]
    what = f"{outcome.status}: {name_of(job.node)} seed {job.seed}: {message}"
    return f"[red]{escape(what)}[/red]\n  {escape(job.reproduction)}"


def summary(run: Run, folder: Path) -> str:
    """The last lines of the output."""
    counts = ", ".join(f"{count} {status}" for status, count in run.counts.items()) or "none"
    missing = run.total - len(run.outcomes)
    rest = f", {missing} not run" if missing else ""
    colour = "red" if run.failures or run.interrupted else "green"
    word = "interrupted: " if run.interrupted else ""
    return (
        f"[{colour}]{word}{counts}{rest}[/{colour}] in {run.seconds:g} s\n"
        f"dashboard: {escape(relative(folder / 'dashboard.html'))}"
    )
