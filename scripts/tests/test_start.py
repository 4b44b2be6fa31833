# SPDX-License-Identifier: Apache-2.0
"""What make starts: in clean surroundings, one at a time, and ended with all that it started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scripts import start
from tb.sim.paths import ROOT
from tb.sim.surroundings import clean, is_on, with_home

HANG_SECONDS = 300  # a limit for what never ends, however slow the machine
# Starts processes in sessions of their own, one of them through a parent that ends, and hangs.
FAMILY = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
subprocess.Popen(sleep, start_new_session=True)
orphan = f"import subprocess; subprocess.Popen({sleep!r}, start_new_session=True)"
subprocess.run([sys.executable, "-c", orphan])
if sys.argv[1:] == ["deaf"]:
    import signal
    signal.signal(signal.SIGINT, signal.SIG_IGN)
print("started", flush=True)
time.sleep(0 if sys.argv[1:] == ["ends"] else 600)
"""
# What starts a command, before any package is there.
START = (
    "scripts/start.py", "tb/__init__.py", "tb/sim/__init__.py", "tb/sim/paths.py",
    "tb/sim/surroundings.py",
)  # fmt: skip
MAKEFILE = "all:\n\t@exec $(PYTHON) -I $(CURDIR)/scripts/start.py family.py $(HOW)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the starter, and a command in place of those of make."""
    for name in START:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    starter = tmp_path / "scripts" / "start.py"
    patient = f"SECONDS_TO_END = {start.SECONDS_TO_END}"  # what is deaf is killed after these
    assert patient in starter.read_text(encoding="utf-8")
    hasty = starter.read_text(encoding="utf-8").replace(patient, "SECONDS_TO_END = 1.0")
    starter.write_text(hasty, encoding="utf-8")
    (tmp_path / "family.py").write_text(FAMILY, encoding="utf-8")
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    own.pop(start.HOLDER, None)
    return own | more


def hear_signals() -> None:
    """What a shell starts in the background, and what starts that, ignores some signals."""
    for number in start.SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def family(project: Path) -> Iterator[Callable[[str], tuple[subprocess.Popen, list]]]:
    """Starts make in a session of its own, and returns it and all processes below it."""
    started: list[psutil.Process] = []

    def begin(how: str) -> tuple[subprocess.Popen, list[psutil.Process]]:
        make = subprocess.Popen(
            ["make", f"PYTHON={sys.executable}", f"HOW={how}"], cwd=project, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True, preexec_fn=hear_signals,
        )  # fmt: skip
        while make.stdout.readline() != "started\n":
            pass
        started.extend(psutil.Process(make.pid).children(recursive=True))
        return make, list(started)

    yield begin
    for process in started:
        if process.is_running():
            process.kill()


@pytest.mark.parametrize("how", ["hears", "deaf"])
@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL"])
def test_a_signal_to_make_ends_all_that_it_started(family, number: str, how: str) -> None:
    make, started = family(how)
    assert len(started) >= 3
    make.send_signal(signal.Signals[number])
    assert make.wait(HANG_SECONDS) != 0
    assert psutil.wait_procs(started, HANG_SECONDS)[1] == []


def test_what_ends_after_its_parent_is_gone_while_the_command_runs(project: Path) -> None:
    """An orphan that nobody reaps would be seen as running by whoever waits for its end."""
    code = (
        "import os, subprocess, sys, time\n"
        "start = ['sh', '-c', 'sleep 0.1 & echo $!']\n"
        "orphan = int(subprocess.run(start, stdout=subprocess.PIPE, text=True).stdout)\n"
        "while os.path.exists(f'/proc/{orphan}'): time.sleep(0.05)\n"
        "sys.exit(5)\n"
    )
    assert run(project, code).returncode == 5


def test_what_a_command_leaves_behind_ends_with_it(family) -> None:
    make, started = family("ends")
    assert make.wait(HANG_SECONDS) == 0
    assert psutil.wait_procs(started, HANG_SECONDS)[1] == []


def run(project: Path, code: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Start a command in the project; it replaces the family."""
    (project / "family.py").write_text(code, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-I", "scripts/start.py", "family.py", *words], cwd=project,
        env=environment(**more), text=True, capture_output=True, timeout=HANG_SECONDS,
    )  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), [("exit(3)", 3), ("exit(0)", 0), ("1/0", 1)])
def test_the_exit_code_is_the_command_s(project: Path, code: str, expected: int) -> None:
    assert run(project, code).returncode == expected


def test_a_command_ended_by_a_signal_has_the_exit_code_of_a_shell(project: Path) -> None:
    assert run(project, "import os; os.kill(os.getpid(), 9)").returncode == 128 + 9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("COCOTB_TEST_FILTER", "x"), ("COCOTB_TESTCASE", "x"), ("COCOTB_RANDOM_SEED", "1")),
        *(("COCOTB_TEST_MODULES", "x"), ("TESTCASE", "x"), ("TOPLEVEL", "x"), ("MODULE", "x")),
        *(("GPI_EXTRA", "x"), ("PYTEST_ADDOPTS", "-k none"), ("PYTEST_PLUGINS", "none")),
        *(("HYPOTHESIS_PROFILE", "x"), ("ROUNDS", "1"), ("PYTHONPATH", "/nowhere")),
        *(("PYTHONHOME", "/nowhere"), ("PYTHONSAFEPATH", "1"), ("PYTHONOPTIMIZE", "2")),
        *(("PYTHONWARNINGS", "error"), ("PYTHONNOUSERSITE", ""), ("PYTHONSTARTUP", "/nowhere")),
    ],
)
def test_variables_of_other_work_do_not_reach_a_command(
    project: Path, name: str, value: str
) -> None:
    done = run(project, f"import os; print(os.environ.get({name!r}))", **{name: value})
    assert (done.stdout, done.stderr) == ("None\n", "")


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii:strict"},
    ],
)
def test_text_is_utf8_whatever_the_locale(project: Path, variables: dict[str, str]) -> None:
    code = "import sys; print(ascii(sys.argv[1])); print(ascii(open('ü', 'w').encoding)); "
    done = run(project, code + "print('\\u2026 \\ud800')", "größe", **variables)
    assert done.stderr == ""
    assert done.stdout.lower() == "'gr\\xf6\\xdfe'\n'utf-8'\n… \\ud800\n"


@pytest.mark.parametrize("home", ["", "/nowhere/at/all"])
def test_without_a_home_there_is_one_in_build(project: Path, home: str) -> None:
    done = run(project, "import pathlib; print(pathlib.Path.home())", HOME=home)
    assert Path(done.stdout.strip()) == project / "build" / "cache" / "home"
    assert (project / "build" / "cache" / "home").is_dir()
    assert not Path("/nowhere").exists()


def test_a_home_that_is_there_stays(tmp_path: Path) -> None:
    assert with_home({"HOME": str(tmp_path)}) == {"HOME": str(tmp_path)}


def test_what_says_where_things_are_stays() -> None:
    kept = {"PATH": "/bin", "HOME": "/root", "CXX": "g++", "NUMBA_CACHE_DIR": "/tmp", "SEED": "1"}
    assert kept.items() <= clean(kept | {"COCOTB_TEST_FILTER": "x"}).items()


@pytest.mark.parametrize("text", ["", " ", "0", "no", "No", "NO", "off", "Off", "false", "fAlSe"])
def test_a_variable_that_is_off(text: str) -> None:
    assert not is_on(text)
    assert made_on(text) == ""


@pytest.mark.parametrize("text", ["1", "yes", "on", "true", "TRUE", "2"])
def test_a_variable_that_is_on(text: str) -> None:
    assert is_on(text)
    assert made_on(text) != ""


def made_on(text: str) -> str:
    """What make's own function says of a variable."""
    shown = ["make", "--eval", "shown: ; @echo '$(call on,$(ASKED))'", "shown", f"ASKED={text}"]
    done = subprocess.run(shown, cwd=ROOT, env=environment(), capture_output=True, text=True)
    return done.stdout.strip()


def test_two_runs_with_the_same_results_take_turns(tmp_path: Path) -> None:
    """Each notes its beginning and its end; what is in between belongs to one."""
    project = tmp_path / "project"
    for name in ("scripts", "tb/sim"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("tests"))
    shutil.copy(ROOT / "tb" / "__init__.py", project / "tb")
    (project / "scripts" / "demo").mkdir(exist_ok=True)
    shutil.rmtree(project / "scripts" / "demo")
    (project / "scripts" / "demo.py").write_text(
        "import pathlib, sys, time\n"
        "notes = pathlib.Path('notes').open('a')\n"
        "print(sys.argv[1], file=notes, flush=True)\n"
        "while sys.argv[1] == 'first' and not pathlib.Path('go').exists(): time.sleep(0.01)\n"
        "print(sys.argv[1], file=notes, flush=True)\n"
    )
    command = [sys.executable, "-I", "scripts/start.py", "-m", "scripts.demo"]
    options = {"cwd": project, "env": environment(), "text": True, "stderr": subprocess.PIPE}
    first = subprocess.Popen([*command, "first"], **options)
    deadline = time.monotonic() + HANG_SECONDS
    while not (project / "notes").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    second = subprocess.Popen([*command, "second"], **options)
    said = second.stderr.readline()
    assert said == f"demo: waiting for run {first.pid}, which writes build/demo\n"
    (project / "go").touch()
    assert first.wait(HANG_SECONDS) == second.wait(HANG_SECONDS) == 0
    notes = (project / "notes").read_text(encoding="utf-8").split()
    assert notes == ["first", "first", "second", "second"]
    first.stderr.close()
    second.stderr.close()


def test_results_of_two_simulators_are_two_folders() -> None:
    folders = {
        sim: start.results_of(["-m", "scripts.test", f"--sim={sim}"])
        for sim in ("icarus", "verilator")
    }
    assert folders["icarus"] == [ROOT / "build" / "test" / "icarus"] != folders["verilator"]


def test_each_command_of_make_that_writes_results_has_them_for_itself() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = {word for word in text.split() if word.startswith("scripts.")}
    without = {"scripts.docs", "scripts.environment", "scripts.lint", "scripts.list_tests",
               "scripts.wheels"}  # fmt: skip
    assert commands - without <= set(start.RESULTS)


def test_a_part_of_a_run_does_not_wait_for_it(project: Path) -> None:
    code = (
        "import os, subprocess, sys\n"
        "if sys.argv[1:]: sys.exit(7)\n"
        "again = [sys.executable, '-I', 'scripts/start.py', 'family.py', 'inner']\n"
        "sys.exit(subprocess.run(again).returncode)\n"
    )
    assert run(project, code).returncode == 7


@pytest.mark.parametrize("character", [":", '"', "\\", "$", ",", ";", "\n"])
def test_a_path_that_a_tool_cannot_take_is_one_line(project: Path, character: str) -> None:
    odd = project / f"a{character}b"
    for name in ("scripts", "tb"):
        shutil.copytree(project / name, odd / name)
    done = run(odd, "print('started')")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "cannot take" in line and repr(character) in line


@pytest.mark.parametrize(("free", "kept"), [("1 << 30", "None"), ("1 << 25", "1"), ("1 << 19", "")])
def test_little_space_means_no_bytecode_and_none_no_start(
    project: Path, monkeypatch: pytest.MonkeyPatch, free: str, kept: str
) -> None:
    """What Python cuts off where a disk gets full, it takes for whole bytecode ever after."""
    starter = project / "scripts" / "start.py"
    text = starter.read_text(encoding="utf-8")
    size = "return shutil.disk_usage(BUILD if BUILD.exists() else ROOT).free"
    assert size in text
    starter.write_text(text.replace(size, f"return {free}"), encoding="utf-8")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    done = run(project, "import os; print(os.environ.get('PYTHONDONTWRITEBYTECODE'))")
    if kept:
        assert (done.returncode, done.stdout.strip()) == (0, kept)
    else:
        assert done.returncode == 2 and done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("family: No space left on device: ")


@pytest.mark.parametrize("name", ["a b", "grün", "日本", "it's", "50%", "a#b", "[x]", "a&b=c"])
def test_other_paths_start(project: Path, name: str) -> None:
    odd = project / name
    for name in ("scripts", "tb"):
        shutil.copytree(project / name, odd / name)
    assert run(odd, "exit(5)").returncode == 5


@pytest.mark.parametrize("folder", [".", "build", "build/test", "build/test/verilator"])
def test_a_folder_of_another_user_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, folder: str
) -> None:
    where = project / folder
    where.mkdir(parents=True, exist_ok=True)
    access = os.access
    monkeypatch.setattr(start, "ROOT", project)
    monkeypatch.setattr(start, "BUILD", project / "build")
    monkeypatch.setattr(
        start.os, "access", lambda path, mode: Path(path) != where and access(path, mode)
    )
    monkeypatch.setattr(start, "Signals", lambda: None)
    assert start.main(["scripts/setup.py"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("setup: ") and "cannot be written" in line
    assert folder in line or folder == "."


def test_messages_name_the_command() -> None:
    assert start.command_name(["-m", "scripts.demo", "--sim=icarus"]) == "demo"
    assert start.command_name(["scripts/setup.py"]) == "setup"


def test_environment_of_a_simulation_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    from tb.sim.cocotb_run import simulation_environment

    for name in ("COCOTB_TEST_FILTER", "GPI_USERS", "PYTHONOPTIMIZE", "WAVES", "STEP"):
        monkeypatch.setenv(name, "9")
    found = simulation_environment({"STEP": "3"}, 60)
    assert found["STEP"] == "3"
    assert not {"COCOTB_TEST_FILTER", "GPI_USERS", "PYTHONOPTIMIZE", "WAVES"} & set(found)
    assert json.loads(json.dumps(found)) == found
