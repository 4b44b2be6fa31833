# SPDX-License-Identifier: Apache-2.0
"""What a run leaves in its folder: mutate.json and junit.xml."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

from scripts.console.shown import floored, printable
from scripts.mutate.equivalence import IDLE, KEEPING
from scripts.mutate.measure import Result


@dataclass(frozen=True)
class Run:
    """All modules of a run."""

    results: Sequence[Result]
    errors: Mapping[str, str]  # module: why it could not be measured
    target: float  # percent
    count: int
    seed: int
    seeds: int
    seconds: float

    @property
    def mutants(self) -> int:
        """All that were drawn."""
        return sum(len(result.entries) for result in self.results)

    @property
    def killed(self) -> int:
        """Those that a test found."""
        return sum(result.killed for result in self.results)

    @property
    def judged(self) -> int:
        """Those that are not proven to be the same."""
        return sum(result.judged for result in self.results)

    @property
    def idle(self) -> int:
        """Those that are the same but for the payload of a stream whose valid is low."""
        return self._count(IDLE)

    @property
    def keeping(self) -> int:
        """Those that are the same as long as the inputs keep to the module's contract."""
        return self._count(KEEPING)

    def _count(self, status: str) -> int:
        return sum(entry.status == status for result in self.results for entry in result.entries)

    @property
    def score(self) -> float:
        """Percent of the judged mutants that a test found."""
        return percent(self.killed, self.judged)

    @property
    def good(self) -> bool:
        """Whether the target is reached and every module was measured."""
        return not self.errors and self.judged > 0 and self.score >= self.target


def percent(part: int, whole: int) -> float:
    """`part` of `whole` in percent; 100 of nothing."""
    return 100 * part / whole if whole else 100.0


def write_results(run: Run, folder: Path) -> None:
    """Write mutate.json and junit.xml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mutate.json").write_text(
        json.dumps(_document(run), indent=1) + "\n", encoding="utf-8"
    )
    ElementTree.ElementTree(_junit(run)).write(
        folder / "junit.xml", encoding="utf-8", xml_declaration=True
    )


def _document(run: Run) -> dict[str, object]:
    return {
        "score": float(floored(run.score)),
        "target": run.target,
        "mutants": run.mutants,
        "killed": run.killed,
        "equivalent": run.mutants - run.judged,
        "equivalent_while_valid": run.idle,
        "equivalent_within_contract": run.keeping,
        "per_module": run.count,
        "seed": run.seed,
        "seeds": run.seeds,
        "seconds": run.seconds,
        "errors": dict(run.errors),
        "modules": [_module(result) for result in run.results],
    }


def _module(result: Result) -> dict[str, object]:
    facts = asdict(result)
    entries = facts.pop("entries")
    return {
        **facts,
        "score": float(floored(percent(result.killed, result.judged))),
        "killed": result.killed,
        "equivalent": len(result.equivalents),
        "survivors": len(result.survivors),
        "mutants": list(entries),
    }


def _junit(run: Run) -> ElementTree.Element:
    failures = int(run.score < run.target)
    facts = {
        "name": "mutate",
        "tests": str(len(run.results) + len(run.errors) + 1),
        "failures": str(failures),
        "errors": str(len(run.errors)),
        "skipped": "0",
        "time": str(run.seconds),
    }
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", facts)
    for result in run.results:
        case = _case(suite, result.module, result.simulation_seconds)
        ElementTree.SubElement(case, "system-out").text = _story(result)
    for module, message in run.errors.items():
        error = ElementTree.SubElement(_case(suite, module, 0), "error", message=printable(message))
        error.text = printable(message)
    whole = _case(suite, f"at least {run.target:g} % of all mutants found", run.seconds)
    if failures:
        message = f"{run.killed} of {run.judged} mutants found, {floored(run.score)} %"
        ElementTree.SubElement(whole, "failure", message=message)
    return suites


def _case(suite: ElementTree.Element, name: str, seconds: float) -> ElementTree.Element:
    facts = {"classname": "mutate", "name": name, "time": str(seconds)}
    return ElementTree.SubElement(suite, "testcase", facts)


def _story(result: Result) -> str:
    lines = [f"{result.killed} of {result.judged} mutants found by {result.test_module}"]
    lines += [
        f"{result.file}:{entry.line}: {entry.text}: {entry.change} ({entry.detail})"
        for entry in result.survivors
    ]
    return printable("\n".join(lines))
