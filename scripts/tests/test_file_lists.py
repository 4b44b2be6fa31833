# SPDX-License-Identifier: Apache-2.0
"""The file lists of rtl/ are those of the sources, and tools take them from another folder."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from scripts.docs import file_lists
from scripts.environment import environment_of
from tb.sim import modules
from tb.sim.modules import rtl_modules, rtl_sources
from tb.sim.paths import ROOT
from tb.sim.tools import ToolMissing, find_simulator

LISTS = sorted(ROOT.glob("rtl/*/*.f"))
HEAD = "`resetall\n`timescale 1ns / 1ps\n`default_nettype none\n\n"


def commands(path: Path) -> list[str]:
    """The commands that the head of a list names."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("//").strip() for line in lines if line.startswith("//  ")]


def test_lists_are_those_of_the_sources() -> None:
    wanted = file_lists.file_lists()
    assert sorted(wanted) == LISTS
    old = [path.name for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    assert not old, f"{old} are old: make docs"


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_list_has_every_source_after_those_it_instantiates(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    sources = [(path.parent / line).resolve() for line in lines if not line.startswith("//")]
    assert sorted(sources) == sorted(rtl_sources(path.stem))
    for at, source in enumerate(sources):
        assert set(rtl_sources(source.stem)) <= set(sources[: at + 1])


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_verilator_takes_a_list_and_the_waivers_without_a_warning(path: Path, tmp_path) -> None:
    (command,) = (command for command in commands(path) if command.startswith("verilator "))
    words = [str(ROOT / word) if word.startswith("rtl/") else word for word in shlex.split(command)]
    assert "-Wall" in words
    done = run(words, tmp_path, environment_of(find_simulator("verilator")))
    report = "- "  # how the lines begin that some versions add without a warning
    warned = [line for line in done.stdout.splitlines() if not line.startswith(report)]
    assert (done.returncode, warned) == (0, [])
    without = [word for word in words if not word.endswith(".vlt")]
    done = run(without, tmp_path, environment_of(find_simulator("verilator")))
    assert done.returncode != 0  # the waivers are needed, and the list is what is read


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_icarus_takes_a_list(path: Path, tmp_path: Path) -> None:
    try:
        find_simulator("icarus")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    (command,) = (command for command in commands(path) if "iverilog " in command)
    folder, words = (shlex.split(part) for part in command.split("&&"))
    words[-1] = str(tmp_path / words[-1])
    done = run([*words, "-Wall"], ROOT / folder[1], {})
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / f"{path.stem}.vvp").is_file()


def test_a_list_reaches_into_other_folders_and_an_old_one_goes(tmp_path, monkeypatch) -> None:
    for name, body in (
        ("ours/ours_unit", "    ours_part p ();\n"),
        ("ours/ours_part", "    cell_part p ();\n"),
        ("cell/cell_part", ""),
    ):
        path = tmp_path / "rtl" / f"{name}.v"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEAD}module {path.stem} ();\n{body}endmodule\n\n`resetall\n")
    for folder in ("ours", "cell"):
        (tmp_path / "rtl" / folder / "lint_waivers.vlt").touch()
    old = tmp_path / "rtl" / "ours" / "ours_part.f"
    old.touch()
    monkeypatch.setattr(modules, "ROOT", tmp_path)
    monkeypatch.setattr(file_lists, "ROOT", tmp_path)
    rtl_modules.cache_clear(), rtl_sources.cache_clear()
    try:
        file_lists.write_file_lists()
    finally:
        rtl_modules.cache_clear(), rtl_sources.cache_clear()
    assert not old.exists()
    (written,) = tmp_path.glob("rtl/*/*.f")
    lines = written.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("//")] == [
        "../cell/cell_part.v",
        "ours_part.v",
        "ours_unit.v",
    ]
    assert "rtl/cell/lint_waivers.vlt rtl/ours/lint_waivers.vlt -F" in commands(written)[0]


def run(
    words: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """A command, its output and errors in one."""
    return subprocess.run(
        ["env", *(f"{name}={value}" for name, value in environment.items()), *words],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
