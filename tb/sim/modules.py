# SPDX-License-Identifier: Apache-2.0
"""The hardware's modules, found by listing `rtl/<codec>/*.v`; a file is named after its module."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tb.sim.paths import ROOT

WORD = re.compile(r"\w+")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
PARAMETER = re.compile(r"\bparameter\s+(\w+)\s*=\s*(\d+)\s*[,\n)]")


@cache
def rtl_modules() -> dict[str, Path]:
    """File of every module, by name."""
    return {path.stem: path for path in sorted((ROOT / "rtl").glob("*/*.v"))}


@cache
def rtl_sources(top: str) -> tuple[Path, ...]:
    """Files of `top` and of every module below it, `top` first.

    Raises:
        KeyError: there is no module `top`.
    """
    modules = rtl_modules()
    found = {top: modules[top]}
    pending = [top]
    while pending:
        for name in WORD.findall(verilog_text(modules[pending.pop()])):
            if name in modules and name not in found:
                found[name] = modules[name]
                pending.append(name)
    return tuple(found.values())


def all_sources(*tops: str) -> tuple[Path, ...]:
    """Files of several modules and of every module below them, each once."""
    return tuple(sorted({path for top in tops for path in rtl_sources(top)}))


def verilog_text(path: Path) -> str:
    """A Verilog file without its comments."""
    return COMMENT.sub(" ", path.read_text(encoding="utf-8"))


def free_parameters(path: Path) -> dict[str, int]:
    """Parameters with a plain number as default; the others follow from these."""
    return {name: int(value) for name, value in PARAMETER.findall(verilog_text(path))}
