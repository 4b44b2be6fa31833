# SPDX-License-Identifier: Apache-2.0
"""A new codec is known to every command by its folders alone.

The files of a toy codec, in scripts/tests/toy_codec, are put into a copy of the project, with two
lines in the list of codecs of the model and no other change.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest

from scripts import setup
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.paths import ROOT

pytestmark = pytest.mark.skipif(
    chosen_simulator() != "verilator",
    reason="its commands run Verilator, whatever SIM says: once is enough",
)

TOY = Path(__file__).with_name("toy_codec")
PARTS = ("docs", "model", "rtl", "scripts", "tb")
LINES = {  # of model/codecs.py -> what is put behind it
    "import signed_values\n": "from .toy import decode_toy, encode_toy\n",
    "    APACK,\n": '    Codec("toy", "Toy", encode_toy, decode_toy),\n',
}
OF_USER = ("CXX", "HOME", "LANG", "LIBERTY", "PATH", "TMPDIR")
INSTALLED = """
from pathlib import Path
from scripts.setup import expected_stamp, stamp_path
for path in Path.cwd().glob("requirements*.txt"):
    stamp_path(path).write_text(expected_stamp(path), encoding="utf-8")
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project with the toy, whose .venv has the packages of the one that runs this."""
    copy = tmp_path / "project"
    copy.mkdir()
    # A test that matches the toy's name would be run there as well.
    left_out = shutil.ignore_patterns("__pycache__", Path(__file__).name, TOY.name)
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=left_out)
    for path in (*ROOT.glob("requirements*.txt"), *ROOT.glob("*.*"), ROOT / "Makefile"):
        if path.is_file():
            shutil.copy(path, copy)
    shutil.copytree(TOY, copy, dirs_exist_ok=True)
    codecs = copy / "model" / "codecs.py"
    text = codecs.read_text(encoding="utf-8")
    for place, line in LINES.items():
        assert place in text
        text = text.replace(place, place + line, 1)
    codecs.write_text(text, encoding="utf-8")
    lend_packages(copy)
    return copy


def lend_packages(copy: Path) -> None:
    """Give a copy a .venv that finds the packages that are installed here, as if it had its own."""
    environment = copy / ".venv"
    venv.create(environment, symlinks=True)
    packages = Path(sysconfig.get_path("purelib"))
    (own,) = environment.glob("lib/python*/site-packages")
    (own / "packages.pth").write_text(f"{packages}\n", encoding="utf-8")
    for tool in Path(sys.executable).parent.iterdir():
        if not (environment / "bin" / tool.name).exists():
            (environment / "bin" / tool.name).symlink_to(tool)
    subprocess.run([environment / "bin" / "python", "-c", INSTALLED], cwd=copy, check=True)


def make(copy: Path, *arguments: str, code: int = 0) -> str:
    """What a command prints, which has to end with this exit code."""
    kept = {name: os.environ[name] for name in OF_USER if name in os.environ}
    done = subprocess.run(
        ["make", *arguments], cwd=copy, env=kept, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    assert "setup: installing" not in done.stdout
    return done.stdout


def leave_only_the_toy(copy: Path) -> None:
    """Remove the hardware of all others: no command needs any of them, and it takes less time."""
    for folder in copy.glob("rtl/*"):
        if folder.name != "toy":
            shutil.rmtree(folder)
            shutil.rmtree(copy / "tb" / folder.name, ignore_errors=True)


def test_a_new_codec_has_tests_coverage_plan_and_lint(copy: Path) -> None:
    listed = make(copy, "list", "TEST=toy_invert")
    assert "toy / toy_invert: byte, bit\n" in listed
    leave_only_the_toy(copy)
    covered = make(copy, "coverage", "TEST=toy_invert", "SEED=1")
    assert "2 passed" in covered
    (row,) = (line for line in covered.splitlines() if line.startswith("toy_invert "))
    assert {*row.split()[1:]} == {"100.00"}, row
    assert "1 features, 1 tests, 1 cover points" in make(copy, "testplan")
    make(copy, "docs")
    page = copy / "docs" / "toy" / "modules.md"
    assert "| `toy_invert` | " in page.read_text(encoding="utf-8")
    assert "rtl/toy/toy_invert.v" in (copy / "apack.core").read_text(encoding="utf-8")
    linted = make(copy, "lint")
    assert "1 modules" in linted and "0 findings" in linted


def test_a_new_codec_is_mutated_and_synthesized(copy: Path) -> None:
    make(copy, "mutate", "DESIGN=toy_*", "MUTANTS=12", "SEEDS=1")
    found = json.loads((copy / "build" / "mutate" / "mutate.json").read_text(encoding="utf-8"))
    assert [one["module"] for one in found["modules"]] == ["toy_invert"]
    if setup.liberty() is None:
        pytest.skip(setup.missing(setup.LIBERTY))
    make(copy, "synth", "DESIGN=toy_*", "ECP5=0", f"LIBERTY={setup.liberty()}")
    made = json.loads((copy / "build" / "synth" / "synth.json").read_text(encoding="utf-8"))
    assert [design["name"] for design in made["designs"]] == ["toy_invert"]


def test_a_new_codec_has_a_demo_and_a_place_among_all_codecs(copy: Path) -> None:
    tensor = copy / "own.npy"
    np.save(tensor, np.arange(-50, 50, dtype=np.int8))
    shown = make(copy, "demo", "CODEC=toy", f"TENSOR={tensor}", "BLOCK=32", "WAVES=1")
    assert "PASSED: 100 of 100 values came back, 100 of 100 words equal the model's" in shown
    assert (copy / "build" / "demo" / "waves.gtkw").is_file()
    summary = json.loads((copy / "build" / "demo" / "summary.json").read_text(encoding="utf-8"))
    assert summary["total"]["footprint"] == 1
    assert "there is no codec 'none' with hardware, but apack, toy\n" in make(
        copy, "demo", "CODEC=none", code=2
    )
    assert "'toy' has no RATES" in make(copy, "throughput", "CODEC=toy", code=2)
    assert "'toy' has no LOOP" in make(copy, "bench-sim", "CODEC=toy", code=2)
    command = [copy / ".venv" / "bin" / "python", "-m", "model", "compare", tensor]
    compared = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert "Toy" in compared.stdout, compared.stderr
