# SPDX-License-Identifier: Apache-2.0
"""What people see when they call make."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tb.sim.paths import ROOT


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


def test_a_debugger_is_for_make_test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    shown = make("--eval", "shown: ; @env", "shown").stdout.splitlines()
    assert not any(line.startswith("DEBUG=") for line in shown)
    assert "--debug" in make("-n", "test").stdout


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


@pytest.fixture
def pythons(tmp_path: Path) -> Path:
    """A project with nothing but its Makefile, and interpreters that say what they are."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text("utf-8"), "utf-8")
    for name in (".venv/bin/python", "bin/python3", "bin/python3.13"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\n[ "$2" = -c ] || echo {name} >> {tmp_path}/used\n', "utf-8")
        path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("command_line", "environment", "broken", "used"),
    [
        ([], {}, False, ".venv/bin/python"),
        ([], {}, True, "bin/python3"),
        (["PYTHON=python3.13"], {}, False, "bin/python3.13"),
        ([], {"PYTHON": "python3.13"}, False, "bin/python3.13"),
        ([], {"PYTHON": ""}, False, ".venv/bin/python"),
    ],
)
def test_the_python_of_the_environment_stays_until_another_is_asked_for(
    pythons: Path, command_line: list[str], environment: dict, broken: bool, used: str
) -> None:
    if broken:  # its interpreter is gone
        (pythons / ".venv/bin/python").unlink()
        (pythons / ".venv/bin/python").symlink_to("/nowhere/python3.12")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    clean.pop("PYTHON", None)
    path = f"{pythons / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["make", "setup", *command_line], cwd=pythons, env={**clean, **environment, "PATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (pythons / "used").read_text("utf-8").split() == [used]


def test_what_runs_no_python() -> None:
    assert "/bin/false does not run Python (exit code 1)" in only_line(
        make("setup", "PYTHON=/bin/false")
    )


@pytest.mark.parametrize("variable", ["TENSOR", "TABLE", "MODEL", "BLOCK", "JOBS"])
def test_a_value_may_begin_with_a_dash(variable: str) -> None:
    command = make("--dry-run", "demo", f"{variable}=-w.npy").stdout
    assert f'${{{variable}:+--{variable.lower()}="${variable}"}}' in command


@pytest.mark.parametrize(("value", "on"), [("No", False), ("", False), ("off", False), ("1", True)])
def test_variables_that_are_off(value: str, on: bool) -> None:
    assert ("--waves" in make("--dry-run", "demo", f"WAVES={value}").stdout) is on
    assert ("--coverage" in make("--dry-run", "test", f"COVERAGE={value}").stdout) is on
    assert ("--no-ecp5" in make("--dry-run", "synth", f"ECP5={value}").stdout) is not on


def test_an_ecp5_is_synthesized_for_by_default() -> None:
    assert "--no-ecp5" not in make("--dry-run", "synth").stdout


@pytest.mark.parametrize(
    ("variable", "complaint"),
    [
        ("CXX=nosuch-compiler", "CXX='nosuch-compiler' is no C++ compiler here"),
        ("CXX=env nosuch-compiler", "CXX='env nosuch-compiler' is no C++ compiler here"),
        ('CXX="g++', "CXX='\"g++' is no C++ compiler here"),
    ],
)
def test_a_compiler_that_is_none_is_named(variable: str, complaint: str) -> None:
    assert complaint in only_line(make("demo", variable, "SIM=verilator"))


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
    assert re.search(r'setup\.py --need "\$SIM" .*--extra requirements-regress\.txt', commands)


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
