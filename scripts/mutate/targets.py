# SPDX-License-Identifier: Apache-2.0
"""What is changed and which bench has to notice: every module of rtl/, with one parameter set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tb.sim.modules import rtl_modules
from tb.sim.paths import ROOT
from tb.sim.sets import Bench, SetsError, bench_of

IMPORT = re.compile(r"^(?:from|import) ((?:tb|model)\b[\w.]*)", re.MULTILINE)


class NoSuchDesign(ValueError):
    """A selection that matches no module; the message is one line."""


@dataclass(frozen=True)
class Target:
    """A module whose cells are changed, and the bench that has to notice."""

    module: str
    test_module: str  # dotted name of the cocotb tests
    sources: tuple[Path, ...]  # its Verilog and that of what is in it
    parameters: Mapping[str, int] = field(default_factory=dict)
    watched: tuple[Path, ...] = ()  # files of the bench: a change in them asks for a new run
    meaningful: tuple[tuple[str, str], ...] = ()  # outputs, by how they begin, and what says when
    contract: Path | None = None  # Verilog of what it may expect of its inputs, if written down

    @property
    def source(self) -> Path:
        """The file of the module."""
        return next(path for path in self.sources if path.stem == self.module)


def target_of(bench: Bench) -> Target:
    """A module with its bench, and the parameter set that the bench names for this."""
    contract = bench.path.parent / "contracts" / f"{bench.module}_contract.v"
    return Target(
        bench.module, bench.test_module, bench.sources, bench.sets[bench.mutated],
        _imported(bench.test_module), bench.meaningful, contract if contract.is_file() else None,
    )  # fmt: skip


def _imported(test_module: str) -> tuple[Path, ...]:
    """Files of a bench and of everything of this repository that it imports."""
    pending, found = [test_module], set()
    while pending:
        path = ROOT.joinpath(*pending.pop().split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if path.is_file() and path not in found:
            found.add(path)
            pending += IMPORT.findall(path.read_text(encoding="utf-8"))
    return tuple(sorted(found))


def select_targets(patterns: list[str]) -> list[Target]:
    """Targets whose module matches one of `patterns` (shell wildcards); all for none.

    Raises:
        NoSuchDesign: a pattern matches nothing, or a module that is selected has no bench.
    """
    modules = list(rtl_modules())
    for pattern in patterns:
        if not any(fnmatchcase(module, pattern) for module in modules):
            raise NoSuchDesign(f"no design {pattern!r}; there are {', '.join(modules)}")
    try:
        return [
            target_of(bench_of(module))
            for module in modules
            if not patterns or any(fnmatchcase(module, pattern) for pattern in patterns)
        ]
    except SetsError as error:
        raise NoSuchDesign(str(error)) from None
