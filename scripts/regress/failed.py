# SPDX-License-Identifier: Apache-2.0
"""The jobs that failed in the last regression, to be run again with their seeds."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from scripts.regress.results import RESULTS
from scripts.runs.collect import selection_of
from scripts.runs.jobs import BAD, Job
from tb.sim.paths import relative


class NoFailedJobs(Exception):
    """There is nothing to repeat; the message is one line."""


@dataclass(frozen=True)
class Failed:
    """What failed: tests with their seeds, in the order of the results."""

    sim: str
    jobs: list[tuple[str, int]]

    def jobs_of(
        self, there: Collection[str], sim: str, limit: float, folder: str
    ) -> tuple[list[Job], list[str]]:
        """The jobs of tests that there are, and the tests that there are no more."""
        jobs = [
            Job(node, seed, sim, selection_of(node, list(there)), limit, folder)
            for node, seed in self.jobs
            if node in there
        ]
        return jobs, list(dict.fromkeys(node for node, _ in self.jobs if node not in there))


def read_failed(folder: Path) -> Failed:
    """What failed in the last regression of a folder, or was to be repeated and did not run.

    Raises:
        NoFailedJobs: there was no regression, or its results cannot be read.
    """
    path = folder / RESULTS
    if not path.is_file():
        raise NoFailedJobs("there is no earlier regression: run make regress without FAILED=1")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found = [entry for entry in document["results"] if entry["status"] in BAD]
        found += document.get("not_run", [])
        jobs = [(str(entry["test"]), int(entry["seed"])) for entry in found]
        return Failed(str(document["sim"]), jobs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise NoFailedJobs(
            f"{relative(path)} cannot be read: run make regress without FAILED=1"
        ) from None
