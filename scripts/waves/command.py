"""Command line: run one hardware test with a waveform, and prepare what a viewer opens."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from difflib import SequenceMatcher
from pathlib import Path

from scripts.arguments import OneLineParser, at_least
from scripts.regress.collect import (
    ROOT,
    TESTS,
    SelectionError,
    check,
    collect,
    name_of,
    selection_of,
)
from scripts.regress.jobs import FAILED, PASSED, Job, Outcome, run_job
from scripts.shown import relative
from scripts.simulators import SIMULATORS, ToolMissing, find_simulator
from scripts.simulators.cocotb_run import folder_name
from scripts.waves.files import write_gtkwave, write_surfer, write_vcd
from scripts.waves.signals import Waveform, groups_of
from scripts.waves.transactions import transactions

FOLDER = Path("build") / "waves"
LIMIT_SECONDS = 1200
CANDIDATES = 12


class WavesError(Exception):
    """There is no one waveform to show; the message is for the user."""


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the waveforms."""
    parser = OneLineParser("waves", description=__doc__)
    parser.add_argument("--sim", default="verilator", metavar="|".join(SIMULATORS))
    parser.add_argument("--test", default="", help="pytest -k expression that selects one test")
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
        outcome = record(node, options)
        folder = prepare(outcome, ROOT / options.folder)
    except (ToolMissing, SelectionError, WavesError) as error:
        print(f"waves: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(instructions(outcome, folder))
    return 0 if outcome.status == PASSED else 1


def only_one(selection: str, sim: str, tests: list[str]) -> str:
    """The test that a selection matches, if it is one.

    Raises:
        WavesError: it is none or several; the message names the candidates.
    """
    check(selection)
    every = [node for node in collect(None, sim, tests) if simulates(node)]
    try:
        nodes = [node for node in collect(selection, sim, tests) if node in every]
    except SelectionError:
        nodes = []
    exact = [node for node in nodes if name_of(node) == selection]
    if len(exact) == 1:
        return exact[0]
    if not nodes:
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


def record(node: str, options: argparse.Namespace) -> Outcome:
    """Run the test with a waveform."""
    job = Job(
        node,
        options.seed,
        options.sim,
        selection_of(node),
        LIMIT_SECONDS,
        str(Path(options.folder) / ".run"),
        waves=True,
    )
    shutil.rmtree(ROOT / job.folder, ignore_errors=True)
    return run_job(job)


def prepare(outcome: Outcome, parent: Path) -> Path:
    """Move the waveform to its folder, write what a viewer opens, and return the folder.

    Raises:
        WavesError: the test left no waveform.
    """
    if not outcome.waves:
        raise WavesError(
            f"{name_of(outcome.job.node)} {outcome.status} without a waveform: "
            f"{outcome.message.split(chr(10))[0] or 'it runs no simulation'}"
        )
    name = folder_name(name_of(outcome.job.node))
    folder = parent / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    dump = folder / "waves.fst"
    shutil.move(ROOT / outcome.waves, dump)
    for log in (ROOT / outcome.waves).parent.glob("sim.log"):
        shutil.move(log, folder / log.name)
    shutil.rmtree(parent / ".run")
    waveform = Waveform(dump)
    groups = groups_of(waveform)
    write_gtkwave(folder / "waves.gtkw", dump, waveform, groups, texts=False)
    write_surfer(folder / "waves.sucl", waveform, groups, texts=False)
    notes = transactions(waveform, groups)
    texts = folder / "transactions.vcd"
    write_vcd(texts, waveform, groups, notes)
    write_gtkwave(folder / "transactions.gtkw", texts, waveform, groups, texts=True)
    write_surfer(folder / "transactions.sucl", waveform, groups, texts=True)
    return folder


def instructions(outcome: Outcome, folder: Path) -> str:
    """How the test ended, and the commands that open its waveform."""
    place = relative(folder)
    lines = [f"{outcome.status} in {outcome.seconds:g} s"]
    if outcome.status == FAILED:
        lines += [f"  {line}" for line in outcome.message.splitlines()[:4]]
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
