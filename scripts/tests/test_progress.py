# SPDX-License-Identifier: Apache-2.0
"""Progress at a terminal and in a log."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import BarColumn

from model.cli import progress
from scripts.runs.collect import ROOT


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time, in seconds, as the module sees it."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def steps(clock: list[float], seconds: float, terminal: bool = False) -> str:
    """What is printed of a hundred steps that take some time each."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80)
    with progress.Progress(BarColumn(), console=console, transient=True) as bar:
        task = bar.add_task("[values]", total=1200)
        for _ in range(100):
            clock[0] += seconds
            bar.advance(task, 12)
    return file.getvalue()


def test_a_log_gets_a_line_now_and_then(clock: list[float]) -> None:
    lines = steps(clock, 1.0).splitlines()
    assert len(lines) == 10
    assert re.fullmatch(r"\[values\]: 120 of 1,200 \(10 %\), \d+ s", lines[0])
    assert lines[-1].startswith("[values]: 1,200 of 1,200 (100 %)")


def test_a_short_command_prints_no_progress_into_a_log(clock: list[float]) -> None:
    assert steps(clock, 0.09) == ""


def test_a_terminal_has_a_bar_and_no_lines(clock: list[float]) -> None:
    output = steps(clock, 1.0, terminal=True)
    assert "\x1b[" in output and "of 1,200" not in output


@pytest.mark.parametrize("terminal", [True, False])
def test_a_stage_is_said(terminal: bool) -> None:
    file = io.StringIO()
    with progress.stage(Console(file=file, force_terminal=terminal), "building [it]"):
        pass
    assert file.getvalue() == "building [it]\n" or (terminal and "building" in file.getvalue())


def test_every_command_has_this_progress() -> None:
    own = Path(progress.__file__)
    for path in [*(ROOT / "scripts").rglob("*.py"), *(ROOT / "model").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        bars = re.findall(r"^from rich\.progress import .*\b(?:Progress|track)\b", text, re.M)
        assert path == own or not bars, f"{path.relative_to(ROOT)} has a bar that no log shows"
