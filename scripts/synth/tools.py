# SPDX-License-Identifier: Apache-2.0
"""Runs of the synthesis tools, each done once: results are kept by what they depend on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from tb.sim.paths import ROOT

FOLDER = ROOT / "build" / "synth"


class ToolMissing(Exception):
    """Something that synthesis needs is not there; the message is one line."""


class SynthesisError(Exception):
    """A tool failed; the message is one line."""


def once(kind: str, depends_on: object, make: Callable[[], dict]) -> dict:
    """The result of `make`, from an earlier run when that had the same `depends_on`.

    Args:
        kind: what the result is, the beginning of its file's name.
        depends_on: everything that the result follows from; JSON, compared as text.
        make: makes the result, a JSON object.
    """
    text = json.dumps(depends_on, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:20]
    path = FOLDER / "results" / f"{kind}-{key}.json"
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    result = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)
    return result


def source_texts(files: list[Path]) -> dict[str, str]:
    """Contents of source files by name, for `once`."""
    return {path.name: path.read_text(encoding="utf-8") for path in files}


def version(package: str) -> str:
    """Version of an installed Python package that brings a tool.

    Raises:
        ToolMissing: it is not installed.
    """
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        raise ToolMissing(f"{package} is not installed: make synth installs it") from None


def run_yosys(commands: list[str], folder: Path) -> None:
    """Run Yosys commands in a process of its own, in `folder`, with its output in yosys.log.

    Raises:
        SynthesisError: Yosys failed; the message has its last error.
    """
    log = folder / "yosys.log"
    (folder / "commands.ys").write_text("\n".join(commands) + "\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run_tool(
        [sys.executable, "-m", "scripts.yosys", "script commands.ys"], folder, log, environment
    )


def run_tool(command: list[str], folder: Path, log: Path, environment: dict[str, str]) -> None:
    """Run a command in `folder` with its output in `log`.

    Raises:
        SynthesisError: it failed; the message has the last error it printed.
    """
    with log.open("wb") as output:
        code = subprocess.run(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        ).returncode
    if code:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in lines if "ERROR" in line] or lines[-1:] or ["no output"]
        kept = FOLDER / log.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, kept)
        raise SynthesisError(f"{errors[-1].strip()} (exit code {code}, all of it in {kept})")
