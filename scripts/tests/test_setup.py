# SPDX-License-Identifier: Apache-2.0
"""The set-up of `.venv` and of the system's tools, with pip and apt-get replaced by records."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts import setup

RUN_PIP = setup.run_pip


@dataclass
class Clone:
    """A clone in a temporary folder, and what its set-up did."""

    folder: Path
    created: int = 0
    installed: list[list[str]] = field(default_factory=list)

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(setup, "ROOT", self.folder)
        monkeypatch.setattr(setup, "VENV", self.folder / ".venv")
        monkeypatch.setattr(setup, "REQUIREMENTS", self.folder / "requirements.txt")
        monkeypatch.setattr(setup, "LOG", self.folder / "build" / "setup.log")
        monkeypatch.setattr(setup, "create_venv", self.create_venv)
        monkeypatch.setattr(setup, "run_pip", self.run_pip)

    def create_venv(self) -> None:
        self.created += 1
        setup.venv_python().parent.mkdir(parents=True, exist_ok=True)
        setup.venv_python().touch()

    def run_pip(self, command: list[str], total: int) -> None:
        self.installed.append(command)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    clone = Clone(tmp_path)
    (tmp_path / "requirements.txt").write_text("# comment\nnumpy==1\nrich==2\n")
    clone.use(monkeypatch)
    return clone


def test_second_run_does_nothing(clone: Clone) -> None:
    assert setup.main([]) == 0
    assert (clone.created, len(clone.installed)) == (1, 1)
    assert setup.main([]) == 0
    assert (clone.created, len(clone.installed)) == (1, 1)


@pytest.mark.parametrize("name", ["plain", "grün [x]", "it's"])
def test_the_environment_finds_the_project_from_any_folder(tmp_path, monkeypatch, name) -> None:
    folder = tmp_path / name
    packages = folder / ".venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setattr(setup, "ROOT", folder)
    monkeypatch.setattr(setup, "VENV", folder / ".venv")
    setup.add_project()
    found = (
        f"import site, sys; site.addsitedir({str(packages)!r}); print({str(folder)!r} in sys.path)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", found],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_what_is_wanted_and_cannot_be_had_stops_nothing(clone: Clone, monkeypatch, capsys) -> None:
    monkeypatch.setattr(setup.shutil, "which", lambda name, **_: None)
    assert setup.main(["--want", "icarus"]) == 0
    assert len(clone.installed) == 1
    assert setup.main(["--need", "icarus"]) == 2
    assert "Icarus Verilog (iverilog) is missing" in capsys.readouterr().err


def test_interrupted_installation_starts_over(clone: Clone, monkeypatch, capsys) -> None:
    def interrupt(command: list[str], total: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(setup, "run_pip", interrupt)
        assert setup.main([]) == 130
    assert "Traceback" not in capsys.readouterr().err
    assert setup.main([]) == 0
    assert (clone.created, len(clone.installed)) == (2, 1)


def test_changed_requirements_are_installed_into_the_same_environment(clone: Clone) -> None:
    setup.main([])
    setup.REQUIREMENTS.write_text("numpy==3\n")
    assert setup.main([]) == 0
    assert (clone.created, len(clone.installed)) == (1, 2)


@pytest.mark.parametrize("change", ["interpreter", "folder"])
def test_environment_of_another_interpreter_or_folder_is_replaced(
    clone: Clone, change: str, monkeypatch
) -> None:
    setup.main([])
    if change == "interpreter":
        monkeypatch.setattr(setup.sys, "version", "3.99")
    else:
        moved = clone.folder.with_name("moved")
        clone.folder.rename(moved)
        clone.folder = moved
        clone.use(monkeypatch)
    assert setup.main([]) == 0
    assert clone.created == 2


def test_environment_without_interpreter_is_replaced(clone: Clone) -> None:
    setup.main([])
    setup.venv_python().unlink()
    assert setup.main([]) == 0
    assert clone.created == 2


def test_unreadable_stamp_is_no_stamp(clone: Clone) -> None:
    setup.main([])
    setup.stamp_path(setup.REQUIREMENTS).write_text("{")
    assert setup.main([]) == 0
    assert clone.created == 2


def test_extra_requirements_are_installed_once_and_alone(clone: Clone) -> None:
    extra = clone.folder / "requirements-zoo.txt"
    extra.write_text("weights==1\n")
    for _ in range(2):
        assert setup.main(["--extra", str(extra)]) == 0
    assert len(clone.installed) == 2
    assert "--no-deps" in clone.installed[1]


@pytest.mark.parametrize("between", [[], ["--need", "verilator", "--extra"]])
def test_several_extra_requirements_are_installed_once_each(
    clone: Clone, between: list[str]
) -> None:
    extras = [clone.folder / f"requirements-{name}.txt" for name in ("regress", "zoo")]
    for extra in extras:
        extra.write_text(f"{extra.stem}==1\n")
    for _ in range(2):
        assert setup.main(["--extra", str(extras[0]), *between, str(extras[1])]) == 0
    assert [call[-1] for call in clone.installed] == [str(setup.REQUIREMENTS), *map(str, extras)]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("Collecting x/ERROR: broken wheel/hint", "broken wheel"),
        (
            "WARNING: Retrying (Retry(total=4))/ERROR: No matching distribution/hint",
            "cannot reach the package index; is there a network?",
        ),
    ],
)
def test_pip_error_is_one_line(
    clone: Clone, lines: str, complaint: str, monkeypatch, capsys
) -> None:
    noise = f"print({lines!r}.replace('/', chr(10))); raise SystemExit(1)"
    monkeypatch.setattr(
        setup, "run_pip", lambda _, total: RUN_PIP([sys.executable, "-c", noise], total)
    )
    assert setup.main([]) == 2
    line = f"setup: pip failed: {complaint} (all of it in build/setup.log)\n"
    assert capsys.readouterr().err == line
    assert "hint" in setup.LOG.read_text()


def test_missing_tool_names_the_command(clone: Clone, monkeypatch, capsys) -> None:
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup.shutil, "which", lambda name: name if name == "apt-get" else None)
    assert setup.main(["--need", "icarus"]) == 2
    line = "setup: Icarus Verilog (iverilog) is missing: sudo apt-get install iverilog\n"
    assert capsys.readouterr().err == line
    assert setup.main(["--need", "verilator"]) == 2
    assert "g++" in capsys.readouterr().err
    assert clone.created == 0


def test_root_installs_a_missing_tool(clone: Clone, monkeypatch, capsys) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        calls.append(command)
        fails = len(calls) == 1  # the package lists are still empty
        return subprocess.CompletedProcess(command, int(fails))

    monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
    monkeypatch.setattr(setup.subprocess, "run", run)
    known = {"apt-get"}
    monkeypatch.setattr(setup.shutil, "which", lambda name: name if name in known else None)
    with pytest.raises(setup.SetupError, match="is missing"):
        setup.ensure(setup.ICARUS, setup.has_icarus)
    assert [("update" in call, "iverilog" in call) for call in calls] == [
        (False, True),
        (True, False),
        (False, True),
    ]


@dataclass
class PackageTools:
    """apt-get and dpkg-deb in place of the system's."""

    lists: bool  # whether the package lists know the package already
    network: bool = True
    calls: list[list[str]] = field(default_factory=list)

    def run(
        self, command: list[str], cwd: Path | None = None, **options: object
    ) -> subprocess.CompletedProcess:
        self.calls.append(command)
        code = 0
        if command[:2] == ["apt-get", "update"]:
            self.lists = self.network
        elif command[0] == "apt-get":
            code = 0 if self.lists else 100
            if self.lists:
                (cwd / "qflow.deb").touch()
        else:
            library = command[3] / setup.QFLOW.relative_to("/") / setup.LIBERTY_FILE
            library.parent.mkdir(parents=True)
            library.write_text("library")
        return subprocess.CompletedProcess(command, code)


@pytest.fixture
def no_library(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Debian machine without the cell library, and a user who is not root."""
    monkeypatch.delenv("LIBERTY", raising=False)
    monkeypatch.setattr(setup, "QFLOW", clone.folder / "system")
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup.shutil, "which", lambda name: name)


@pytest.mark.parametrize(("lists", "calls"), [(True, 2), (False, 4)])
def test_cell_library_is_taken_out_of_its_package(
    clone: Clone, no_library: None, lists: bool, calls: int, monkeypatch
) -> None:
    system = PackageTools(lists)
    monkeypatch.setattr(setup.subprocess, "run", system.run)
    for _ in range(2):
        assert setup.main(["--need", "liberty"]) == 0
    assert len(system.calls) == calls
    assert setup.liberty().read_text() == "library"


def test_missing_cell_library_names_the_command(
    clone: Clone, no_library: None, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(setup.subprocess, "run", PackageTools(lists=False, network=False).run)
    assert setup.main(["--need", "liberty"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("is missing: sudo apt-get install qflow-tech-osu018")
    monkeypatch.setenv("LIBERTY", "cells.lib")
    assert setup.main(["--need", "liberty"]) == 0


@pytest.mark.parametrize("text", ["env g++", "env CCACHE_DISABLE=1 g++ -m64", " g++ "])
def test_the_compiler_may_be_several_words(monkeypatch, text: str) -> None:
    monkeypatch.setenv("CXX", text)
    words = text.split()
    assert setup.compiler() == [shutil.which(words[0]), *words[1:]]
    assert setup.has_fst_headers() in (True, False)


def test_no_compiler_is_chosen_by_an_empty_variable(monkeypatch) -> None:
    monkeypatch.setenv("CXX", "")
    assert setup.compiler() == [shutil.which("g++")]


def test_pip_installs_into_the_environment_whatever_its_variables_say(monkeypatch) -> None:
    for name in ("TARGET", "PREFIX", "USER", "ROOT", "REQUIRE_VIRTUALENV", "NO_DEPS", "CONSTRAINT"):
        monkeypatch.setenv(f"PIP_{name}", "/nowhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(setup, "pip_configuration", dict)
    found = {name: v for name, v in setup.pip_environment().items() if name.startswith("PIP_")}
    known = ("PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_CONFIG_FILE")
    own = {name: value for name, value in found.items() if name in known}
    assert set(found) - set(own) <= {f"PIP_{name}" for name in setup.PIP_MAY}
    assert own == {
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": "/dev/null",
    }


def test_of_pip_s_configuration_only_the_sources_are_kept(tmp_path: Path, monkeypatch) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text(
        "[global]\nindex-url = https://mirror.example/simple\nextra-index-url = a\n  b\n"
        "[install]\ntarget = /nowhere\nuser = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setattr(setup, "venv_python", lambda: Path(sys.executable))
    found = setup.pip_configuration()
    assert found["PIP_INDEX_URL"] == "https://mirror.example/simple"
    assert found["PIP_EXTRA_INDEX_URL"].split() == ["a", "b"]
    assert not {"PIP_TARGET", "PIP_USER"} & set(found)


def test_a_folder_that_cannot_be_written_is_one_line(clone: Clone, monkeypatch, capsys) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "build/setup.lock")

    monkeypatch.setattr(setup, "only_one", refuse)
    assert setup.main([]) == 2
    assert capsys.readouterr().err == "setup: build/setup.lock: Permission denied\n"


def test_a_bad_argument_is_one_line(clone: Clone, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        setup.main(["--need", "icarus", "--nosuch"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "setup: unrecognized arguments: --nosuch\n"


def test_unknown_simulator_is_one_line(clone: Clone, capsys) -> None:
    assert setup.main(["--need", "modelsim"]) == 2
    line = "setup: unknown simulator 'modelsim': SIM is icarus or verilator\n"
    assert capsys.readouterr().err == line
