"""What people see when they call make."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for name in ("SIM", "SEED", "WAVES"):
        clean.pop(name, None)
    return subprocess.run(["make", *arguments], cwd=ROOT, env=clean, capture_output=True, text=True)


def test_help_is_the_default_and_describes_every_target() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    shown = make()
    assert shown.returncode == 0
    for target in targets.split():
        assert re.search(rf"^  {target} +\w", shown.stdout, re.MULTILINE), target


def test_bytecode_is_kept_in_build_where_none_is_to_lie_beside_the_sources(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    shown = make("--eval", "shown: ; @env", "shown").stdout.splitlines()
    assert f"PYTHONPYCACHEPREFIX={ROOT / 'build/cache/python'}" in shown
    assert not any(line.startswith("PYTHONDONTWRITEBYTECODE=") for line in shown)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    assert "PYTHONPYCACHEPREFIX" not in make("--eval", "shown: ; @env", "shown").stdout


def only_line(result: subprocess.CompletedProcess[str]) -> str:
    """The one line of the error output that is not make's own."""
    assert result.returncode == 2
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_unknown_simulator() -> None:
    assert "unknown simulator 'modelsim'" in only_line(make("demo", "SIM=modelsim"))


def test_missing_python() -> None:
    assert "no python9 on PATH" in only_line(make("test", "PYTHON=python9"))


def test_old_python(tmp_path: Path) -> None:
    old = tmp_path / "python3.6"
    old.write_text("#!/bin/sh\nexit 2\n")
    old.chmod(0o755)
    assert "older than Python 3.11" in only_line(make("test", f"PYTHON={old}"))


@pytest.mark.parametrize(
    ("variable", "complaint"),
    [
        ("SEED=-1", "SEED: '-1' is not a whole number of 0 or more"),
        ("JOBS=0", "JOBS: '0' is not a whole number of 1 or more"),
        ("TEST=a and", "TEST: 'a and' is no selection"),
    ],
)
def test_bad_variable(variable: str, complaint: str) -> None:
    assert complaint in only_line(make("test", variable))


@pytest.mark.parametrize("target", ["test", "regress"])
def test_what_the_tests_of_the_regression_need_is_set_up(target: str) -> None:
    """Without Dask, tests of a cluster could not run."""
    commands = make("--dry-run", target).stdout
    assert 'setup.py --need "$SIM"  --extra requirements-regress.txt' in commands


def test_the_shipped_tensors_are_installed_where_they_are_sent() -> None:
    extra = "requirements-demo.txt"
    assert extra in make("--dry-run", "demo").stdout
    assert extra in make("--dry-run", "test").stdout
    for own in ("TENSOR=own.npy", "MODEL=own.onnx"):
        assert extra not in make("--dry-run", "demo", own).stdout


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        (["TENSOR=-w.npy"], "demo: -w.npy: no such file"),
        (["TENSOR=two words[1].npy"], "demo: two words[1].npy: no such file"),
        (["MODEL=-m.onnx", "TENSOR=-w*"], "demo: -m.onnx: no such file"),
        (["TENSOR=w.npy", "TABLE=-t.json"], "-t.json"),
        (["FLOAT=int4"], "FLOAT: invalid choice: 'int4'"),
    ],
)
def test_names_of_the_demo_reach_it_as_they_are(variables: list[str], complaint: str) -> None:
    assert complaint in only_line(make("demo", *variables))
