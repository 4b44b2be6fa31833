# SPDX-License-Identifier: Apache-2.0
"""What a regression leaves in its folder: results.json, junit.xml and a line of history."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

from scripts.console.shown import printable
from scripts.regress.run import Run
from scripts.regress.signature import signature
from scripts.runs.collect import module_of, name_of
from scripts.runs.jobs import FAILED, LOST, SKIPPED, STATUSES, TIMED_OUT, Outcome

RESULTS = "results.json"
HISTORY = "history.jsonl"
COMMAND = re.compile(r"\s*repeat with:? ")


def write_results(run: Run, folder: Path) -> None:
    """Write results.json and junit.xml, and append the run to the history."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS).write_text(json.dumps(_document(run), indent=1) + "\n", encoding="utf-8")
    ElementTree.ElementTree(_junit(run)).write(
        folder / "junit.xml", encoding="utf-8", xml_declaration=True
    )
    with (folder / HISTORY).open("a", encoding="utf-8") as history:
        history.write(json.dumps(_head(run)) + "\n")


def read_history(folder: Path) -> list[dict]:
    """The runs that were written into a folder, oldest first, without lines that are cut short."""
    path = folder / HISTORY
    lines = (
        path.read_text(errors="replace", encoding="utf-8").splitlines() if path.is_file() else []
    )
    return [entry for entry in map(_entry, lines) if entry]


def _entry(line: str) -> dict | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "counts" in entry else None


def _head(run: Run) -> dict[str, object]:
    return {
        "started": run.started,
        "commit": run.commit,
        "sim": run.sim,
        "place": run.place,
        "first_seed": run.first_seed,
        "seeds": run.seeds,
        "tests": run.tests,
        "jobs": run.total,
        "seconds": run.seconds,
        "interrupted": run.interrupted,
        "part": run.part,
        "pass_rate": round(run.pass_rate, 6),
        "counts": {status: run.counts[status] for status in STATUSES},
    }


def _document(run: Run) -> dict[str, object]:
    not_run = [{"test": test, "seed": seed} for test, seed in run.not_run]
    results = [_result(outcome) for outcome in ordered(run.outcomes)]
    return {**_head(run), "selection": run.selection, "results": results, "not_run": not_run}


def ordered(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes by test and seed, whatever order they came in."""
    return sorted(outcomes, key=lambda outcome: (outcome.job.node, outcome.job.seed))


def _result(outcome: Outcome) -> dict[str, object]:
    job = outcome.job
    found = {key: value for key, value in asdict(outcome).items() if key != "job"}
    found |= {"test": job.node, "seed": job.seed, "reproduce": job.reproduction}
    if outcome.status in (FAILED, TIMED_OUT, LOST):
        found["signature"] = signature(outcome.message)
    return found


def _junit(run: Run) -> ElementTree.Element:
    counts = run.counts
    facts = {
        "name": f"regress-{run.sim}",
        "timestamp": run.started,
        "time": str(run.seconds),
        "tests": str(len(run.outcomes)),
        "failures": str(counts[FAILED]),
        "errors": str(counts[TIMED_OUT] + counts[LOST]),
        "skipped": str(counts[SKIPPED]),
    }
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", facts)
    for outcome in ordered(run.outcomes):
        _junit_case(suite, outcome)
    return suites


def _junit_case(suite: ElementTree.Element, outcome: Outcome) -> None:
    job = outcome.job
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=module_of(job.node),
        name=f"{name_of(job.node)} seed {job.seed}",
        time=str(outcome.seconds),
    )
    message = printable(outcome.message)
    if outcome.status == SKIPPED:
        ElementTree.SubElement(case, "skipped", message=message)
    elif outcome.status == FAILED:
        problem = ElementTree.SubElement(case, "failure", message=signature(message))
        problem.text = _story(message, outcome)
    elif outcome.status in (TIMED_OUT, LOST):
        problem = ElementTree.SubElement(case, "error", type=outcome.status, message=message)
        problem.text = _story(message, outcome)


def _story(message: str, outcome: Outcome) -> str:
    waves = [f"waveform: {outcome.waves}"] if outcome.waves else []
    story = without_command(message)
    return "\n".join([story, f"repeat with: {outcome.job.reproduction}", *waves])


def without_command(message: str) -> str:
    """The message of a failure without the command that repeats it, which stands beside it."""
    return "\n".join(line for line in message.splitlines() if not COMMAND.match(line))
