# SPDX-License-Identifier: Apache-2.0
"""The page of the code coverage: one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from scripts.console.shown import rounded
from scripts.coverage.code import (
    FLOORS,
    PLURAL,
    THRESHOLDS,
    CodeCoverage,
    ModuleCoverage,
    source_lines,
)
from scripts.coverage.exclusions import Exclusion
from scripts.coverage.points import BRANCH, KINDS, LINE, Place, ranges

INDEX = re.compile(r"(.*)\[(\d+)\]")
WAYS = {
    "if": "condition never true",
    "elsif": "condition never true",
    "else": "condition never false",
    "cond_then": "first choice of ?: never taken",
    "cond_else": "second choice of ?: never taken",
    "case": "case never taken",
}


@dataclass
class SourceLine:
    """A line of a source with what was counted in it."""

    number: int
    text: str
    hits: int | None = None  # how often it ran; None for a line that holds nothing that runs
    missed: list[str] = field(default_factory=list)  # what should be covered and is not
    excluded: list[tuple[str, str]] = field(default_factory=list)  # what cannot be, and why

    @property
    def mark(self) -> str:
        """Its class on the page."""
        if self.missed:
            return "missed"
        return "excluded" if self.excluded else "run" if self.hits else ""


def write_page(coverage: CodeCoverage, path: Path) -> None:
    """Write the page, next to which nothing is needed."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader("scripts.coverage"), jinja2.PackageLoader("scripts.regress")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("code.html").render(
        coverage=coverage,
        kinds=KINDS,
        plural=PLURAL,
        thresholds=THRESHOLDS,
        floors=FLOORS,
        rounded=rounded,
        modules=sorted(coverage.modules, key=lambda module: module.worst),
        sources={module.name: source_of(module, coverage) for module in coverage.modules},
        exclusions=exclusion_rows(coverage),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def source_of(module: ModuleCoverage, coverage: CodeCoverage) -> list[SourceLine]:
    """Every line of a module's source, with what is missing and what is excluded."""
    lines = [SourceLine(n, text) for n, text in enumerate(source_lines(module.file), start=1)]
    here = sorted(place for place in coverage.counts.hits if place.file == module.file)
    missed: dict[int, list[Place]] = defaultdict(list)
    excluded: dict[tuple[int, Exclusion], list[Place]] = defaultdict(list)
    for place in here:
        if place.kind == LINE:
            lines[place.line - 1].hits = coverage.counts.hits[place][0]
        if place in coverage.excluded:
            excluded[place.line, coverage.excluded[place]].append(place)
        elif not coverage.covered(place):
            missed[place.line].append(place)
    for number, places in missed.items():
        lines[number - 1].missed = described(places)
    for (number, exclusion), places in excluded.items():
        what = "; ".join(described(places))
        lines[number - 1].excluded.append((what, exclusion.reason))
    return lines


def described(places: Iterable[Place]) -> list[str]:
    """What is not covered in a line, in words."""
    words, bits = [], defaultdict(list)
    for place in places:
        if place.kind == LINE:
            words.append("never ran")
        elif place.kind == BRANCH:
            words.append(WAYS.get(place.name, f"{place.name} never taken"))
        elif match := INDEX.fullmatch(place.name):
            bits[match[1]].append(int(match[2]))
        else:
            words.append(f"{place.name} does not rise and fall")
    words += [f"{name}[{ranges(each)}] do not rise and fall" for name, each in bits.items()]
    return list(dict.fromkeys(words))


def exclusion_rows(coverage: CodeCoverage) -> list[tuple[Exclusion, dict[str, int]]]:
    """Every exclusion that is in use, with the number of its points in each module."""
    rows: dict[Exclusion, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for place, exclusion in sorted(coverage.excluded.items(), key=lambda item: item[0]):
        rows[exclusion][place.module] += 1
    return list(rows.items())
