# SPDX-License-Identifier: Apache-2.0
"""Check that every pinned package is there for each Python that the project takes.

Asks the package index, installs nothing, and needs no other interpreter than that of `.venv`.
"""

from __future__ import annotations

import subprocess
import sys
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

from scripts.console.arguments import OneLineParser
from scripts.setup import pins
from tb.sim.paths import ROOT

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PURE = ("python-constraint", "wavedrom")  # come as sources, which any Python builds


def needed(python: str) -> list[str]:
    """The pins of all requirements files that hold for a Python, such as "3.13"."""
    found = []
    for path in sorted(ROOT.glob("requirements*.txt")):
        for requirement in map(Requirement, pins(path)):
            if requirement.marker is None or requirement.marker.evaluate(
                {"python_version": python, "python_full_version": f"{python}.0"}
            ):
                found.append(f"{requirement.name}{requirement.specifier}")
    return found


def complaint(python: str) -> str | None:
    """What pip misses for a Python, None when nothing."""
    with TemporaryDirectory() as target:
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps"]
        command += ["--ignore-installed", "--only-binary=:all:", f"--no-binary={','.join(PURE)}"]
        command += ["--python-version", python, "--target", target, *needed(python)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return (errors or ["no message"])[-1] if done.returncode else None


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when nothing is missing, 1 otherwise."""
    parser = OneLineParser("wheels", description=__doc__)
    parser.add_argument("--python", nargs="+", default=PYTHONS, help="such as 3.13")
    missing = 0
    for python in parser.parse_args(arguments).python:
        found = complaint(python)
        print(f"Python {python}: {found or f'all {len(needed(python))} packages'}", flush=True)
        missing += found is not None
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
