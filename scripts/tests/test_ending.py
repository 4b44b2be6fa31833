# SPDX-License-Identifier: Apache-2.0
"""How commands end that are interrupted, or find the disk full, or their output unread."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.console import ending
from scripts.runs.collect import ROOT
from tb.sim import builds, disk
from tb.sim.cocotb_run import chosen_simulator

TOYS = "scripts/tests/regress_toys.py"
FULL = Path("/dev/full")
ERROR = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "build/x")
SAID = "[Errno 28] No space left on device"


def start(module: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start a command in a process group of its own, and deaf to nothing, as a shell does."""
    return subprocess.Popen(
        [sys.executable, "-m", f"scripts.{module}", *arguments], cwd=ROOT, text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
    )  # fmt: skip


@pytest.mark.parametrize(("jobs", "passed"), [("1", r"4 passed"), ("2", r"[1-4] passed")])
def test_an_interrupted_test_run_ends_with_its_summary(jobs: str, passed: str) -> None:
    """By Ctrl-C, which all processes of a terminal get, while one test hangs."""
    process = start(
        "test", "--sim", chosen_simulator(), "--seed", "2", "--jobs", jobs,
        "--test", "short or test_hangs", "--tests", TOYS,
    )  # fmt: skip
    output = ""
    while not re.search(r"\.\.\.\." if jobs == "1" else r"\[5 items\]\s+\.", output):
        character = process.stdout.read(1)
        assert character, f"it ended: {output}{process.stderr.read()}"
        output += character
    os.killpg(process.pid, signal.SIGINT)
    rest, errors = process.communicate()
    output += rest
    assert process.returncode == 130
    assert re.search(rf"= {passed}(, .*)? in [0-9.]+s", output), output
    assert errors == "" and "Traceback" not in output and "INTERNALERROR" not in output
    assert "FAILED" not in output, "an end is no failure"


@pytest.mark.parametrize("module", ["test", "demo", "waves", "regress", "mutate"])
def test_an_interrupt_while_libraries_load_is_one_line(module: str) -> None:
    script = (
        "import runpy, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tb.sim.tools': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        f"sys.argv = ['-m', '--help']; sys.orig_argv = ['python', '-m', 'scripts.{module}']\n"
        f"runpy.run_module('scripts.{module}', run_name='__main__', alter_sys=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, f"{module}: interrupted\n")


def test_a_full_disk_is_one_line(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "scripts.demo", "--waves"])
    monkeypatch.setattr(ending, "drop_output", lambda: None)
    with pytest.raises(SystemExit) as code:
        ending.end(OSError, ERROR, None)
    assert code.value.code == 2
    assert capsys.readouterr().err == f"demo: {SAID}: 'build/x'\n"


def test_another_error_keeps_its_traceback(capsys) -> None:
    ending.end(OSError, FileNotFoundError(errno.ENOENT, "no such file"), None)
    assert "FileNotFoundError" in capsys.readouterr().err


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
def test_an_output_that_is_full_is_one_line(unbuffered: str) -> None:
    with FULL.open("w") as full:
        environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        process = start("environment", stdout=full, env=environment)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (2, f"environment: {SAID}\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_nobody_reads_is_no_error(unbuffered: str) -> None:
    process = start("environment", env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == ending.NO_READER


def test_a_tool_that_finds_the_disk_full_is_no_error_of_the_sources(tmp_path: Path) -> None:
    script = f"import sys; print({SAID!r}); sys.exit(1)"
    with pytest.raises(OSError, match="No space left") as error:
        builds.run_tool([sys.executable, "-c", script], tmp_path, os.environ)
    assert ending.is_full(error.value)


def test_a_tool_that_does_not_say_that_the_disk_is_full_is_no_success(
    monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(disk, "LEAST_FREE", sys.maxsize)
    with pytest.raises(OSError, match="No space left"):
        builds.run_tool([sys.executable, "-c", ""], tmp_path, os.environ)


def test_tests_end_at_the_first_that_finds_the_disk_full(tmp_path: Path) -> None:
    lines = ["def test_a(): raise OSError(28, 'No space left on device', 'build/x')"]
    test = tmp_path / "test_full.py"
    test.write_text("\n".join([*lines, "def test_b(): pass", ""]))
    done = run_pytest(str(test))
    assert done.returncode == 2
    assert re.search(r"! .*OSError: .*No space left on device: 'build/x' !", done.stdout)
    assert "1 failed in" in done.stdout and "passed" not in done.stdout


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
def test_results_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    test = tmp_path / "test_full.py"
    test.write_text("def test_b(): pass\n")
    done = run_pytest(str(test), f"--junitxml={FULL}")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and SAID in done.stderr
    assert "1 passed in" in done.stdout


def run_pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "scripts.runs.session",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
