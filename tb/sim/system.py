# SPDX-License-Identifier: Apache-2.0
"""What the system's package manager brings: the C++ compiler, Icarus, headers, a cell library.

Standard library only: it is used before `.venv` exists.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass

SIMULATORS = ("icarus", "verilator")
COMPILERS = ("g++", "c++", "clang++")


class SetupError(Exception):
    """Something is missing that only the user can bring; the message is one line."""


@dataclass(frozen=True)
class SystemTool:
    """Something that comes from the system's package manager, with its package names."""

    what: str
    apt: str
    dnf: str = ""
    brew: str = ""


VENV_MODULE = SystemTool(
    "Python's venv module",
    f"python{sys.version_info.major}.{sys.version_info.minor}-venv",
    "python3",
    "python",
)
COMPILER = SystemTool("a C++ compiler (g++)", "g++", "gcc-c++", "gcc")
ICARUS = SystemTool("Icarus Verilog (iverilog)", "iverilog", "iverilog", "icarus-verilog")
FST_HEADERS = SystemTool(
    "zlib.h or lz4.h, for Verilator's FST waveforms,",
    "zlib1g-dev liblz4-dev",
    "zlib-devel lz4-devel",
    "zlib lz4",
)
LIBERTY = SystemTool(
    "the cell library osu018_stdcells.lib (another place: LIBERTY=path)", "qflow-tech-osu018"
)


def install_command(tool: SystemTool) -> str:
    """The command that installs `tool` with the package manager found on this machine."""
    if shutil.which("apt-get"):
        return f"sudo apt-get install {tool.apt}"
    if tool.dnf and shutil.which("dnf"):
        return f"sudo dnf install {tool.dnf}"
    if tool.brew and shutil.which("brew"):
        return f"brew install {tool.brew}"
    return f"install it with your package manager (Debian calls it {tool.apt})"


def missing(tool: SystemTool) -> str:
    """One line that says what is missing and what to do."""
    return f"{tool.what} is missing: {install_command(tool)}"


def compiler() -> list[str] | None:
    """The command of the C++ compiler: the words of `CXX` when set, else one of the usual names.

    Raises:
        SetupError: `CXX` is set, and no command.
    """
    chosen = os.environ.get("CXX", "").strip()
    if not chosen:
        return next(([path] for name in COMPILERS if (path := shutil.which(name))), None)
    try:
        words = shlex.split(chosen)
        program = shutil.which(words[0])
        works = subprocess.run([program or "", *words[1:], "--version"], capture_output=True)
    except (OSError, ValueError):  # no such program, or a quote that is not closed
        works = None
    if works is None or works.returncode:
        raise SetupError(f"CXX={chosen!r} is no C++ compiler here: say CXX=g++, or unset it")
    return [program, *words[1:]]
