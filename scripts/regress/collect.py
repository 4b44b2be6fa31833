"""What there is to run: the tests as pytest itself collects them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from _pytest.mark.expression import Expression

from scripts.simulators.cocotb_run import SELECTABLE

ROOT = Path(__file__).resolve().parents[2]
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


class NothingSelected(SelectionError):
    """No test matches."""


def collect(selection: str | None, sim: str, tests: Sequence[str] = TESTS) -> list[str]:
    """The node ids of the tests that TEST selects, in pytest's order.

    Raises:
        NothingSelected: the expression selects nothing.
        SelectionError: the expression is none, or a test file cannot be read.
    """
    check(selection)
    command = [*PYTEST, "--collect-only", "-q", "--no-header", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *arguments_of(selection, tests)],
        cwd=ROOT, env=environment(sim), text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    unknown_node = done.returncode == USAGE_ERROR and is_node(selection)
    if done.returncode == NOTHING_COLLECTED or unknown_node:
        raise NothingSelected(f"no test matches TEST={selection!r}")
    if done.returncode:
        errors = [line for line in lines if line.startswith(("E  ", "ERROR"))] or lines or ["?"]
        raise SelectionError(f"pytest cannot collect the tests: {errors[0].strip()}")
    return [line for line in lines if "::" in line]


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

    Code coverage is for `make test`, which adds it up: no job counts any.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**clean, "SIM": sim, "COVERAGE": "0", "PYTHONPATH": str(ROOT)}


def name_of(node: str) -> str:
    """The name of a test with its parameters."""
    return node.split("::", 1)[-1]


def module_of(node: str) -> str:
    """The file of a test without its suffix, as people call it."""
    return Path(node.split("::", 1)[0]).stem


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
