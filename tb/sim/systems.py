"""What a system's folder of benches offers to the commands, found by the name of its file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent


def systems_with(name: str) -> list[str]:
    """The systems that have a file `tb/<system>/<name>.py`."""
    found = HERE.parent.glob(f"*/{name}.py")
    return sorted(path.parent.name for path in found if path.parent != HERE)


def system_module(system: str, name: str) -> ModuleType | None:
    """That file of a system as a module; None when the system has none."""
    return import_module(f"tb.{system}.{name}") if system in systems_with(name) else None
