# SPDX-License-Identifier: Apache-2.0
"""What the pages for users tell to do works: examples run, links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scripts.environment import environment_of
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.paths import ROOT
from tb.sim.tools import ToolMissing, find_simulator

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
VERIFICATION, INTEGRATION = ROOT / "docs" / "verification.md", ROOT / "docs" / "integration.md"
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def blocks(page: Path, language: str) -> list[str]:
    """The code of a page that is marked with a language, or with none."""
    pattern = rf"^ *```{language}\n(.*?)^ *```$"
    return re.findall(pattern, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for name, place in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name} links to {name}"
        assert not place or place in anchors(target), f"{page.name} links to {name}#{place}"


def anchors(page: Path) -> set[str]:
    """What headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_the_test_of_ones_own_passes_and_can_fail() -> None:
    example = next(text for text in blocks(VERIFICATION, "python") if "def test_ramp" in text)
    done = own_test(example)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    done = own_test(example.replace("widths.image(values,", "widths.image(values + 1,"))
    assert done.returncode == 1
    assert "memory: beat 0 is" in done.stdout


def own_test(text: str) -> subprocess.CompletedProcess[str]:
    """Run a test in a folder of its own inside of the repository, as a user's is."""
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="own_") as folder:
        path = Path(folder) / "test_mine.py"
        path.write_text(text, encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)], cwd=ROOT,
            env={**os.environ, "SIM": chosen_simulator(), "SEED": "1", "COVERAGE": "0"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


def test_editor_settings_are_json() -> None:
    settings = [json.loads(text) for text in blocks(VERIFICATION, "json")]
    assert len(settings) == 2
    for folder in settings[0]["python.testing.pytestArgs"]:
        assert (ROOT / folder).is_dir()


def test_named_folders_are_there() -> None:
    rows = re.findall(r"^\| `([^|]*)` \|", VERIFICATION.read_text(encoding="utf-8"), re.MULTILINE)
    named = [name for row in rows for name in row.split("`, `") if "/" in name and "<" not in name]
    assert len(named) >= 8
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("tool", ["verilator", "icarus"])
def test_tools_take_the_file_lists(tool: str, tmp_path: Path) -> None:
    try:
        find_simulator(tool)
    except ToolMissing as missing:
        pytest.skip(str(missing))
    lines = blocks(INTEGRATION, "")[0].splitlines()
    (line,) = (line for line in lines if tool.replace("icarus", "iverilog") in line)
    program = tmp_path / "unit.vvp"
    line = line.replace("/tmp/apack_compressor.vvp", f"'{program}'")
    environment = {**os.environ, **environment_of(find_simulator("verilator"))}
    done = subprocess.run(
        line, shell=True, cwd=ROOT, text=True, env=environment, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert program.is_file() == (tool == "icarus")


@pytest.mark.parametrize("tool", ["Vivado", "Quartus"])
def test_tcl_names_every_source_of_the_list(tool: str) -> None:
    if shutil.which("tclsh") is None:
        pytest.skip("tclsh is missing: install tcl")
    (script,) = (text for text in blocks(INTEGRATION, "tcl") if text.startswith(f"# {tool}"))
    commands = (
        "proc read_verilog {path} { puts $path }\n"
        "proc set_global_assignment {name kind path} { puts $path }\n"
    )
    done = subprocess.run(
        ["tclsh"], input=commands + script, cwd=ROOT, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    text = (ROOT / "rtl" / "apack" / "apack_compressor.f").read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if not line.startswith("//")]
    assert done.stdout.splitlines() == [f"rtl/apack/{name}" for name in names]


def test_fusesoc_commands_name_targets_of_the_core() -> None:
    named = re.findall(r"--target=(\w+)", INTEGRATION.read_text(encoding="utf-8"))
    core = (ROOT / "apack.core").read_text(encoding="utf-8")
    assert named
    assert not [name for name in named if f"\n  {name}:\n" not in core]
