# SPDX-License-Identifier: Apache-2.0
"""`pip install .`: the command `apack`, without the repository and with its dependencies alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

import model

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = {
    requirement.name.lower(): next(iter(requirement.specifier)).version
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#") and (requirement := Requirement(line))
}


@dataclass(frozen=True)
class Installed:
    """A wheel, the folder it is installed in, the one it was built in, and what it may import."""

    wheel: Path
    target: Path
    source: Path
    dependencies: Path

    def run(self, folder: Path, *arguments: object) -> subprocess.CompletedProcess:
        """`apack` in `folder`; no path file of .venv, such as the project's, has an effect."""
        places = os.pathsep.join(map(str, (self.target, self.dependencies)))
        environment = {n: value for n, value in os.environ.items() if n != "NUMBA_CACHE_DIR"}
        return subprocess.run(
            [sys.executable, "-S", self.target / "bin" / "apack", *map(str, arguments)],
            cwd=folder,
            env={**environment, "PYTHONPATH": places},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The project built from a copy of its sources, and installed beside links to what it needs."""
    folder = tmp_path_factory.mktemp("install")
    source, wheels, target = folder / "source", folder / "wheels", folder / "target"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "model", source / "model", ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", source, "--no-deps", "--no-build-isolation", "--wheel-dir", wheels)
    (wheel,) = wheels.iterdir()
    pip("install", wheel, "--no-deps", "--no-index", "--target", target)
    return Installed(wheel, target, source, linked(PROJECT["dependencies"], folder / "needed"))


def pip(*arguments: object) -> None:
    """Run the pip of .venv, with none of its user's settings."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "--isolated", *map(str, arguments)],
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def linked(requirements: list[str], folder: Path) -> Path:
    """A folder with links to the installed files of these packages and of those they need."""
    folder.mkdir()
    left, seen = [Requirement(line) for line in requirements], set()
    while left:
        requirement = left.pop()
        marker = requirement.marker
        if requirement.name in seen or (marker and not marker.evaluate({"extra": ""})):
            continue
        seen.add(requirement.name)
        found = distribution(requirement.name)
        left += map(Requirement, found.requires or [])
        for top in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
            link = folder / top
            if not link.exists():
                link.symlink_to(found.locate_file(top))
    return folder


def test_values_come_back_bit_for_bit(installed: Installed, tmp_path: Path) -> None:
    values = np.random.default_rng(0).laplace(0, 9, (60, 200)).clip(-128, 127).astype(np.int8)
    np.save(tmp_path / "w.npy", values)
    done = installed.run(tmp_path, "compress", "w.npy", "-o", "w.apack", "--method", "paper")
    assert done.returncode == 0, done.stderr
    assert "12,000" in done.stdout
    done = installed.run(tmp_path, "decompress", "w.apack", "-o", "back.npy")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back.npy").read_bytes() == (tmp_path / "w.npy").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back.npy", "w.apack", "w.npy"]
    assert not (installed.target / "build").exists()  # where a clone has its caches


def test_the_version_is_that_of_the_sources(installed: Installed, tmp_path: Path) -> None:
    assert installed.run(tmp_path, "--version").stdout == f"apack {model.__version__}\n"
    assert installed.wheel.name.startswith(f"apack_model-{model.__version__}-")
    done = subprocess.run(
        [sys.executable, "-m", "model", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == f"apack {model.__version__}\n"


def test_messages_have_the_name_of_the_command(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(tmp_path, "info", "absent.apack")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("apack: absent.apack: ")
    assert "  apack solve histogram.npy" in installed.run(tmp_path, "solve", "--help").stdout


def test_a_file_whose_reader_is_not_installed_is_one_line(
    installed: Installed, tmp_path: Path
) -> None:
    (tmp_path / "x.onnx").write_bytes(b"\x08\x08")
    done = installed.run(tmp_path, "compress", "x.onnx", "-o", "x.apack")
    needed = "apack: x.onnx: needs the package onnx, which is not installed: pip install onnx\n"
    assert (done.returncode, done.stderr) == (2, needed)


def test_codecs_whose_packages_are_not_installed_are_left_out(
    installed: Installed, tmp_path: Path
) -> None:
    text = installed.run(tmp_path, "compare", "--help").stdout
    assert "codecs: APack; RLE; " in text and "zstd" not in text and "mlw" not in text


def test_the_wheel_has_all_but_the_tests(installed: Installed) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    expected = {
        f"apack_model/{path.relative_to(ROOT / 'model').as_posix()}"
        for path in (ROOT / "model").rglob("*")
        if path.suffix in (".py", ".html") and "tests" not in path.relative_to(ROOT).parts
    }
    assert {name for name in names if not name.startswith("apack_model-")} == expected


def test_building_leaves_the_sources_as_they_are(installed: Installed) -> None:
    left = {path.name for path in installed.source.iterdir()}
    assert left - {"build"} == {"pyproject.toml", "setup.py", "README.md", "LICENSE", "model"}
    folders = [path for path in (installed.source / "model").rglob("*") if path.is_dir()]
    assert not [path for path in folders if path.suffix == ".egg-info"]


@pytest.mark.parametrize(
    "line", [*chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())]
)
def test_what_is_pinned_for_development_satisfies_the_package(line: str) -> None:
    requirement = Requirement(line)
    assert requirement.specifier.contains(PINNED[requirement.name.lower()])
