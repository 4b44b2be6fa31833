# SPDX-License-Identifier: Apache-2.0
"""apack.core has all sources, and FuseSoC checks and simulates with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from model import __version__
from model.apack import histogram, solve
from scripts.docs.fusesoc_core import CORE, core
from scripts.environment import environment_of
from tb.apack.bulk.round_trip import HERE, Sent, input_files
from tb.sim.modules import rtl_modules
from tb.sim.paths import ROOT
from tb.sim.tools import ToolMissing, find_simulator

COUNT, BLOCK = 4096, 512
FUSESOC = Path(sys.executable).with_name("fusesoc")


def test_the_core_has_every_source_of_rtl() -> None:
    text = CORE.read_text(encoding="utf-8")
    assert text == core(text), "apack.core is old: make docs"
    plan = yaml.safe_load(text)
    names = [entry for part in plan["targets"]["default"]["filesets"]
             for entry in plan["filesets"][part]["files"] if isinstance(entry, str)]  # fmt: skip
    assert sorted(ROOT / name for name in names) == sorted(rtl_modules().values())


def test_the_core_has_the_version_of_the_project() -> None:
    name = yaml.safe_load(CORE.read_text(encoding="utf-8"))["name"]
    assert name == f"::apack:{__version__}"
    assert f"To become {__version__}," in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_a_core_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no markers for filesets"):
        core("CAPI=2:\n")


def test_what_the_simulation_sends_is_the_licence_with_its_own_table() -> None:
    values = np.fromfile(ROOT / "LICENSE", np.uint8)[:COUNT]
    sent = Sent(values, solve(histogram(values, value_w=8)))
    for name, lines in input_files([sent], BLOCK, overlap=True).items():
        assert (HERE / f"licence_{name}").read_text(encoding="ascii") == "".join(lines)


def test_lint_has_no_finding(tmp_path: Path) -> None:
    done = fusesoc("lint", ROOT, tmp_path, environment_of(find_simulator("verilator")))
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files of the core alone."""
    folder = tmp_path / "copy"
    shutil.copytree(ROOT / "rtl", folder / "rtl")
    for path in (HERE, HERE.parent / "loop"):
        shutil.copytree(path, folder / path.relative_to(ROOT))
    for name in (CORE.name, "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_the_simulation_passes(copy: Path, tmp_path: Path) -> None:
    done = simulated(copy, tmp_path)
    assert done.returncode == 0, done.stdout
    assert "all 4096 values came back" in done.stdout


def test_the_simulation_fails_when_one_value_comes_back_wrong(copy: Path, tmp_path: Path) -> None:
    path = copy / "rtl" / "apack" / "apack_decompressor.v"
    text = path.read_text(encoding="utf-8")
    right = "m_axis_values_tdata  = out_data_reg & "
    assert text.count(right) == 1
    wrong = right.replace("out_data_reg", "(out_data_reg ^ m_axis_values_tlast)")
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    done = simulated(copy, tmp_path)
    assert done.returncode != 0
    assert "value 4088 is" in done.stdout


def simulated(folder: Path, work: Path) -> subprocess.CompletedProcess[str]:
    """Run the target `sim`."""
    try:
        find_simulator("icarus")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    return fusesoc("sim", folder, work, {})


def fusesoc(
    target: str, folder: Path, work: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a target of the core in `folder`, which takes no settings of the user's."""
    command = [FUSESOC, "--cores-root", folder, "run", f"--target={target}"]
    return subprocess.run(
        [*command, "--work-root", work / "work", "::apack"], cwd=work, text=True,
        env={**os.environ, **environment, "HOME": str(work), "XDG_CONFIG_HOME": str(work)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
