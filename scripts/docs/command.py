# SPDX-License-Identifier: Apache-2.0
"""The command line of the documentation."""

from __future__ import annotations

import sys

from scripts import docs
from scripts.console.arguments import OneLineParser
from scripts.docs.file_lists import write_file_lists
from scripts.docs.fusesoc_core import write_core
from scripts.docs.register_files import write_register_files
from tb.sim.builds import BuildError
from tb.sim.cocotb_run import CocotbFailure
from tb.sim.modules import rtl_modules
from tb.sim.pages import DOCS, NoPlace, tables_of, write_pages
from tb.sim.systems import system_module
from tb.sim.tools import ToolMissing


def main(arguments: list[str] | None = None) -> int:
    """Rewrite all of it; returns the exit code."""
    parser = OneLineParser("docs", description=docs.__doc__)
    parser.add_argument("--sim", default="verilator", metavar="verilator|icarus")
    sim = parser.parse_args(arguments).sim
    write_file_lists()
    write_register_files()
    write_core()
    try:
        for system in sorted({path.parent.name for path in rtl_modules().values()}):
            tables, own = tables_of(system), system_module(system, "pages")
            if own is not None:
                tables |= own.measured(sim, DOCS / system, lambda what: print(f"docs: {what}"))
            write_pages(system, tables)
    except (ToolMissing, NoPlace) as error:
        print(f"docs: {error}", file=sys.stderr)
        return 2
    except (BuildError, CocotbFailure) as error:
        print(f"docs: {error}", file=sys.stderr)
        return 1
    return 0
