# SPDX-License-Identifier: Apache-2.0
"""Pages with parts that are generated, each between two marker comments; tables of modules.

`tb/<system>/pages.py` may have `tables()`, tables that follow from the RTL by the name of their
markers, and `measured(sim, folder, say)`, those of simulations; the pages are docs/<system>/*.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tb.sim.modules import rtl_modules
from tb.sim.paths import ROOT
from tb.sim.systems import system_module

DOCS = ROOT / "docs"
MODULES = "modules"  # the name of the markers round a table of modules
HEADER = re.compile(r"/\*\n(.*?)\*/", re.DOTALL)
BEGIN = re.compile(r"<!-- begin of generated part: (.*) -->")


class NoPlace(ValueError):
    """A table that no page has markers for; the message is one line."""


def row(cells: Iterable[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |\n"


def module_table(system: str) -> str:
    """Every module of a folder of rtl/ with the first sentence of its header."""
    paths = [path for path in rtl_modules().values() if path.parent.name == system]
    lines = [row([f"`{path.stem}`", summary(path)]) for path in paths]
    return "".join([row(["module", "what it does"]), row(["---", "---"]), *lines])


def summary(path: Path) -> str:
    """The first sentence of a module's header, in one line.

    Raises ValueError for a file without a header.
    """
    header = HEADER.search(path.read_text(encoding="utf-8"))
    if header is None:
        raise ValueError(f"{path.name} has no header")
    text = " ".join(line.strip().removeprefix("*").strip() for line in header[1].splitlines())
    sentence = re.split(r"(?<=[.])\s", text.strip(), maxsplit=1)[0].rstrip(".")
    return sentence.replace("|", "\\|")


def tables_of(system: str) -> dict[str, str]:
    """The tables of a system that follow from the RTL, by the name of their markers."""
    own = system_module(system, "pages")
    return {MODULES: module_table(system)} | (own.tables() if own else {})


def replaced(page: str, name: str, table: str) -> str:
    """The page with this table between the marker comments of that name.

    Raises NoPlace when the page has no such markers.
    """
    begin, end = (f"<!-- {word} of generated part: {name} -->" for word in ("begin", "end"))
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise NoPlace(f"no markers for {name}")
    return pattern.sub(lambda match: f"{begin}\n{table}{end}", page)


def renewed(page: str, tables: Mapping[str, str]) -> str:
    """The page with those of the tables that it has markers for."""
    for name in BEGIN.findall(page):
        if name in tables:
            page = replaced(page, name, tables[name])
    return page


def write_pages(system: str, tables: Mapping[str, str]) -> None:
    """Put tables into the pages of a system.

    Raises NoPlace when a table has no markers in any of them.
    """
    paths = sorted((DOCS / system).glob("*.md"))
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    known = {name for text in texts.values() for name in BEGIN.findall(text)}
    if missing := sorted(set(tables) - known):
        raise NoPlace(f"docs/{system} has no markers for {', '.join(missing)}")
    for path, text in texts.items():
        path.write_text(renewed(text, tables), encoding="utf-8")
