# SPDX-License-Identifier: Apache-2.0
"""Runs within the simulator, as the module with the cocotb tests: one process serves all mutants.

Python, the bench and what it imports are loaded once. Then this process forks for each mutant; the
child selects it and runs the bench's tests, up to the first that fails, while the parent waits and
writes down what became of it. Mutant 0 is the design as it is. Its run comes first, has to pass,
and says how long a child may take and in which order the tests go, short ones first.
"""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import cocotb
import cocotb._shutdown
from cocotb.handle import Immediate
from cocotb.regression import Test, TestGenerator

from scripts.mutate.mutants import SELECTOR
from tb.sim.cocotb_run import read_results

TASK = "MUTATE_TASK"  # variable with the path of the task
VERDICTS = "verdicts.jsonl"
KILLED, SURVIVED, HUNG, DIED = "killed", "survived", "hung", "died"
SLOWER, GRACE = 3.0, 5.0  # a child may take so many times as long as mutant 0, and so many seconds
BASELINE_SECONDS = 600
SECONDS_TO_END = 10  # seconds of processor time that a child has to end by itself


@dataclass(frozen=True)
class Task:
    """What a simulation has to do."""

    test_module: str
    mutants: list[int]
    folder: str
    children: int  # at once
    grace: float = GRACE

    def write(self, path: Path) -> None:
        """Write it for `read`."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Task:
        """The task that was written to `path`."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    mutant: int
    status: str  # KILLED, SURVIVED, HUNG or DIED
    test: str  # the first that failed
    message: str
    seconds: float


class Server:
    """Forks for each mutant and collects the verdicts."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.tests = tests_of(task.test_module)
        self.folder = Path(task.folder)
        self.parent = os.getppid()
        self.limit = float(BASELINE_SECONDS)  # seconds of processor time
        self.running: dict[int, tuple[int, float]] = {}  # process: mutant, start
        self.late: set[int] = set()  # processes that were ended

    def serve(self) -> bool:
        """Run everything; returns True in each child, which goes on, and never in the parent."""
        if self._fork(0):
            return True
        baseline = self._wait()
        if baseline is None or baseline.status != SURVIVED:
            self._end()
        self.limit = SLOWER * baseline.seconds + self.task.grace
        self._put_short_tests_first()
        for mutant in self.task.mutants:
            if len(self.running) >= self.task.children:
                self._wait()
            if self._fork(mutant):
                return True
        while self.running:
            self._wait()
        return self._end()

    def _end(self) -> bool:
        sys.stdout.flush()
        os._exit(0)

    def _fork(self, mutant: int) -> bool:
        """Start a child for a mutant; returns whether this is it."""
        sys.stdout.flush()
        start = time.monotonic()
        child = os.fork()
        if child:
            self.running[child] = (mutant, start)
            return False
        seconds = math.ceil(self.limit)
        # At the second of these the kernel sends SIGKILL, as it does when memory is short.
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + SECONDS_TO_END))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if mutant:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        os.environ["COCOTB_RESULTS_FILE"] = str(self._results(mutant))
        getattr(cocotb.top, SELECTOR).set(Immediate(mutant))
        # The results are written by then; the simulator would wait for threads that no child has.
        cocotb._shutdown.register(lambda: os._exit(0))
        return True

    def _results(self, mutant: int) -> Path:
        return self.folder / f"mutant-{mutant}.xml"

    def _wait(self) -> Verdict | None:
        """Wait for a child to end, or end one that has run for too long, and write its verdict.

        Returns None, and writes nothing, when what ended the child has nothing to do with the
        mutant: it is to be run again.
        """
        while True:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child:
                break
            self._end_late_ones()
            time.sleep(0.002)
        mutant, start = self.running.pop(child)
        verdict = self._verdict(mutant, status, time.monotonic() - start, child in self.late)
        if verdict is None:
            return None
        with (self.folder / VERDICTS).open("a", encoding="utf-8") as verdicts:
            verdicts.write(json.dumps(asdict(verdict)) + "\n")
        return verdict

    def _end_late_ones(self) -> None:
        """End children that wait for what never comes, or all when nobody reads the verdicts."""
        orphan = os.getppid() != self.parent
        for process, (_, start) in self.running.items():
            if orphan or time.monotonic() - start > 10 * self.limit:
                os.kill(process, signal.SIGKILL)
                self.late.add(process)
        if orphan:
            self._end()

    def _verdict(self, mutant: int, status: int, seconds: float, late: bool) -> Verdict | None:
        path = self._results(mutant)
        results = read_results(path)
        if mutant:
            path.unlink(missing_ok=True)
        failed = next((result for result in results if not result.passed), None)
        if failed:
            message = failed.message.splitlines()[0][:200] if failed.message else ""
            return Verdict(mutant, KILLED, failed.name, message, round(seconds, 3))
        if results:
            return Verdict(mutant, SURVIVED, "", "", round(seconds, 3))
        ended = os.waitstatus_to_exitcode(status)
        if late or ended == -signal.SIGXCPU:
            return Verdict(mutant, HUNG, "", f"ended after {seconds:.1f} s", round(seconds, 3))
        if ended in (0, -signal.SIGKILL):  # a full disk, too little memory
            return None
        message = f"the simulator ended with {ended}"
        return Verdict(mutant, DIED, "", message, round(seconds, 3))

    def _put_short_tests_first(self) -> None:
        results = read_results(self._results(0))

        def seconds(test: Test | TestGenerator) -> float:
            return sum(result.seconds for result in results if result.name.startswith(test.name))

        self.tests.sort(key=seconds)


def tests_of(module_name: str) -> list[Test | TestGenerator]:
    """The cocotb tests that a bench defines."""
    members = vars(import_module(module_name)).values()
    return [member for member in members if isinstance(member, (Test, TestGenerator))]


def prepare(module_name: str) -> None:
    """Let a bench that has a `prepare` load once what every mutant needs."""
    getattr(import_module(module_name), "prepare", lambda: None)()


if TASK in os.environ:
    server = Server(Task.read(Path(os.environ[TASK])))
    prepare(server.task.test_module)
    server.serve()
    globals().update({test.name: test for test in server.tests})
