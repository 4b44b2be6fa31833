# SPDX-License-Identifier: Apache-2.0
"""make test DEBUG=1, and what a breakpoint does without it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios

import pytest

from scripts import test as command
from scripts.runs.collect import ROOT
from tb.sim import breakpoints
from tb.sim.cocotb_run import chosen_simulator

TOYS = "scripts/tests/debug_toys.py"
STOPS = ("test_stops_in_the_simulation[breakpoint]", "test_stops_in_the_simulation[pdb]")


def arguments_for(test: str) -> list[str]:
    seed = ["--seed", "1", "--jobs", "1"]
    return ["--sim", chosen_simulator(), *seed, "--test", f"{TOYS}::{test}"]


@pytest.mark.parametrize("test", [*STOPS, "test_stops_outside"])
def test_a_breakpoint_without_a_terminal_fails_at_once(capfd, test: str) -> None:
    assert command.main(arguments_for(test)) == 1
    output = capfd.readouterr().out
    again = f"make test SIM={chosen_simulator()} SEED=1 TEST='{TOYS}::{test}' DEBUG=1"
    assert f"a breakpoint needs a terminal: {again}" in output
    assert "1 failed" in output


@pytest.mark.parametrize("test", [*STOPS, "test_stops_outside"])
def test_a_breakpoint_at_a_terminal_has_its_prompt(test: str) -> None:
    command = [sys.executable, "-m", "scripts.test", "--debug", *arguments_for(test)]
    mine, its = pty.openpty()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=its, stdout=its, stderr=its, start_new_session=True,
        env={**os.environ, "TERM": "dumb", "PYTHONBREAKPOINT": ""},
    ) as process:  # fmt: skip
        os.close(its)
        output = read_to(mine, "(Pdb) ")
        os.write(mine, b"p 6 * 7\n")
        output += read_to(mine, "42")
        os.write(mine, b"c\n")
        output += read_to(mine)
        assert process.wait() == 0, output
    os.close(mine)
    assert "1 passed" in output
    assert "timeout" not in output, "the simulation has a limit"


def test_an_interrupt_at_the_prompt_ends_the_run_and_leaves_the_terminal_as_it_was() -> None:
    command = [sys.executable, "-m", "scripts.test", "--debug", *arguments_for(STOPS[0])]
    mine, its = pty.openpty()
    before = termios.tcgetattr(its)
    with subprocess.Popen(
        command, cwd=ROOT, stdin=its, stdout=its, stderr=its, start_new_session=True,
        env={**os.environ, "TERM": "dumb", "PYTHONBREAKPOINT": ""},
        # What a shell starts in the background ignores interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        output = read_to(mine, "(Pdb) ")
        assert termios.tcgetattr(its) != before, "the prompt has no readline"
        os.killpg(process.pid, signal.SIGINT)
        output += read_to(mine, "no tests ran")
        assert process.wait() == 2, output
    assert termios.tcgetattr(its) == before
    os.close(mine)
    os.close(its)


def read_to(terminal: int, wanted: str | None = None) -> str:
    """What comes from a terminal until `wanted`, or until its other side is closed."""
    text = ""
    while wanted is None or wanted not in text:
        try:
            found = os.read(terminal, 4096)
        except OSError:  # as Linux says that the other side is closed
            found = b""
        if not found:
            assert wanted is None, f"no {wanted!r} in {text}"
            break
        text += found.decode(errors="replace")
    return text


@pytest.mark.parametrize("selection", [TOYS + "::test_stops_in_the_simulation", "stops", None])
def test_several_tests_at_a_terminal_are_one_line(capfd, selection: str | None) -> None:
    chosen = ["--test", selection] if selection else []
    arguments = ["--sim", chosen_simulator(), "--debug", *chosen]
    assert command.main([*arguments, "--tests", TOYS]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("test: DEBUG=1 runs one test")
    assert all(f"TEST='{TOYS}::{name}'" in line for name in STOPS)


def test_no_test_at_a_terminal_is_one_line(capfd) -> None:
    arguments = ["--sim", chosen_simulator(), "--debug", "--test", "absent"]
    assert command.main([*arguments, "--tests", TOYS]) == 2
    assert capfd.readouterr().err == "test: no test matches TEST='absent'\n"


def test_the_command_of_a_breakpoint_can_be_pasted(monkeypatch) -> None:
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "tb/x.py::test_a[it's $5] (call)")
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {breakpoints.hint().rpartition(': ')[2]}"],
        text=True, capture_output=True,
    )  # fmt: skip
    assert "TEST=tb/x.py::test_a[it's $$5]" in done.stdout.splitlines(), "make takes $$ for $"
