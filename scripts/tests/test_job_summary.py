# SPDX-License-Identifier: Apache-2.0
"""The summary of a job of GitHub's: each step adds its figures, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.regress.command import write_summary
from scripts.regress.run import Run
from scripts.runs import job_summary
from scripts.runs.collect import environment
from scripts.runs.job_summary import JOB_SUMMARY, MOST_LINES, add_to_summary
from scripts.runs.jobs import FAILED, PASSED, Job, Outcome
from scripts.test import main as run_tests
from tb.sim.cocotb_run import chosen_simulator


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "summary.md"
    monkeypatch.setenv(JOB_SUMMARY, str(path))
    return path


def test_each_step_adds_a_table(summary: Path) -> None:
    add_to_summary("One", {"passed": 12345, "score": "99.03 %"})
    add_to_summary("Two", {"failed": 1}, ["a | b\nc"])
    assert summary.read_text() == (
        "### One\n\n| figure | value |\n| --- | --- |\n| passed | 12,345 |\n| score | 99.03 % |\n\n"
        "### Two\n\n| figure | value |\n| --- | --- |\n| failed | 1 |\n\n- `` a | b c ``\n\n"
    )


def test_no_text_breaks_the_table_or_the_list(summary: Path) -> None:
    lines = [f"line {number} `` | <b>" for number in range(MOST_LINES + 3)]
    add_to_summary("One", {"a|b": "c\n| d"}, lines)
    text = summary.read_text()
    assert r"| a\|b | c \| d |" in text
    assert "- `` line 0 ` ` | <b> ``\n" in text
    assert text.count("- ``") == MOST_LINES
    assert "- and 3 more\n" in text


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_written_elsewhere(monkeypatch, value: str | None) -> None:
    monkeypatch.delenv(JOB_SUMMARY, raising=False)
    if value is not None:
        monkeypatch.setenv(JOB_SUMMARY, value)
    monkeypatch.setattr(job_summary, "Path", None)  # nothing is to be opened
    add_to_summary("One", {"a": 1})


def test_a_summary_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv(JOB_SUMMARY, str(tmp_path / "no" / "folder"))
    add_to_summary("One", {"a": 1})
    assert capsys.readouterr().err == (
        f"summary: {tmp_path}/no/folder cannot be written: No such file or directory\n"
    )


def test_tests_that_ran_are_counted_and_what_they_run_adds_nothing(summary: Path, capfd) -> None:
    toys = ["--tests", "scripts/tests/regress_toys.py"]
    arguments = ["--sim", chosen_simulator(), "--jobs", "1", "--seed", "7", *toys]
    assert run_tests([*arguments, "--test", "odd or skips or counts_no or hears_of"]) == 1
    text = summary.read_text()
    assert f"### Tests on {chosen_simulator()}, SEED=7\n" in text
    assert "| passed | 2 |\n| failed | 1 |\n| skipped | 1 |\n" in text
    assert "- `` scripts/tests/regress_toys.py::test_odd_seed_fails ``" in text
    assert JOB_SUMMARY not in environment(chosen_simulator())


def test_a_regression_adds_its_jobs(summary: Path) -> None:
    jobs = [Job("tb/test_a.py::test_x", seed, "icarus", "test_x", 1, "x") for seed in (1, 2)]
    outcomes = [Outcome(jobs[0], PASSED), Outcome(jobs[1], FAILED, "why")]
    run = Run("icarus", 1, 2, 1, "here", outcomes=outcomes, left_out=["tb/test_a.py::test_y"])
    write_summary(run, ["lines are too few"])
    text = summary.read_text()
    assert "### Regression on icarus, SEED=1\n" in text
    assert "| passed | 1 |\n| failed | 1 |" in text and "| pass rate | 50.00 % |" in text
    assert "| part | 1 of 2 tests |" in text
    assert "- `` failed: make test SIM=icarus SEED=2 TEST='test_x' ``" in text
    assert "- `` lines are too few ``" in text
