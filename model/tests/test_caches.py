# SPDX-License-Identifier: Apache-2.0
"""Where compiled code goes, and what is printed where the terminal lacks a character."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from model import caches

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in caches.VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)


def deny(monkeypatch: pytest.MonkeyPatch, *denied: Path) -> None:
    access = os.access
    monkeypatch.setattr(
        caches.os, "access", lambda path, mode: Path(path) not in denied and access(path, mode)
    )


def test_caches_are_in_the_project(tmp_path: Path) -> None:
    caches.place_caches(tmp_path / "build" / "cache")
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "build" / "cache" / "numba")
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "build" / "cache" / "matplotlib")


def test_a_place_that_is_chosen_stays(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/elsewhere")
    caches.place_caches(tmp_path)
    assert os.environ["NUMBA_CACHE_DIR"] == "/elsewhere"
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "matplotlib")


def test_a_project_that_cannot_be_written_leaves_the_home_folder(
    tmp_path: Path, monkeypatch
) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    project.mkdir()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    deny(monkeypatch, project)
    caches.place_caches(project / "build")
    assert "NUMBA_CACHE_DIR" not in os.environ


def test_an_installed_package_has_no_caches_in_the_project(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    caches.place_caches(None)
    assert not set(caches.VARIABLES) & set(os.environ)
    assert caches.CACHE == ROOT / "build" / "cache"


@pytest.mark.parametrize("home", [None, "/nowhere", "project"])
def test_without_any_place_there_is_one_for_this_process(
    tmp_path: Path, monkeypatch, home: str | None
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.delenv("HOME", raising=False)
    if home:
        monkeypatch.setenv("HOME", str(project) if home == "project" else home)
    monkeypatch.setattr(caches, "mkdtemp", lambda prefix: str(tmp_path / "own"))
    deny(monkeypatch, project)
    caches.place_caches(project / "build")
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "own" / "numba")


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONOPTIMIZE": "2"},
    ],
)
def test_the_command_line_in_odd_surroundings(tmp_path: Path, variables: dict) -> None:
    code = (
        "import sys; import numpy as np; from model.cli.main import main\n"
        "np.savez(sys.argv[1] + '/w.npz', **{'gr\\xf6 \\u2026': np.arange(9, dtype=np.int8)})\n"
        "sys.exit(main(['compress', sys.argv[1] + '/w.npz', '-o', sys.argv[1] + '/w.apack'])"
        " or main(['info', sys.argv[1] + '/w.apack']))\n"
    )
    dropped = ("HOME", "PYTHONIOENCODING", "PYTHONUTF8")
    environment = {name: v for name, v in os.environ.items() if name not in dropped} | variables
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()  # where the machine is slow, how far it is
    assert all(line.startswith((b"compress: ", b"entropy: ")) for line in lines), done.stderr
    assert b"9 values" in done.stdout
