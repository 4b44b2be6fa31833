# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin of a job: a folder of its own for its simulations, a file for its outcome.

Loaded with `-p scripts.runs.inside`; told by the environment where and whose child it is.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from scripts.runs import deadline
from tb.sim import cocotb_run
from tb.sim.builds import Build
from tb.sim.cocotb_run import CocotbRun

FOLDER = "REGRESS_FOLDER"  # where the simulations run and the outcome goes
PARENT = "REGRESS_PARENT"  # number of the process that started this one
LIMIT = "REGRESS_LIMIT"  # seconds after which a simulation is to end itself
OUTCOME = "outcome.json"
POLL_SECONDS = 0.5

_name_of_folder = cocotb_run.folder_name
_simulate = cocotb_run.simulate_cocotb
_reports: list[pytest.TestReport] = []


def pytest_configure(config: pytest.Config) -> None:
    """Set the place of simulations, and end with the process that started this one.

    Simulations have no limit of their own: one that hangs would count as failed, and be repeated.
    """
    runs = Path(os.environ[FOLDER]) / "runs"
    # An absolute name replaces build/test/<simulator>: several seeds of a test run side by side.
    cocotb_run.folder_name = lambda name: str(runs / _name_of_folder(name))
    cocotb_run.RUN_SECONDS = None
    if LIMIT in os.environ:
        cocotb_run.simulate_cocotb = _simulate_to_the_deadline
    threading.Thread(target=_end_with, args=(int(os.environ[PARENT]),), daemon=True).start()


def _end_with(parent: int) -> None:
    """Kill this process and its simulator when the parent is gone: nobody waits for them."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.killpg(0, signal.SIGKILL)


def _simulate_to_the_deadline(
    build: Build, folder: Path, test_module: str, *rest: Any, **options: Any
) -> CocotbRun:
    modules = [deadline.__name__, test_module]
    with patch.dict(os.environ, {deadline.SECONDS: os.environ[LIMIT]}):
        return _simulate(build, folder, modules, *rest, **options)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the report of each phase of the test."""
    _reports.append(report)


def pytest_sessionfinish() -> None:
    """Write the outcome, if a test ran to its end: all of it or, when killed, nothing."""
    if any(report.when == "teardown" for report in _reports):
        path = Path(os.environ[FOLDER]) / OUTCOME
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(summary(_reports)), encoding="utf-8")
        partial.rename(path)


def summary(reports: list[pytest.TestReport]) -> dict[str, str]:
    """The outcome of a test from the reports of its phases, with the message of the first fault."""
    for report in reports:
        if report.failed:
            return {"status": "failed", "message": _message(report)}
    for report in reports:
        if report.skipped:
            return {"status": "skipped", "message": _reason(report)}
    return {"status": "passed", "message": ""}


def _message(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else report.longreprtext


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return getattr(report, "wasxfail", "") or report.longreprtext
