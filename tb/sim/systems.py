# SPDX-License-Identifier: Apache-2.0
"""What a system's folder of benches offers to the commands, found by the name of its file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from tb.sim.paths import ROOT

SHARED = "sim"  # the folder of this file, which is no system


def system_files(name: str) -> list[Path]:
    """The files `tb/<system>/<name>` that there are."""
    return sorted(path for path in (ROOT / "tb").glob(f"*/{name}") if path.parent.name != SHARED)


def systems_with(name: str) -> list[str]:
    """The systems that have a file `tb/<system>/<name>.py`."""
    return [path.parent.name for path in system_files(f"{name}.py")]


def system_module(system: str, name: str) -> ModuleType | None:
    """That file of a system as a module; None when the system has none."""
    return import_module(f"tb.{system}.{name}") if system in systems_with(name) else None
