# SPDX-License-Identifier: Apache-2.0
"""Who runs the jobs: processes on this machine, or the workers of a Dask cluster.

Both take jobs at any time and give back each job's outcome in the order of completion. A job
whose process or worker dies is done again, `ATTEMPTS` times in all.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Protocol

from scripts.runs.collect import ROOT
from scripts.runs.jobs import LOST, Job, Outcome, kill, run_job

ATTEMPTS = 3
STEP_SECONDS = 30.0  # for each step of connecting to a cluster and of checking it
WORKERLESS_SECONDS = 120  # a cluster that has had no worker for so long is given up
ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[\w.\-\[\]:]+:\d+")


class WorkersError(Exception):
    """Nobody to run the jobs; the message is one line."""


class Workers(Protocol):
    """Something that runs jobs."""

    name: str

    def submit(self, job: Job) -> None:
        """Queue a job."""

    def take(self, seconds: float) -> Outcome | None:
        """The next outcome, or None when there is none within the time."""

    def close(self) -> list[Outcome]:
        """Drop what is queued and end what runs; the outcomes that were not taken."""


class LocalWorkers:
    """Processes on this machine: one a job, `processes` at a time."""

    def __init__(self, processes: int) -> None:
        self.name = f"{processes} process{'es' if processes > 1 else ''} on this machine"
        self._threads = ThreadPoolExecutor(processes)
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        self._running: set[subprocess.Popen] = set()
        self._lock = Lock()
        self._closing = False

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._threads.submit(self._run, job)

    def take(self, seconds: float) -> Outcome | None:
        """The next outcome, or None when there is none within the time."""
        try:
            return self._done.get(timeout=seconds)
        except Empty:
            return None

    def close(self) -> list[Outcome]:
        """Drop what is queued and end what runs; the outcomes that were not taken."""
        with self._lock:
            self._closing = True
            for process in self._running:
                kill(process)
        self._threads.shutdown(cancel_futures=True)
        return [self._done.get() for _ in range(self._done.qsize())]

    def _run(self, job: Job) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            if self._closing:
                return
            try:
                outcome = replace(run_job(job, self._started), attempts=attempt)
            except OSError as error:  # no space, no process: nothing that the test has done
                outcome = Outcome(job, LOST, f"could not be run: {error}", attempts=attempt)
            if outcome.status != LOST:
                break
            if self._closing:  # killed by close: it had not ended
                return
        self._done.put(outcome)

    def _started(self, process: subprocess.Popen) -> None:
        with self._lock:
            self._running = {other for other in self._running if other.poll() is None} | {process}
            if self._closing:
                kill(process)


class ClusterWorkers:
    """The workers of a Dask cluster that runs already; each has the repository.

    Args:
        address: of its scheduler, such as tcp://host:8786.
        step_seconds: for each step of connecting to it and of checking what is there.

    Raises:
        WorkersError: the address is none, or what is behind it cannot run the jobs.
    """

    def __init__(self, address: str, step_seconds: float = STEP_SECONDS) -> None:
        if not ADDRESS.fullmatch(address):
            raise WorkersError(f"SCHEDULER={address!r} is no address such as tcp://host:8786")
        check_cluster(address, step_seconds)
        from distributed import Client

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            self._client = Client(address, timeout=step_seconds, set_as_default=False)
        except (OSError, TimeoutError):
            raise WorkersError(f"the scheduler at SCHEDULER={address} has just gone") from None
        self.name = f"the cluster at {address}"
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._open: dict[str, tuple[Job, int, Any]] = {}  # key -> job, attempt, future
        self._count = 0
        self._worked = time.monotonic()

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._submit(job, 1)

    def take(self, seconds: float) -> Outcome | None:
        """The next outcome, or None when there is none within the time."""
        try:
            key = self._done.get(timeout=seconds)
        except Empty:
            return self._given_up()
        if key not in self._open:
            return None
        job, attempt, future = self._open.pop(key)
        outcome = replace(_outcome_of(job, future), attempts=attempt)
        if outcome.status == LOST and attempt < ATTEMPTS and self._has_workers():
            self._submit(job, attempt + 1)
            return None
        return outcome

    def close(self) -> list[Outcome]:
        """Drop what is queued; what runs ends with its job's time limit at the latest."""
        ended = [
            replace(_outcome_of(job, future), attempts=attempt)
            for job, attempt, future in self._open.values()
            if future.status == "finished"
        ]
        self._client.cancel([future for _, _, future in self._open.values()])
        self._client.close()
        return ended

    def _submit(self, job: Job, attempt: int) -> None:
        self._count += 1
        key = f"regress-{id(self)}-{self._count}"
        future = self._client.submit(run_job, job, key=key, pure=False)
        self._open[key] = (job, attempt, future)
        future.add_done_callback(lambda done: self._done.put(done.key))

    def _has_workers(self) -> bool:
        connected = self._client.status == "running"
        return connected and bool(self._client.scheduler_info()["workers"])

    def _given_up(self) -> Outcome | None:
        """A lost job when no worker has been there for too long."""
        now = time.monotonic()
        if self._has_workers():
            self._worked = now
        if not self._open or now - self._worked < WORKERLESS_SECONDS:
            return None
        job, attempt, _ = self._open.pop(next(iter(self._open)))
        return Outcome(job, LOST, "the cluster has no workers any more", attempts=attempt)


def check_cluster(address: str, step_seconds: float) -> None:
    """Raise WorkersError unless the cluster at an address can run jobs."""
    command = [sys.executable, "-m", "scripts.regress.cluster", address, str(step_seconds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        said = done.stdout.strip() or f"the cluster at SCHEDULER={address} cannot be checked"
        raise WorkersError(said.splitlines()[-1])


def _outcome_of(job: Job, future: Any) -> Outcome:
    """What a future of the cluster holds; a job that it could not finish is lost."""
    if future.status == "finished":
        return future.result()
    error = future.exception() if future.status == "error" else "the scheduler is gone"
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return Outcome(job, LOST, f"its worker was lost: {reason[0]}")
