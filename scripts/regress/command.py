# SPDX-License-Identifier: Apache-2.0
"""Command line of the regression."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from model.cli.progress import Progress
from model.cli.terminal import printable
from scripts.console.arguments import OneLineParser, at_least
from scripts.console.ending import INTERRUPTED
from scripts.coverage.command import last_line
from scripts.regress.dashboard import write_dashboard
from scripts.regress.failed import Failed, NoFailedJobs, read_failed
from scripts.regress.merge import merge, state_of
from scripts.regress.results import write_results
from scripts.regress.run import SEED_LIMIT, Run, jobs_of, perform
from scripts.regress.workers import ClusterWorkers, LocalWorkers, Workers, WorkersError
from scripts.runs.collect import ROOT, TESTS, Collected, SelectionError, collect_all, name_of
from scripts.runs.coverage import CoverageError
from scripts.runs.job_summary import add_to_summary
from scripts.runs.jobs import BAD, SKIPPED, STATUSES, Job, Outcome, remove_jobs
from tb.sim.cocotb_run import require_coverage
from tb.sim.paths import relative
from tb.sim.tools import SIMULATORS, Simulator, ToolMissing, find_simulator

FOLDER = Path("build") / "regress"
LIMIT_SECONDS = 1200
SEEDS = 3
DEFAULT = "verilator"


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the regression."""
    parser = OneLineParser("regress", description=__doc__)
    parser.add_argument("--sim", metavar="|".join(SIMULATORS))
    parser.add_argument("--failed", action="store_true", help="only the jobs that failed last")
    parser.add_argument("--seeds", type=at_least(1), help=f"seeds of each test (default {SEEDS})")
    parser.add_argument("--seed", type=at_least(0), help="first seed (default: a new one)")
    parser.add_argument("--test", help="run only what this pytest -k expression selects")
    parser.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--coverage", action="store_true", help="count which code ran, add it up")
    parser.add_argument("--scheduler", help="Dask scheduler, such as tcp://host:8786")
    parser.add_argument("--limit", type=at_least(1), default=LIMIT_SECONDS, help="seconds a job")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="files or folders of the tests")
    parser.add_argument("--folder", default=str(FOLDER), help="where the results go")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all passed or nothing was to be repeated, 1 when something failed.

    It is 2 when nothing could be run, and with --failed when there was no run before.
    """
    options = parse_arguments(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        failed = failed_jobs(options) if options.failed else None
        if failed is not None and not failed.jobs:
            print("regress: nothing failed in the last regression")
            return 0
        options.sim = options.sim or (failed.sim if failed else DEFAULT)
        simulator = find_simulator(options.sim)
        if options.coverage:
            require_coverage(options.sim)
        tests = collect_all(options.test, options.sim, options.tests)
        run, jobs = planned(options, tests, failed)
        workers = workers_of(options)
    except (ToolMissing, SelectionError, WorkersError, NoFailedJobs) as error:
        print(f"regress: {error}", file=sys.stderr)
        return 2
    run.place = workers.name
    return regress(options, simulator, run, jobs, workers)


def failed_jobs(options: argparse.Namespace) -> Failed:
    """What failed last.

    Raises:
        NoFailedJobs: there was no run before, or other seeds are asked for.
    """
    if options.seed is not None or options.seeds is not None:
        raise NoFailedJobs("FAILED=1 repeats the seeds that failed: leave out SEED and SEEDS")
    return read_failed(ROOT / options.folder)


def planned(
    options: argparse.Namespace, tests: Collected, failed: Failed | None
) -> tuple[Run, list[Job]]:
    """The run and its jobs: each test with each seed, or what failed last.

    Raises:
        NoFailedJobs: nothing of what failed last is selected.
    """
    if failed is None:
        first = options.seed
        if first is None:
            first = random.SystemRandom().randrange(SEED_LIMIT)
        nodes, seeds = tests.selected, options.seeds or SEEDS
        run = Run(options.sim, first, seeds, len(nodes), "")
        jobs = jobs_of(
            nodes, first, seeds, options.sim, options.limit, options.folder, options.coverage
        )
        run.nodes, run.left_out = nodes, tests.left_out
    else:
        jobs, gone = failed.jobs_of(tests.selected, options.sim, options.limit, options.folder)
        jobs = [replace(job, coverage=options.coverage) for job in jobs]
        for node in gone if not options.test else ():
            print(f"regress: {node} failed last and is there no more", file=sys.stderr)
        if not jobs:
            which = f"matches TEST={options.test!r}" if options.test else "is there any more"
            raise NoFailedJobs(f"no test that failed last {which}")
        seeds, nodes = {job.seed for job in jobs}, {job.node for job in jobs}
        run = Run(options.sim, min(seeds), len(seeds), len(nodes), "", repeats=jobs)
        run.nodes = sorted(nodes)
        run.not_repeated = [job for job in failed.jobs if job[0] in tests.left_out]
        run.left_out = [node for node in [*tests.selected, *tests.left_out] if node not in nodes]
    run.selection = options.test or ""
    return run, jobs


def workers_of(options: argparse.Namespace) -> Workers:
    """Those of the cluster when there is one, else of this machine."""
    if options.scheduler:
        return ClusterWorkers(options.scheduler)
    return LocalWorkers(options.jobs)


def regress(
    options: argparse.Namespace,
    simulator: Simulator,
    run: Run,
    jobs: list[Job],
    workers: Workers,
) -> int:
    """Run the jobs, write the results, and say what came out."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    folder = ROOT / options.folder
    what = f"SEED={run.first_seed}: {run.tests} tests x {run.seeds} seeds"
    if run.repeats:
        what = f"{len(jobs)} jobs that failed last, with their seeds"
    console.print(f"{escape(simulator.banner)}, {what}, {run.place}")
    remove_jobs(folder)
    state = state_of()
    with progress_bar(console) as progress:
        task = progress.add_task("", total=len(jobs))

        def advance(outcome: Outcome) -> None:
            counts = run.counts
            bad = sum(counts[status] for status in BAD)
            text = f"{counts['passed']} passed, {bad} failed, {counts[SKIPPED]} skipped"
            progress.update(task, advance=1, description=text)
            if outcome.status in BAD:
                console.print(failure_line(outcome))

        interrupt_with_signals(run)
        perform(run, jobs, workers, advance)
    write_results(run, folder)
    faults = add_coverage(run, folder, state) if options.coverage else []
    write_dashboard(run, folder)
    console.print(summary(run, folder))
    for fault in faults:
        console.print(f"regress: {fault}", style="red", markup=False)
    write_summary(run, faults)
    if run.interrupted:
        return INTERRUPTED
    if run.counts[SKIPPED] == run.total:
        print("regress: every test was skipped: nothing passed or failed", file=sys.stderr)
        return 2
    return 1 if run.failures or faults else 0


def add_coverage(run: Run, folder: Path, state: str) -> list[str]:
    """Add up the code coverage with that of earlier runs; what is wrong with it."""
    try:
        merged = merge(run, folder, state)
    except CoverageError as error:
        return [str(error)]
    run.coverage = True
    print(last_line(merged.coverage, merged.page))
    lost = [f"{merged.lost} jobs passed whose code coverage is not here"] if merged.lost else []
    return [*lost, *merged.coverage.faults]


def write_summary(run: Run, faults: list[str]) -> None:
    """The figures of the run for the summary of a job of GitHub's."""
    figures: dict[str, object] = {status: run.counts[status] for status in STATUSES}
    figures |= {
        "not run": run.total - len(run.outcomes),
        "pass rate": f"{100 * run.pass_rate:.2f} %",
    }
    if run.part:
        figures["part"] = run.part
    failures = [f"{outcome.status}: {outcome.job.reproduction}" for outcome in run.failures]
    add_to_summary(f"Regression on {run.sim}, SEED={run.first_seed}", figures, [*failures, *faults])


def interrupt_with_signals(run: Run) -> None:
    """Have Ctrl-C and signals to end mark the run: an exception could lose an outcome at hand."""

    def interrupt(number: int, frame: object) -> None:
        run.interrupted = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as SIGHUP is under nohup
            signal.signal(number, interrupt)


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
    return f"[red]{escape(printable(what))}[/red]\n  {escape(job.reproduction)}"


def summary(run: Run, folder: Path) -> str:
    """The last lines of the output."""
    counts = ", ".join(f"{count} {status}" for status, count in run.counts.items()) or "none"
    missing = run.total - len(run.outcomes)
    rest = f", {missing} not run" if missing else ""
    colour = "red" if run.failures or run.interrupted else "green"
    word = "interrupted: " if run.interrupted else ""
    part = f"\npart of the regression: {escape(run.part)}" if run.part else ""
    return (
        f"[{colour}]{word}{counts}{rest}[/{colour}] in {run.seconds:g} s{part}\n"
        f"dashboard: {escape(relative(folder / 'dashboard.html'))}"
    )
