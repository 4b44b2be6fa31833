"""make test TEST=...: a word that names nothing is told before pytest starts."""

from __future__ import annotations

from uuid import uuid4

import pytest

from scripts import test as command
from scripts.regress.collect import NothingSelected, SelectionError
from scripts.simulators import chosen_simulator


def absent() -> str:
    """A word that stands in no source."""
    return f"absent{uuid4().hex}"


def test_words_of_names_of_files_and_of_parameters_are_known() -> None:
    assert command.is_known("test_uvm and Streams and not (apack_decompressor or one-engine)")
    assert command.is_known("TEST_PART[apack_encoder-VALUE_W]")
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
