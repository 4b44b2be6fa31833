# SPDX-License-Identifier: Apache-2.0
"""Code coverage of the hardware: lines, branches and toggles of every module of rtl/.

`make test SIM=verilator COVERAGE=1` makes each simulation leave what it counted in its folder
under build/test/verilator/. This adds it up, leaves out what tb/<system>/coverage_exclusions.yaml
excludes, writes build/coverage/code.json and code.html, and compares the totals with the
thresholds and each module with the floors.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.console.shown import rounded
from scripts.coverage.exclusions import Exclusion, excluded_points, faults, read_exclusions
from scripts.coverage.points import KINDS, Counts, Place, read_points
from scripts.runs.coverage import CoverageError
from tb.sim.cocotb_run import COVERAGE_FILE, COVERED_BY
from tb.sim.paths import ROOT
from tb.sim.systems import system_files

RTL = ROOT / "rtl"
RUNS = ROOT / "build" / "test" / "verilator"
EXCLUSIONS = tuple(system_files("coverage_exclusions.yaml"))
RESULT = ROOT / "build" / "coverage" / "code.json"
THRESHOLDS = {"line": 99.0, "branch": 98.0, "toggle": 95.0}  # percent of all points
FLOORS = {"line": 95.0, "branch": 95.0, "toggle": 55.0}  # percent of a module's points
PLURAL = {"line": "lines", "branch": "branches", "toggle": "toggles"}


@dataclass(frozen=True)
class Tally:
    """How many points there are of one kind, and how many of them are covered or excluded."""

    points: int = 0
    covered: int = 0
    excluded: int = 0

    @property
    def missed(self) -> int:
        """Points that should be covered and are not."""
        return self.points - self.excluded - self.covered

    @property
    def percent(self) -> float:
        """Covered part of what is not excluded."""
        wanted = self.points - self.excluded
        return 100 * self.covered / wanted if wanted else 100.0


@dataclass(frozen=True)
class ModuleCoverage:
    """What was counted in one module."""

    name: str
    file: Path
    tallies: dict[str, Tally]  # by kind

    @property
    def missed(self) -> int:
        """Points of all kinds that should be covered and are not."""
        return sum(tally.missed for tally in self.tallies.values())

    @property
    def worst(self) -> tuple[float, int]:
        """Where the module stands among all: the worst have the least."""
        return min(tally.percent for tally in self.tallies.values()), -self.missed


@dataclass(frozen=True)
class CodeCoverage:
    """What all simulations counted."""

    simulations: int
    stale: int  # simulations of sources that have changed since
    counts: Counts
    excluded: dict[Place, Exclusion]
    modules: list[ModuleCoverage]  # worst first
    not_simulated: list[str]
    totals: dict[str, Tally]
    exclusion_faults: list[str]
    tests: int = 0  # that are there and count code
    not_run: tuple[str, ...] = ()  # those of them that left nothing
    merged: str = ""  # what earlier runs are in it, in words

    @property
    def part(self) -> str:
        """What part of the tests is in it, in words; empty when it is all of them."""
        if not self.not_run:
            return ""
        return f"{self.tests - len(self.not_run)} of {self.tests} hardware tests"

    def covered(self, place: Place) -> bool:
        """Whether a point is covered."""
        return self.counts.covered(place)

    @property
    def faults(self) -> list[str]:
        """Every reason why the coverage is not good enough, in one line each.

        The thresholds are for all tests: a part of them cannot meet them.
        """
        if self.part:
            return self.exclusion_faults
        below = [
            f"{PLURAL[kind]} are at {rounded(self.totals[kind].percent)} %, below "
            f"{THRESHOLDS[kind]:g} %"
            for kind in KINDS
            if self.totals[kind].percent < THRESHOLDS[kind]
        ]
        low = [
            f"{PLURAL[kind]} of {module.name} are at {rounded(module.tallies[kind].percent)} %, "
            f"below {FLOORS[kind]:g} % of a module"
            for module in self.modules
            for kind in KINDS
            if module.tallies[kind].percent < FLOORS[kind]
        ]
        absent = [f"in no simulation: {', '.join(self.not_simulated)}"]
        return [*below, *low, *(absent if self.not_simulated else []), *self.exclusion_faults]


def coverage_files(runs: Path = RUNS) -> list[Path]:
    """What the simulations have left."""
    return sorted(runs.glob(f"*/{COVERAGE_FILE}"))


def test_of(path: Path) -> str | None:
    """The test whose simulation left some coverage; None if nothing says."""
    named = path.with_name(COVERED_BY)
    return named.read_text(encoding="utf-8") if named.is_file() else None


def measure(
    files: Iterable[Path],
    tests: Collection[str],
    rtl: Path = RTL,
    exclusions: Sequence[Path] = EXCLUSIONS,
    watch: Callable[[list[Path]], Iterable[Path]] = iter,
    same_sources: bool = False,
) -> CodeCoverage:
    """Add up what simulations have left.

    Args:
        files: one of each simulation. Those older than a source are left out: their lines are
            those of another text.
        tests: ids of those that there are. What another has left, which was renamed or removed,
            does not count.
        rtl: folder with a folder for each codec, one module a file.
        exclusions: files with the points that no test can cover.
        same_sources: the files are known to be of the sources as they are, whatever their age.
        watch: is given the files and gives them back one by one, for a progress bar.

    Raises:
        CoverageError: there is nothing to add up, or something cannot be read.
    """
    files = [path for path in files if test_of(path) in tests]
    sources = {path.stem: path for path in sorted(rtl.glob("*/*.v"))}
    newest = max((path.stat().st_mtime for path in sources.values()), default=0.0)
    current = [path for path in files if same_sources or path.stat().st_mtime >= newest]
    counts = read_points(watch(current), rtl)
    if not counts.hits:
        what = "only other sources" if len(current) < len(files) else "no hardware"
        raise CoverageError(f"{what} simulated: run make test SIM=verilator COVERAGE=1")
    excluded, wrong = excluded_points(
        [each for path in exclusions for each in _exclusions_of(path)], counts, source_line
    )
    found = {place.module for place in counts.hits}
    absent = sorted(set(sources) - found)
    not_run = tuple(sorted(set(tests) - {test_of(path) for path in current}))
    modules = _modules(counts, excluded, sources)
    return CodeCoverage(
        simulations=counts.simulations,
        stale=len(files) - len(current),
        counts=counts,
        excluded=excluded,
        modules=sorted(modules, key=lambda module: module.worst),
        not_simulated=absent,
        totals={kind: _sum(module.tallies[kind] for module in modules) for kind in KINDS},
        exclusion_faults=faults(wrong, full=not absent and not not_run),
        tests=len(set(tests)),
        not_run=not_run,
    )


def _exclusions_of(path: Path) -> list[Exclusion]:
    try:
        return read_exclusions(path.read_text(encoding="utf-8"))
    except (OSError, CoverageError) as error:
        raise CoverageError(f"{path.parent.name}/{path.name}: {error}") from None


def source_line(place: Place) -> str:
    """The text of the line a point is in."""
    lines = source_lines(place.file)
    return lines[place.line - 1] if place.line <= len(lines) else ""


@cache
def source_lines(path: Path) -> list[str]:
    """The lines of a source."""
    return path.read_text(encoding="utf-8").splitlines()


def _modules(
    counts: Counts, excluded: dict[Place, Exclusion], sources: dict[str, Path]
) -> list[ModuleCoverage]:
    points: Counter[tuple[str, str]] = Counter()
    covered, left_out = points.copy(), points.copy()
    for place in counts.hits:
        key = place.module, place.kind
        points[key] += 1
        covered[key] += counts.covered(place)
        left_out[key] += place in excluded
    return [
        ModuleCoverage(name, sources[name], {
            kind: Tally(points[name, kind], covered[name, kind], left_out[name, kind])
            for kind in KINDS
        })
        for name in sorted({name for name, _ in points})
    ]  # fmt: skip


def _sum(tallies: Iterable[Tally]) -> Tally:
    tallies = list(tallies)
    return Tally(
        sum(tally.points for tally in tallies),
        sum(tally.covered for tally in tallies),
        sum(tally.excluded for tally in tallies),
    )


def as_json(coverage: CodeCoverage) -> str:
    """The result for other programs."""
    uncovered: dict[str, list[str]] = {module.name: [] for module in coverage.modules}
    for place in sorted(coverage.counts.hits):
        if not coverage.covered(place) and place not in coverage.excluded:
            uncovered[place.module].append(f"{place.line} {place.kind} {place.name}".strip())
    return json.dumps(
        {
            "simulations": coverage.simulations,
            "part": coverage.part,
            "merged": coverage.merged,
            "thresholds": THRESHOLDS,
            "floors": FLOORS,
            "total": _as_dict(coverage.totals),
            "modules": {
                module.name: {**_as_dict(module.tallies), "uncovered": uncovered[module.name]}
                for module in coverage.modules
            },
            "faults": coverage.faults,
        },
        indent=1,
    )


def _as_dict(tallies: dict[str, Tally]) -> dict[str, dict[str, float]]:
    return {
        kind: {
            "percent": round(tally.percent, 2),
            "points": tally.points,
            "covered": tally.covered,
            "excluded": tally.excluded,
        }
        for kind, tally in tallies.items()
    }
