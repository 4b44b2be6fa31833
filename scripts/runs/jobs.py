# SPDX-License-Identifier: Apache-2.0
"""One job: a test with a seed, run in a process of its own with a time limit.

A job is run where it is told to, on a worker of a cluster too: nothing here knows of the others.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

from scripts.runs.collect import PYTEST, ROOT, environment, module_of, name_of
from scripts.runs.deadline import ENDED
from scripts.runs.inside import FOLDER, LIMIT, OUTCOME, PARENT
from tb.sim.paths import relative

PASSED, FAILED, SKIPPED, TIMED_OUT, LOST = "passed", "failed", "skipped", "timed out", "lost"
STATUSES = (PASSED, FAILED, TIMED_OUT, LOST, SKIPPED)
BAD = (FAILED, TIMED_OUT, LOST)
OUTPUT_LINES = 20
MESSAGE_CHARACTERS = 8000
POLL_SECONDS = 0.2
BUILD_SECONDS = 900.0  # for the build with waveforms of a test that hangs
GRACE_SECONDS = 30.0  # for a simulation that is to end itself at its limit


@dataclass(frozen=True)
class Job:
    """A test with a seed on a simulator."""

    node: str  # pytest's node id
    seed: int
    sim: str
    selection: str  # -k expression that selects the test
    limit: float  # seconds
    folder: str  # where the results of all jobs go, relative to the repository
    waves: bool = False
    coverage: bool = False  # its simulations count which code ran
    hangs: bool = False  # its simulation ends itself at the limit, which leaves a whole waveform

    @property
    def reproduction(self) -> str:
        """The command that repeats the job."""
        return f"make test SIM={self.sim} SEED={self.seed} TEST='{self.selection}'"


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    job: Job
    status: str  # one of STATUSES
    message: str = ""
    seconds: float = 0.0
    host: str = ""
    log: str = ""  # pytest's output and what the simulation left, relative to the repository
    waves: str = ""  # waveform of a failure, relative to the repository
    repeated: str = ""  # status of the second run that recorded the waveform
    attempts: int = 1

    def with_repeat(self, repeat: Outcome) -> Outcome:
        """This outcome with the waveform of the same job run again."""
        return replace(self, waves=repeat.waves, repeated=repeat.status)


Started = Callable[[subprocess.Popen], None]


def run_job(job: Job, started: Started = lambda process: None) -> Outcome:
    """Run a job to its end.

    Args:
        job: what to run.
        started: is given the process, so that it can be killed from outside; it leads a process
            group of its own. The job is then lost.
    """
    folder = _make_folder(job)
    begin = time.monotonic()
    with (folder / "pytest.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*PYTEST, "-p", "scripts.runs.inside", "-p", "no:cacheprovider", "-p", "no:xdist",
             f"--hypothesis-seed={job.seed}", job.node],
            cwd=ROOT, env=_environment(job, folder), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        started(process)
        try:
            late = _late_simulation(process, job, folder) if job.hangs else _late(process, job)
        finally:
            kill(process)
    status, message = _result(folder, process.returncode, job.limit if late else None)
    waves = sorted(folder.glob("runs/*/waves.fst")) if job.waves else []
    return Outcome(
        job,
        status,
        _for_people(message),
        round(time.monotonic() - begin, 2),
        socket.gethostname(),
        relative(folder),
        relative(waves[0]) if waves else "",
    )


def _late(process: subprocess.Popen, job: Job) -> bool:
    """Wait for the end of a job; whether its time was up before."""
    try:
        process.wait(job.limit)
    except subprocess.TimeoutExpired:
        return True
    return False


def _late_simulation(process: subprocess.Popen, job: Job, folder: Path) -> bool:
    """The same for a job that is known to hang; its build does not count."""
    end = time.monotonic() + BUILD_SECONDS
    simulates = False
    while process.poll() is None and time.monotonic() < end:
        if not simulates and any(folder.glob("runs/*")):
            simulates, end = True, time.monotonic() + job.limit + GRACE_SECONDS
        time.sleep(POLL_SECONDS)
    return process.poll() is None or any(folder.glob(f"runs/*/{ENDED}"))


def kill(process: subprocess.Popen) -> None:
    """End a job's process with its simulator."""
    with suppress(ProcessLookupError, PermissionError):  # all of it has ended already
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _make_folder(job: Job) -> Path:
    """A new folder: a job that is done again never meets what its first run left behind."""
    parent = ROOT / job.folder / "jobs" / f"seed-{job.seed}"
    parent.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^\w.=-]+", "-", f"{module_of(job.node)}-{name_of(job.node)}").strip("-")
    waves = "-waves" if job.waves else ""
    return Path(mkdtemp(dir=parent, prefix=f"{stem[:120]}{waves}-"))


def _environment(job: Job, folder: Path) -> dict[str, str]:
    return {
        **environment(job.sim),
        "SEED": str(job.seed),
        "WAVES": str(int(job.waves)),
        "COVERAGE": str(int(job.coverage)),
        FOLDER: str(folder),
        PARENT: str(os.getpid()),
        **({LIMIT: f"{job.limit:g}"} if job.hangs else {}),
    }


def _result(folder: Path, code: int, late: float | None) -> tuple[str, str]:
    """Status and message, from what the job left behind."""
    if late is not None:
        return TIMED_OUT, f"not over after {late:g} s"
    path = folder / OUTCOME
    if path.is_file():  # its test has ended, whatever ended the process after that
        found = json.loads(path.read_text(encoding="utf-8"))
        return found["status"], found["message"]
    if code < 0:
        return LOST, f"its process was ended by {signal.Signals(-code).name}"
    log = (folder / "pytest.log").read_text(encoding="utf-8", errors="replace")
    lines = log.strip().splitlines()
    return FAILED, "\n".join([f"pytest ended with code {code}", *lines[-OUTPUT_LINES:]])


def _for_people(message: str) -> str:
    """A message without the dotted path of its exception's class, and no longer than is read."""
    message = re.sub(r"^(?:\w+\.)+(?=\w+(?::|$))", "", message.strip())
    message = message.removeprefix("CocotbFailure: ").removeprefix("AssertionError: ")
    if len(message) > MESSAGE_CHARACTERS:
        return message[:MESSAGE_CHARACTERS] + " ..."
    return message


def remove_jobs(folder: Path) -> None:
    """Remove what the jobs of earlier runs left."""
    shutil.rmtree(folder / "jobs", ignore_errors=True)
