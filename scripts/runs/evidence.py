# SPDX-License-Identifier: Apache-2.0
"""Which tests ran and how they ended, from what the last runs in this tree have left.

`make test` leaves build/test/<simulator>/junit.xml with the tests of pytest, and each simulation
results.xml with its cocotb and UVM tests in a folder named after its pytest test; `make regress`
leaves build/regress/results.json and the same folders under build/regress/jobs/.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tb.sim.cocotb_run import folder_name, read_results
from tb.sim.paths import ROOT, relative
from tb.sim.sets import bench_files

BUILD = ROOT / "build"


class EvidenceError(ValueError):
    """Results that cannot be read; the message is one line."""


def cited(test: str) -> str:
    """A test that a plan cites, by its file: `module::test` is one of that module's bench."""
    module, separator, name = test.partition("::")
    path = bench_files().get(module)
    return f"{relative(path)}{separator}{name}" if separator and path else test


def nodes_of(test: str, collected: list[str]) -> list[str]:
    """The tests of pytest that a planned one stands for.

    Args:
        test: `file::test`, for all its parameters; `file::test[part]`, for those that are this, or
            begin with this and a dash.
        collected: the tests that pytest has, with parameters.
    """
    beginning = f"{test.removesuffix(']')}-" if test.endswith("]") else f"{test}["
    return [node for node in collected if node == test or node.startswith(beginning)]


@dataclass
class Evidence:
    """Tests by `file::test`, with parameters in brackets where pytest knows them."""

    passed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)  # with the file that says so
    skipped: set[str] = field(default_factory=set)

    def add(self, test: str, status: str, source: Path) -> None:
        """Count one run of a test; `status` is passed, skipped, or any other for a failure."""
        if status == "passed":
            self.passed.add(test)
        elif status == "skipped":
            self.skipped.add(test)
        else:
            self.failed.setdefault(test, relative(source))

    def add_simulation(self, results: Path, status: str) -> None:
        """Count the tests of a simulation, whose pytest test ended with `status`.

        Results that disagree with their pytest test are of an earlier run, or of a part of it.
        """
        found = read_results(results)
        is_bad = any(not result.passed for result in found)
        if status == ("failed" if is_bad else "passed"):
            for result in found:
                state = "skipped" if result.skipped else "passed" if result.passed else "failed"
                self.add(f"{_file(result.module)}::{result.name}", state, results)

    def missing(self, test: str, collected: list[str]) -> str | None:
        """What a planned test lacks, in a few words; None when all of it ran and passed.

        Args:
            test: `file::test`; see nodes_of.
            collected: the tests that pytest has, with parameters.
        """
        nodes = nodes_of(test, collected) or [test]
        if failed := [node for node in nodes if node in self.failed]:
            return f"{failed[0]} failed: {self.failed[failed[0]]}"
        if not self.passed.intersection(nodes):
            return f"{test} did not run" if test not in self.skipped else f"{test} was skipped"
        if rest := [node for node in nodes if node not in self.passed | self.skipped]:
            more = f" and {len(rest) - 1} more" if len(rest) > 1 else ""
            return f"{rest[0]}{more} did not run"
        return None


def read_evidence(build: Path = BUILD) -> Evidence:
    """What the last `make test` on each simulator and the last `make regress` have left.

    Raises:
        EvidenceError: a file of results cannot be read.
    """
    evidence = Evidence()
    for junit in sorted(build.glob("test/*/junit.xml")):
        _reading(junit, _add_tests, evidence)
    for results in build.glob("regress/results.json"):
        _reading(results, _add_regression, evidence)
    return evidence


def _reading(path: Path, add, evidence: Evidence) -> None:
    try:
        add(path, evidence)
    except (ElementTree.ParseError, ValueError, KeyError, TypeError, OSError) as error:
        raise EvidenceError(f"{relative(path)} is no result of tests: {error}") from None


def _add_tests(junit: Path, evidence: Evidence) -> None:
    for case in ElementTree.parse(junit).iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped") is not None
        status = "failed" if bad else "skipped" if skipped else "passed"
        name = case.get("name", "")
        module = case.get("classname", "")
        evidence.add(f"{_file(module)}::{name}", status, junit)
        if module.startswith("tb."):
            evidence.add_simulation(junit.parent / folder_name(name) / "results.xml", status)


def _add_regression(path: Path, evidence: Evidence) -> None:
    for entry in json.loads(path.read_text(encoding="utf-8"))["results"]:
        evidence.add(entry["test"], entry["status"], path)
        for results in sorted((ROOT / entry["log"]).glob("runs/*/results.xml")):
            evidence.add_simulation(results, entry["status"])


def _file(module: str) -> str:
    return module.replace(".", "/") + ".py"
