# SPDX-License-Identifier: Apache-2.0
"""make test TEST=...: a word that names nothing is told before pytest starts."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from scripts import test as command
from scripts.runs import last_run
from scripts.runs.collect import NothingSelected, SelectionError
from tb.sim.cocotb_run import chosen_simulator


def absent() -> str:
    """A word that stands in no source."""
    return f"absent{uuid4().hex}"


def test_words_of_names_of_files_and_of_parameters_are_known() -> None:
    assert command.is_known("test_uvm and Streams and not (apack_decompressor or one-engine)")
    assert command.is_known("TEST_PART[apack_encoder_engine-VALUE_W]")
    assert not command.is_known(f"test_uvm or {absent()}")


def test_a_selection_of_nothing_is_one_line_and_starts_no_tests(monkeypatch, capfd) -> None:
    def start(*_: object) -> None:
        raise AssertionError("tests were started")

    monkeypatch.setattr(command, "pytest_command", start)
    word = absent()
    assert command.main(["--sim", chosen_simulator(), "--test", word]) == 2
    assert capfd.readouterr().err == f"test: no test matches TEST='{word}'\n"


def test_a_node_id_that_names_nothing_is_one_line(capfd) -> None:
    for node in ("scripts/tests/regress_toys.py::test_absent", "scripts/absent.py::test_it"):
        assert command.main(["--sim", chosen_simulator(), "--test", node]) == 2
        assert capfd.readouterr().err == f"test: no test matches TEST='{node}'\n"


@pytest.mark.parametrize("answer", [["a test"], SelectionError("a file cannot be read")])
def test_what_pytest_finds_or_cannot_read_is_left_to_the_run(monkeypatch, answer: object) -> None:
    asked = []

    def collect(selection: str, sim: str, tests: object) -> object:
        asked.append(selection)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(command, "collect", collect)
    word = absent()
    command.check_selection(f"not {word}", "icarus")
    command.check_selection("test_uvm", "icarus")
    assert asked == [f"not {word}"]


def test_only_the_tests_that_are_asked_for_can_match(monkeypatch) -> None:
    monkeypatch.setattr(command, "is_known", lambda selection: False)
    with pytest.raises(NothingSelected):
        command.check_selection("test_uvm and test_rtl", "icarus", ["scripts/tests/test_rtl.py"])


@pytest.mark.parametrize(("most", "failed"), [(None, 2), ("1", 1)])
def test_a_run_may_end_at_its_first_failure(capfd, most: str | None, failed: int) -> None:
    arguments = ["--sim", chosen_simulator(), "--seed", "7", "--jobs", "1"]
    arguments += ["--test", "odd_seed or bad_seed", "--tests", "scripts/tests/regress_toys.py"]
    assert command.main([*arguments, *(["--maxfail", most] if most else [])]) == 1
    assert f"{failed} failed" in capfd.readouterr().out


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for the records of runs."""
    monkeypatch.setenv(last_run.RESULTS, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_failed_last_runs_again_with_the_seed_of_that_run(
    runs: Path, capfd, jobs: str
) -> None:
    toys = "scripts/tests/regress_toys.py"
    common = ["--sim", chosen_simulator(), "--jobs", jobs]
    tests = ["--tests", toys, "--test", "odd_seed or bad_seed or skips or counts_no"]
    assert command.main([*common, *tests, "--seed", "7"]) == 1
    capfd.readouterr()
    assert command.main([*common, "--last-failed"]) == 1
    output = capfd.readouterr().out
    assert "SEED=7" in output and "2 failed" in output and "passed" not in output


def test_what_is_not_repeated_stays_failed_until_it_passes(runs: Path, capfd) -> None:
    toys = "scripts/tests/regress_toys.py"
    ended = [f"{toys}::test_bad_seed_fails", f"{toys}::test_odd_seed_fails"]
    run = last_run.LastRun(chosen_simulator(), 7, dict.fromkeys(ended, last_run.FAILED))
    last_run.write_last_run(run)
    repeat = ["--sim", chosen_simulator(), "--jobs", "1", "--last-failed"]
    assert command.main([*repeat, "--test", "odd"]) == 1
    assert "1 failed" in capfd.readouterr().out
    assert sorted(last_run.read_last_run(chosen_simulator()).failed) == ended
    assert command.main([*repeat, "--seed", "2"]) == 0
    assert "2 passed" in capfd.readouterr().out
    assert command.main(repeat) == 0
    assert capfd.readouterr().out == (
        f"test: nothing failed in the last run on {chosen_simulator()}\n"
    )


def test_without_a_run_that_could_be_repeated_it_is_one_line(runs: Path, capfd) -> None:
    assert command.main(["--last-failed"]) == 2
    assert capfd.readouterr().err == "test: no earlier run: run make test first\n"
    record = runs / "icarus" / last_run.RECORD
    record.parent.mkdir()
    for text in ("{", "[]", '{"sim": "icarus", "seed": "x", "ended": {}}'):
        record.write_text(text)
        assert command.main(["--last-failed", "--sim", "icarus"]) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert line.endswith("last_run.json cannot be read: run make test first")


def test_a_test_that_is_gone_is_told_and_the_others_run(runs: Path, capfd) -> None:
    toys = "scripts/tests/regress_toys.py"
    ended = dict.fromkeys(["tb/gone.py::test_x", f"{toys}::test_gone"], last_run.FAILED)
    run = last_run.LastRun(chosen_simulator(), 3, dict(ended))
    last_run.write_last_run(run)
    assert command.main(["--last-failed"]) == 2
    assert capfd.readouterr().err.splitlines() == [
        "test: tb/gone.py::test_x and 1 more failed last and is there no more",
        "test: nothing of what failed last is there any more: run make test",
    ]
    run.ended[f"{toys}::test_odd_seed_fails"] = last_run.FAILED
    last_run.write_last_run(run)
    assert command.main(["--last-failed", "--jobs", "1"]) == 1
    assert "1 failed" in capfd.readouterr().out
