# SPDX-License-Identifier: Apache-2.0
"""What there is to run: the tests as pytest itself collects them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _pytest.mark.expression import Expression

from scripts.runs.job_summary import JOB_SUMMARY
from scripts.runs.left_out import LEFT_OUT
from tb.sim.breakpoints import REFUSE
from tb.sim.cocotb_run import SELECTABLE
from tb.sim.modules import rtl_modules
from tb.sim.paths import ROOT
from tb.sim.sets import bench_files

TESTS = ("tb",)
USAGE_ERROR = 4
NOTHING_COLLECTED = 5
PYTEST = (
    sys.executable,
    "-m",
    "pytest",
    "--rootdir",
    str(ROOT),
    "-c",
    str(ROOT / "pyproject.toml"),
)


class SelectionError(Exception):
    """Nothing can be run; the message is one line."""


@dataclass(frozen=True)
class Collected:
    """The tests that there are, by their node ids in pytest's order."""

    selected: list[str]
    left_out: list[str]  # by the selection

    @property
    def there(self) -> int:
        """Number of all of them."""
        return len(self.selected) + len(self.left_out)


class NothingSelected(SelectionError):
    """No test matches; left_out: those that there are."""

    def __init__(self, selection: str | None, left_out: Sequence[str] = ()) -> None:
        super().__init__(f"no test matches TEST={selection!r}")
        self.left_out = list(left_out)


def collect(selection: str | None, sim: str, tests: Sequence[str] = TESTS) -> list[str]:
    """The node ids of the tests that TEST selects, in pytest's order; see collect_all."""
    return _collected(selection, sim, arguments_of(selection, tests)).selected


def collect_all(selection: str | None, sim: str, tests: Sequence[str] = TESTS) -> Collected:
    """The tests that TEST selects, and those that it leaves out.

    Raises:
        NothingSelected: the expression selects nothing.
        SelectionError: the expression is none, or a test file cannot be read.
    """
    if not is_node(selection):
        return _collected(selection, sim, arguments_of(selection, tests))
    every = _collected(None, sim, tests).selected
    if selection not in every:
        raise NothingSelected(selection, every)
    return Collected([selection], [node for node in every if node != selection])


def _collected(selection: str | None, sim: str, arguments: Sequence[str]) -> Collected:
    check(selection)
    command = [*PYTEST, "--collect-only", "-q", "--no-header", "-p", "no:cacheprovider"]
    command += ["-p", "scripts.runs.left_out", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(sim), text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    out = [line.removeprefix(LEFT_OUT) for line in lines if line.startswith(LEFT_OUT)]
    unknown_node = done.returncode == USAGE_ERROR and is_node(selection)
    if done.returncode == NOTHING_COLLECTED or unknown_node:
        raise NothingSelected(selection, out)
    if done.returncode:
        errors = [line for line in lines if line.startswith(("E  ", "ERROR"))] or lines or ["?"]
        raise SelectionError(f"pytest cannot collect the tests: {errors[0].strip()}")
    found = [line for line in lines if "::" in line and not line.startswith(LEFT_OUT)]
    return Collected(found, out)


def is_node(selection: str | None) -> bool:
    """Whether TEST is a node id of pytest, which selects exactly one test, and no expression."""
    return "::" in (selection or "")


def arguments_of(selection: str | None, tests: Sequence[str]) -> list[str]:
    """The arguments of pytest for what TEST selects among tests."""
    if is_node(selection):
        return [selection]
    return [*(["-k", selection] if selection else []), *tests]


def check(selection: str | None) -> None:
    """Raise SelectionError when the text is neither a node id nor a pytest -k expression."""
    if is_node(selection):
        return
    try:
        Expression.compile(selection or "")
    except SyntaxError as error:
        raise SelectionError(f"TEST={selection!r} is no selection: {error.msg}") from None


def environment(sim: str) -> dict[str, str]:
    """The environment of pytest: the simulator, and the repository on the path.

    What counts code, and where the figures of the steps go, is not for what they run. It has no
    terminal, so that a breakpoint is refused.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    clean.pop(JOB_SUMMARY, None)
    return {
        **clean,
        "SIM": sim,
        "COVERAGE": "0",
        "DEBUG": "0",
        "PYTHONBREAKPOINT": REFUSE,
        "PYTHONPATH": str(ROOT),
    }


def name_of(node: str) -> str:
    """The name of a test with its parameters."""
    return node.split("::", 1)[-1]


def module_of(node: str) -> str:
    """The file of a test without its suffix, as people call it."""
    return Path(node.split("::", 1)[0]).stem


def parameters_of(node: str) -> list[str]:
    """The parameters of a test, as pytest writes them one after the other."""
    return list(filter(None, name_of(node).partition("[")[2].removesuffix("]").split("-")))


def unit_of(node: str) -> str | None:
    """The module that a test is one of, by its parameters: it has a bench, or is RTL."""
    units = {*bench_files(), *rtl_modules()}
    return next((each for each in parameters_of(node) if each in units), None)


def selection_of(node: str, others: Sequence[str] = ()) -> str:
    """A pytest -k expression that selects a test: alone, if its name's characters let it.

    Args:
        node: the test.
        others: tests that it must be told from; those of other files may have the same name.
    """
    name = name_of(node).split("::")[-1]
    if not SELECTABLE.fullmatch(name):
        name = name.split("[")[0]
    clash = any(name in other and module_of(other) != module_of(node) for other in others)
    return f"{module_of(node)} and {name}" if clash else name
