# SPDX-License-Identifier: Apache-2.0
"""Command line: run one hardware test with a waveform, and prepare what a viewer opens."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import mkdtemp

from scripts.console.arguments import OneLineParser, at_least
from scripts.runs.collect import ROOT, TESTS, SelectionError, check, collect, name_of, selection_of
from scripts.runs.jobs import PASSED, Job, Outcome, run_job
from scripts.waves.files import write_gtkwave, write_surfer, write_vcd
from scripts.waves.signals import groups_of
from tb.sim.cocotb_run import folder_name, read_results
from tb.sim.paths import relative
from tb.sim.tools import SIMULATORS, ToolMissing, find_simulator
from tb.sim.transactions import transactions
from tb.sim.waveform import Waveform

FOLDER = Path("build") / "waves"
LIMIT_SECONDS = 1200
CANDIDATES = 12
MESSAGE_LINES = 4


class WavesError(Exception):
    """There is no one waveform to show; the message is for the user."""


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the waveforms."""
    parser = OneLineParser("waves", description=__doc__)
    parser.add_argument("--sim", default="verilator", metavar="|".join(SIMULATORS))
    parser.add_argument("--test", default="", help="pytest -k expression, or node id, of one test")
    parser.add_argument(
        "--seed", type=at_least(0), help="seed of the stimulus (default: a new one)"
    )
    parser.add_argument("--tests", nargs="+", default=TESTS, help="files or folders of the tests")
    parser.add_argument("--folder", default=str(FOLDER), help="where the waveforms go")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 with a waveform of a passed test, 1 of a failed one, 2 when there is none."""
    options = parse_arguments(arguments)
    try:
        simulator = find_simulator(options.sim)
        node = only_one(options.test, options.sim, options.tests)
        if options.seed is None:
            options.seed = random.SystemRandom().randrange(2**32)
        print(f"{simulator.banner}, SEED={options.seed}: {node}", flush=True)
        with run_folder(ROOT / options.folder) as place:
            outcome = record(node, options, place)
            outcome, folder = prepare(outcome, ROOT / options.folder, place)
    except (ToolMissing, SelectionError, WavesError) as error:
        print(f"waves: {error}", file=sys.stderr)
        return 2
    print(instructions(outcome, folder))
    return 0 if outcome.status == PASSED else 1


def only_one(selection: str, sim: str, tests: list[str]) -> str:
    """The test that a selection matches, if it is one.

    Raises:
        WavesError: it is none or several; the message names the candidates.
    """
    check(selection)
    try:
        nodes = [node for node in collect(selection, sim, tests) if simulates(node)]
    except SelectionError:
        nodes = []
    exact = [node for node in nodes if name_of(node) == selection]
    if len(exact) == 1:
        return exact[0]
    if not nodes:
        every = [node for node in collect(None, sim, tests) if simulates(node)]
        message = f"no test that has a waveform matches TEST={selection!r}; there are:"
        raise WavesError(message + candidates(nearest(selection, every)))
    if len(nodes) > 1:
        what = f"TEST={selection!r} matches" if selection else "say TEST=... to choose one of"
        raise WavesError(f"{what} {len(nodes)} tests:{candidates(nodes)}")
    return nodes[0]


def simulates(node: str) -> bool:
    """Whether the file of a test runs cocotb simulations: others leave no waveform."""
    return "run_cocotb(" in (ROOT / node.split("::")[0]).read_text(encoding="utf-8")


def nearest(selection: str, nodes: list[str]) -> list[str]:
    """Tests by how much their names look like a selection."""

    def likeness(node: str) -> float:
        return SequenceMatcher(None, selection, name_of(node)).ratio()

    return sorted(nodes, key=likeness, reverse=True)


def candidates(nodes: list[str]) -> str:
    """Selections of some tests, and how many more there are."""
    selections = list(dict.fromkeys(selection_of(node, nodes) for node in nodes))
    shown = "".join(f"\n  TEST='{selection}'" for selection in selections[:CANDIDATES])
    more = len(selections) - CANDIDATES
    return shown + (f"\n  and {more} more" if more > 0 else "")


@contextmanager
def run_folder(parent: Path) -> Iterator[Path]:
    """A folder for one run, gone afterwards: two at a time do not meet."""
    parent.mkdir(parents=True, exist_ok=True)
    place = Path(mkdtemp(dir=parent, prefix=".run-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def record(node: str, options: argparse.Namespace, place: Path) -> Outcome:
    """Run the test with a waveform."""
    job = Job(
        node, options.seed, options.sim, selection_of(node), LIMIT_SECONDS, str(place), waves=True
    )
    return run_job(job)


def prepare(outcome: Outcome, parent: Path, place: Path) -> tuple[Outcome, Path]:
    """Make the folder of the test, with its waveform and what a viewer opens.

    Args:
        outcome: of the test.
        parent: where the folder lies.
        place: where the test ran and the folder is filled.

    Returns:
        The outcome with the paths of what is in the folder, and the folder.

    Raises:
        WavesError: the test left no waveform, or none that can be read.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / folder_name(name_of(outcome.job.node))
    ready = place / "ready"
    ready.mkdir()
    shutil.move(ROOT / outcome.log / "pytest.log", ready / "pytest.log")
    # What fails ends the test: of several simulations the last one is of interest.
    dumps = sorted(
        (ROOT / outcome.log).glob("runs/*/waves.fst"), key=lambda path: path.stat().st_mtime
    )
    run = dumps[-1].parent if dumps else ROOT / outcome.log
    for name in ("waves.fst", "sim.log", "results.xml"):
        if (run / name).is_file():
            shutil.move(run / name, ready / name)
    outcome = replace(outcome, message=outcome.message.replace(relative(run), relative(folder)))
    waveform = readable(ready / "waves.fst")
    if waveform is not None:
        write_views(outcome, ready, waveform)
    shutil.rmtree(folder, ignore_errors=True)
    ready.rename(folder)
    if waveform is None:
        reason = outcome.message.split("\n")[0] or "it runs no simulation"
        reason = "the simulation did not end by itself, the file is incomplete" if dumps else reason
        what = f"{name_of(outcome.job.node)} {outcome.status} without a waveform"
        raise WavesError(f"{what}: {reason} (log {relative(folder / 'pytest.log')})")
    return outcome, folder


def readable(dump: Path) -> Waveform | None:
    """A waveform file, if it is there and complete."""
    try:
        return Waveform(dump) if dump.is_file() else None
    except (RuntimeError, IndexError):  # what pywellen raises; there is no signal in it
        return None


def write_views(outcome: Outcome, folder: Path, waveform: Waveform) -> None:
    """Write what viewers open beside the waveform in `folder`."""
    dump = waveform.path
    marker = failure_time(outcome, waveform, folder / "results.xml")
    groups = groups_of(waveform)
    write_gtkwave(folder / "waves.gtkw", dump, waveform, groups, texts=False, marker=marker)
    write_surfer(folder / "waves.sucl", waveform, groups, texts=False, marker=marker)
    notes = transactions(waveform, groups)
    texts = folder / "transactions.vcd"
    write_vcd(texts, waveform, groups, notes)
    write_gtkwave(folder / "transactions.gtkw", texts, waveform, groups, texts=True, marker=marker)
    write_surfer(folder / "transactions.sucl", waveform, groups, texts=True, marker=marker)


def failure_time(outcome: Outcome, waveform: Waveform, results: Path) -> int | None:
    """When the first cocotb test that failed did so, or when the simulation died.

    Returns:
        A time in units of the waveform; None when no simulation failed.
    """
    if outcome.status == PASSED:
        return None
    found = read_results(results)
    if not found:
        return waveform.end
    ends = [one.ended_ns for one in found if not one.passed and one.ended_ns is not None]
    return waveform.time_of(ends[0]) if ends else None


def instructions(outcome: Outcome, folder: Path) -> str:
    """How the test ended, and the commands that open its waveform."""
    place = relative(folder)
    lines = [f"{outcome.status} in {outcome.seconds:g} s"]
    if outcome.status != PASSED:
        lines += [f"  {line}" for line in outcome.message.splitlines()[:MESSAGE_LINES]]
    lines += [
        f"log: {place}/{name}" for name in ("sim.log", "pytest.log") if (folder / name).is_file()
    ]
    for title, stem, suffix in (
        ("transactions as text beside the signals", "transactions", "vcd"),
        ("every signal", "waves", "fst"),
    ):
        lines += [
            f"{title}:",
            f"  gtkwave {place}/{stem}.{suffix} {place}/{stem}.gtkw",
            f"  surfer {place}/{stem}.{suffix} --command-file {place}/{stem}.sucl",
        ]
    return "\n".join(lines)
