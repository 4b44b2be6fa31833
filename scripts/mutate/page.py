# SPDX-License-Identifier: Apache-2.0
"""The page of a run: one HTML file that needs nothing else."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import jinja2

from scripts.console.shown import floored
from scripts.mutate.measure import Entry, Result
from scripts.mutate.results import Run, percent
from tb.sim.paths import ROOT

TEMPLATES = (Path(__file__).with_name("templates"), ROOT / "scripts" / "regress" / "templates")
AROUND = 2  # source lines shown before and after one with a survivor


@dataclass(frozen=True)
class Line:
    """A line of a module's source with its survivors."""

    number: int
    text: str
    survivors: tuple[Entry, ...]


def write_page(run: Run, folder: Path) -> None:
    """Write index.html."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("mutate.html").render(
        run=run,
        percent=percent,
        floored=floored,
        excerpts={result.module: excerpts(result) for result in run.results},
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


def excerpts(result: Result) -> list[list[Line]]:
    """The stretches of a module's source that have survivors."""
    path = ROOT / result.file
    texts = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    by_line: dict[int, list[Entry]] = defaultdict(list)
    for entry in result.survivors:
        by_line[entry.line].append(entry)
    shown = sorted(
        {
            number
            for line in by_line
            for number in range(line - AROUND, line + AROUND + 1)
            if 0 < number <= len(texts)
        }
        | ({0} & by_line.keys())
    )
    stretches: list[list[Line]] = []
    for number in shown:
        line = Line(number, texts[number - 1] if number else "", tuple(by_line.get(number, ())))
        if stretches and stretches[-1][-1].number == number - 1:
            stretches[-1].append(line)
        else:
            stretches.append([line])
    return stretches
