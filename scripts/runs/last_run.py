# SPDX-License-Identifier: Apache-2.0
"""What the last `make test` on each simulator came to: its seed, and how each test ended.

As a plugin of pytest it leaves build/test/<simulator>/last_run.json; `make test LF=1` reads it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from tb.sim.paths import ROOT

RESULTS = "TEST_RESULTS"  # in the environment: a folder in place of build/test
RECORD = "last_run.json"
SEED_OF_RUN = "LAST_RUN_SEED"  # in the environment of pytest
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def results_of(sim: str) -> Path:
    """The folder of what `make test` writes of its runs on a simulator."""
    return Path(os.environ.get(RESULTS) or ROOT / "build" / "test") / sim


class NoLastRun(Exception):
    """There is no run that can be repeated; the message is one line."""


@dataclass
class LastRun:
    """A run of the tests; ended: how each ended, by its id, or a file that cannot be read."""

    sim: str
    seed: int
    ended: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        """The tests that failed, in the order in which they ended."""
        return [test for test, status in self.ended.items() if status == FAILED]

    def count(self, status: str) -> int:
        """Number of tests that ended in a way."""
        return sum(each == status for each in self.ended.values())


def read_last_run(sim: str | None = None) -> LastRun:
    """The last run on a simulator, or on whichever was the last.

    Raises:
        NoLastRun: there is none, or its record cannot be read.
    """
    paths = sorted(
        results_of(".").glob(f"{sim or '*'}/{RECORD}"), key=lambda path: path.stat().st_mtime
    )
    if not paths:
        raise NoLastRun(f"no earlier run{f' on {sim}' if sim else ''}: run make test first")
    try:
        found = json.loads(paths[-1].read_text(encoding="utf-8"))
        return LastRun(str(found["sim"]), int(found["seed"]), dict(found["ended"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise NoLastRun(f"{paths[-1]} cannot be read: run make test first") from None


def keep_failed(sim: str, tests: Iterable[str]) -> None:
    """Note what was to be repeated and did not come to run as failed still."""
    run = read_last_run(sim)
    run.ended = {test: run.ended.get(test, FAILED) for test in tests} | run.ended
    write_last_run(run)


def write_last_run(run: LastRun) -> None:
    """Write the record of a run."""
    path = results_of(run.sim) / RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(run), indent=1) + "\n", encoding="utf-8")


class Recorder:
    """Hears how each test ends, and writes the record when all have."""

    def __init__(self, run: LastRun) -> None:
        self.run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A fault of any phase is a failure of the test."""
        if report.failed or self.run.ended.get(report.nodeid) == FAILED:
            self.run.ended[report.nodeid] = FAILED
        elif report.skipped:
            self.run.ended[report.nodeid] = SKIPPED
        elif report.when == "call":
            self.run.ended[report.nodeid] = PASSED

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be read has failed, too."""
        if report.failed:
            self.run.ended[report.nodeid] = FAILED

    def pytest_sessionfinish(self) -> None:
        """Write the record, unless nothing ran: what failed before still stands then."""
        if self.run.ended:
            write_last_run(self.run)


def pytest_configure(config: pytest.Config) -> None:
    """Listen where all reports arrive, which is not in a worker of pytest-xdist."""
    seed = os.environ.get(SEED_OF_RUN)
    if seed is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(LastRun(os.environ["SIM"], int(seed))))
