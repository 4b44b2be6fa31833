# SPDX-License-Identifier: Apache-2.0
"""The file lists of rtl/, one for each unit, for tools that take their sources from one.

`rtl/<system>/<unit>.f` names the sources of a unit that no other module instantiates, relative to
the list's own folder, each after the modules that it instantiates. `make docs` writes them.
"""

from __future__ import annotations

import os
from graphlib import TopologicalSorter
from pathlib import Path

from tb.sim.builds import waivers
from tb.sim.modules import rtl_modules, rtl_sources
from tb.sim.paths import ROOT

CELLS = "cell"  # the folder of what is no unit by itself
HEAD = """\
// SPDX-License-Identifier: Apache-2.0
// Sources of {unit}, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall {waivers} -F rtl/{system}/{unit}.f
//   cd rtl/{system} && iverilog -g2005 -c {unit}.f -s {unit} -o {unit}.vvp
"""


def units() -> list[str]:
    """Modules of systems that no other module instantiates."""
    below = {path.stem for top in rtl_modules() for path in rtl_sources(top)[1:]}
    return [
        top for top, path in rtl_modules().items() if top not in below and path.parent.name != CELLS
    ]


def in_order(top: str) -> list[Path]:
    """Sources of `top`, each after the modules that it instantiates.

    Raises:
        CycleError: a module is below itself.
    """
    below = {path.stem: rtl_sources(path.stem)[1:] for path in sorted(rtl_sources(top))}
    modules = {name: [path.stem for path in paths] for name, paths in below.items()}
    return [rtl_modules()[name] for name in TopologicalSorter(modules).static_order()]


def file_list(top: str) -> str:
    """The list of a unit, with the commands that read it."""
    folder, sources = rtl_modules()[top].parent, in_order(top)
    names = [os.path.relpath(path, folder) for path in sources]
    beside = " ".join(str(path.relative_to(ROOT)) for path in waivers(sources))
    head = HEAD.format(unit=top, system=folder.name, waivers=beside)
    return head + "".join(f"{name}\n" for name in names)


def file_lists() -> dict[Path, str]:
    """Path and text of every list."""
    return {rtl_modules()[top].with_suffix(".f"): file_list(top) for top in units()}


def write_file_lists() -> None:
    """Write every list, and remove those of units that there are no more."""
    lists = file_lists()
    for path in (ROOT / "rtl").glob("*/*.f"):
        if path not in lists:
            path.unlink()
    for path, text in lists.items():
        path.write_text(text, encoding="utf-8")
