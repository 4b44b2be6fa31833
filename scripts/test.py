# SPDX-License-Identifier: Apache-2.0
"""Run the tests: models, scripts and, on the chosen simulator, the hardware.

The seed of the random stimulus is drawn here once, so that one number reproduces a whole run.
Results go to build/test/<simulator>/junit.xml; the last line printed is pytest's.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from scripts.console.arguments import OneLineParser, at_least
from scripts.console.ending import INTERRUPTED
from scripts.coverage.code import RUNS, coverage_files, test_of
from scripts.runs.collect import (
    NOTHING_COLLECTED,
    USAGE_ERROR,
    NothingSelected,
    SelectionError,
    arguments_of,
    check,
    collect,
    is_node,
)
from scripts.runs.coverage import note_without_code
from scripts.runs.job_summary import JOB_SUMMARY, add_to_summary
from scripts.runs.last_run import (
    FAILED,
    PASSED,
    SEED_OF_RUN,
    SKIPPED,
    LastRun,
    NoLastRun,
    keep_failed,
    read_last_run,
    results_of,
)
from tb.sim import breakpoints
from tb.sim.cocotb_run import require_coverage
from tb.sim.paths import ROOT, variable_of_test
from tb.sim.tools import SIMULATORS, ToolMissing, find_simulator

TESTS = ("tb", "model", "scripts")
DEFAULT = "verilator"
CANDIDATES = 12
SECONDS_TO_END, POLL_SECONDS = 8.0, 0.3


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the test run."""
    parser = OneLineParser("test", description=__doc__)
    parser.add_argument("--sim", metavar="|".join(SIMULATORS))
    parser.add_argument(
        "--last-failed", action="store_true", help="only what failed last, with its seed"
    )
    parser.add_argument("--test", type=selection, help="run only what this expression selects")
    parser.add_argument("--seed", type=at_least(0), help="seed of the random stimulus")
    parser.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--maxfail", type=at_least(1), help="end after so many failures")
    parser.add_argument("--waves", action="store_true", help="record FST waveforms")
    parser.add_argument("--coverage", action="store_true", help="count which code ran")
    parser.add_argument(
        "--debug", action="store_true", help="run one test at the terminal, for breakpoint()"
    )
    parser.add_argument("--tests", nargs="+", default=[], help="files or folders of the tests")
    return parser.parse_args(arguments)


def selection(text: str) -> str:
    """What TEST may be; checked here because pytest-xdist reports a bad expression badly."""
    try:
        check(text)
    except SelectionError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("TEST=")) from None
    return text


def is_known(selection: str) -> bool:
    """Whether each word of a -k expression stands in some source that tests are named after."""
    words = set(re.findall(r"\w+", selection.lower())) - {"and", "or", "not"}
    for folder in (*TESTS, "rtl"):
        for path in (ROOT / folder).rglob("*"):
            if not words:
                return True
            if path.suffix in (".py", ".v"):
                text = f"{path.relative_to(ROOT)}\n{path.read_text(encoding='utf-8')}".lower()
                words -= {word for word in words if word in text}
    return not words


def check_selection(selection: str, sim: str, tests: Sequence[str] = TESTS) -> None:
    """Raise NothingSelected when no test matches.

    The answer of pytest takes seconds, and longer with several processes, so that it is asked only
    about a word that looks misspelt. What else it has to say is said again when the tests run.
    """
    if is_node(selection) or not is_known(selection):
        try:
            collect(selection, sim, tests)
        except NothingSelected:
            raise
        except SelectionError:
            return


def pytest_command(options: argparse.Namespace, seed: int) -> list[str]:
    """The pytest call that runs what `options` ask for."""
    junit = results_of(options.sim) / "junit.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "scripts.runs.session",
        "-p",
        "scripts.runs.last_run",
    ]
    command += [f"--junitxml={junit}"]
    command += [f"--hypothesis-seed={seed}"]
    if options.maxfail:
        command += ["--maxfail", str(options.maxfail)]
    if options.debug:
        return [*command, "--capture=no", *arguments_of(options.test, options.tests)]
    if options.jobs > 1:  # who is done takes over: tests differ in length a hundredfold
        command += ["--numprocesses", str(options.jobs), "--dist", "worksteal"]
    return [*command, *arguments_of(options.test, options.tests)]


def test_environment(options: argparse.Namespace, seed: int) -> dict[str, str]:
    """Environment that tells the hardware tests what they were asked for."""
    environment = dict(os.environ)
    environment.update(SIM=options.sim, SEED=str(seed), WAVES=str(int(options.waves)))
    environment["COVERAGE"] = str(int(options.coverage))
    environment["DEBUG"] = str(int(options.debug))
    environment["PYTHONPATH"] = str(ROOT)
    environment[SEED_OF_RUN] = str(seed)
    environment.pop(JOB_SUMMARY, None)  # what the tests run has no part in it
    if not options.debug:
        environment["PYTHONBREAKPOINT"] = breakpoints.REFUSE
    return environment


def repeat_failed(options: argparse.Namespace) -> bool:
    """Have only what failed last run again, with the seed of that run; whether anything failed.

    Raises:
        NoLastRun: nothing ran before, or nothing of what failed is there any more.
        SelectionError: a test file cannot be read.
    """
    last = read_last_run(options.sim)
    options.sim = last.sim
    if not last.failed:
        print(f"test: nothing failed in the last run on {last.sim}")
        return False
    if options.seed is None:
        options.seed = last.seed
    there = still_there(last)
    options.tests = [node for node in last.failed if node in there]
    if gone := [node for node in last.failed if node not in there]:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        print(f"test: {gone[0]}{more} failed last and is there no more", file=sys.stderr)
    if not options.tests:
        raise NoLastRun("nothing of what failed last is there any more: run make test")
    return True


def still_there(last: LastRun) -> set[str]:
    """What failed last and can be asked of pytest again, tests and files that it could not read."""
    failed = [node for node in last.failed if (ROOT / node.partition("::")[0]).exists()]
    files = sorted({node.partition("::")[0] for node in failed})
    try:
        return {*(node for node in failed if "::" not in node), *collect(None, last.sim, files)}
    except SelectionError:  # is told again, by the run
        return set(failed)


def add_figures(sim: str, seed: int) -> None:
    """What the run came to, for the summary of a job of GitHub's."""
    with suppress(NoLastRun):
        run = read_last_run(sim)
        figures = {status: run.count(status) for status in (PASSED, FAILED, SKIPPED)}
        add_to_summary(f"Tests on {sim}, SEED={seed}", figures, run.failed)


def note_what_counts(sim: str) -> None:
    """Keep in mind which hardware tests count no code: for the others coverage is partial."""
    with suppress(NoLastRun):
        ended = read_last_run(sim).ended
        ran = [test for test, how in ended.items() if test.startswith("tb/") and how != FAILED]
        note_without_code(RUNS, ran, {test_of(path) for path in coverage_files()})


def check_only_one(selection: str | None, sim: str, tests: Sequence[str] = TESTS) -> None:
    """Raise SelectionError unless just one test is selected."""
    nodes = collect(selection, sim, tests)
    if len(nodes) > 1:
        shown = ", ".join(map(variable_of_test, nodes[:CANDIDATES]))
        more = f" and {len(nodes) - CANDIDATES} more" if len(nodes) > CANDIDATES else ""
        what = f"TEST={selection!r} selects" if selection else "without TEST there are"
        raise SelectionError(f"DEBUG=1 runs one test, {what} {len(nodes)}: {shown}{more}")


def run_pytest(command: list[str], environment: dict[str, str]) -> int:
    """The exit code of pytest, which an interrupt lets come to its summary.

    It has a session of its own, so that Ctrl-C reaches neither the processes that it runs tests
    in nor the simulators: they would report failures that are none.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGINT}
    )  # inherited: see scripts/runs/session.py
    try:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return process.wait()
    except KeyboardInterrupt:
        interrupt(process)
        return INTERRUPTED


def debug_pytest(command: list[str], environment: dict[str, str]) -> int:
    """The exit code of pytest with the terminal; an interrupt reaches all that runs."""
    with terminal_kept():
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        while True:
            with suppress(KeyboardInterrupt):
                return process.wait()


@contextmanager
def terminal_kept() -> Iterator[None]:
    """Set the terminal back afterwards: a debugger that is ended at its prompt leaves no echo."""
    terminal = sys.__stdin__.fileno()
    if not os.isatty(terminal):
        yield
        return
    settings = termios.tcgetattr(terminal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # stops a run in the background
        termios.tcsetattr(terminal, termios.TCSADRAIN, settings)


def interrupt(process: subprocess.Popen) -> None:
    """Have pytest end, without waiting for the tests that run."""
    with suppress(psutil.NoSuchProcess, KeyboardInterrupt):
        pytest = psutil.Process(process.pid)
        started = pytest.children(recursive=True)
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + SECONDS_TO_END
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(POLL_SECONDS)  # first of all pytest, so that it takes no end for a failure
            started += pytest.children(recursive=True)
            kill(started)
    process.kill()
    kill(started)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill those that have not ended."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when every test passed, 1 when one failed, 2 when the run could not start."""
    options = parse_arguments(arguments)
    try:
        if options.last_failed and not repeat_failed(options):
            return 0
        options.sim = options.sim or DEFAULT
        simulator = find_simulator(options.sim)
        if options.coverage:
            require_coverage(options.sim)
        if options.debug:
            check_only_one(options.test, options.sim, options.tests or TESTS)
        elif options.test:
            check_selection(options.test, options.sim, options.tests or TESTS)
    except (ToolMissing, SelectionError, NoLastRun) as error:
        print(f"test: {error}", file=sys.stderr)
        return 2
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"{simulator.banner}, SEED={seed}", flush=True)
    start = debug_pytest if options.debug else run_pytest
    code = start(pytest_command(options, seed), test_environment(options, seed))
    if options.coverage:
        note_what_counts(options.sim)
    add_figures(options.sim, seed)
    if options.last_failed:
        keep_failed(options.sim, options.tests)
    if code == NOTHING_COLLECTED and options.test:
        print(f"test: no test matches TEST={options.test!r}", file=sys.stderr)
    return 2 if code in (NOTHING_COLLECTED, USAGE_ERROR) else code


if __name__ == "__main__":
    sys.exit(main())
