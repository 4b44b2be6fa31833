# SPDX-License-Identifier: Apache-2.0
"""A regression: all jobs run, failures repeated with a waveform, whatever dies on the way."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from scripts.regress.workers import Workers
from scripts.runs.collect import ROOT, selection_of
from scripts.runs.jobs import BAD, FAILED, SKIPPED, TIMED_OUT, Job, Outcome

SEED_LIMIT = 2**32


@dataclass
class Run:
    """A regression and its outcomes so far."""

    sim: str
    first_seed: int
    seeds: int
    tests: int
    place: str
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    commit: str = field(default_factory=lambda: commit())
    seconds: float = 0.0
    interrupted: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    coverage: bool = False  # whether code coverage was counted and added to that of earlier runs
    selection: str = ""  # expression that left tests out
    nodes: Sequence[str] = ()  # the tests that run
    left_out: Sequence[str] = ()  # those that are there, too
    repeats: Sequence[Job] = ()  # the jobs, where they are those that failed in the run before
    not_repeated: Sequence[tuple[str, int]] = ()  # what failed before, too, and was not selected

    @property
    def total(self) -> int:
        """Number of jobs."""
        return len(self.repeats) or self.seeds * self.tests

    @property
    def not_run(self) -> list[tuple[str, int]]:
        """Test and seed of what failed in the run before and did not come to run again."""
        ran = {(outcome.job.node, outcome.job.seed) for outcome in self.outcomes}
        repeats = [(job.node, job.seed) for job in self.repeats]
        return [job for job in [*repeats, *self.not_repeated] if job not in ran]

    @property
    def part(self) -> str:
        """What part of the tests this is, in words; empty when it is all of them."""
        parts = []
        if self.left_out:
            parts.append(f"{self.tests} of {self.tests + len(self.left_out)} tests")
        if self.repeats:
            parts.append("only what failed in the run before")
        if missing := self.total - len(self.outcomes):
            parts.append(f"{missing} of {self.total} jobs not run")
        return ", ".join(parts)

    @property
    def counts(self) -> Counter[str]:
        """Number of jobs of each status."""
        return Counter(outcome.status for outcome in self.outcomes)

    @property
    def failures(self) -> list[Outcome]:
        """Everything that neither passed nor was skipped."""
        return [outcome for outcome in self.outcomes if outcome.status in BAD]

    @property
    def pass_rate(self) -> float:
        """Share of passed jobs among those that ran and were not skipped; 0 when there are none."""
        counts = self.counts
        ran = len(self.outcomes) - counts[SKIPPED]
        return counts["passed"] / ran if ran else 0.0


def commit() -> str:
    """The commit that is checked out, with a + when files differ; empty outside of git."""
    git = ("git", "-C", str(ROOT))
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        )
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    except OSError:
        return ""
    return head.stdout.strip() + ("+" if head.stdout and changed.stdout else "")


def is_repeated(outcome: Outcome) -> bool:
    """Whether a job runs once more for its waveform: not if it came to no simulation at all."""
    if outcome.job.waves or outcome.status not in (FAILED, TIMED_OUT):
        return False
    folder = ROOT / outcome.log if outcome.log else None
    is_here = folder is not None and folder.is_dir()
    return outcome.status == FAILED or not is_here or any(folder.glob("runs/*"))


def jobs_of(
    nodes: Sequence[str],
    first_seed: int,
    seeds: int,
    sim: str,
    limit: float,
    folder: str,
    coverage: bool = False,
) -> list[Job]:
    """All jobs: every test with the first seed, then with the next, so that builds are shared."""
    return [
        Job(
            node,
            (first_seed + step) % SEED_LIMIT,
            sim,
            selection_of(node, nodes),
            limit,
            folder,
            coverage=coverage,
        )
        for step in range(seeds)
        for node in nodes
    ]


def perform(
    run: Run, jobs: Sequence[Job], workers: Workers, advance: Callable[[Outcome], None]
) -> None:
    """Run the jobs and fill `run.outcomes`, until `run.interrupted` is set from outside.

    An interrupted run keeps the outcome of every job that had ended.

    A test that failed or was not over at its limit runs once more, with the same seed and a
    waveform; one whose process died does not, as nothing of it would be left again.

    Args:
        advance: called with each outcome when nothing more will come of its job.
    """
    begin = time.monotonic()
    waiting: dict[Job, Outcome] = {}

    def done(outcome: Outcome) -> None:
        if outcome.job.waves:
            outcome = waiting.pop(outcome.job).with_repeat(outcome)
        run.outcomes.append(outcome)
        advance(outcome)

    try:
        for job in jobs:
            workers.submit(job)
        while len(run.outcomes) < len(jobs) and not run.interrupted:
            outcome = workers.take(0.5)
            if outcome is None:
                continue
            if is_repeated(outcome):
                hangs = outcome.status == TIMED_OUT
                repeat = replace(outcome.job, waves=True, hangs=hangs, coverage=False)
                waiting[repeat] = outcome
                workers.submit(repeat)
            else:
                done(outcome)
    finally:
        ended = workers.close()
        run.seconds = round(time.monotonic() - begin, 1)
    for outcome in ended:
        done(outcome)
    run.outcomes.extend(waiting.values())
