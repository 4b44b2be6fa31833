# SPDX-License-Identifier: Apache-2.0
"""Functional coverage over all simulations that have run: bins, hits, percent.

Each simulation of the UVM tests leaves `coverage.json` in its folder: under build/test/<sim>/ by
`make test`, under build/regress/jobs/ by the last `make regress`. This adds them up, over
simulators, parameters and seeds, into build/coverage/functional.json. What a test has left that
pytest does not collect any more, because it was renamed or removed, does not count.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.runs.coverage import CoverageError, tests_there
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.paths import ROOT

BUILD = ROOT / "build"
RUNS = ("test/*/*/coverage.json", "regress/jobs/*/*/runs/*/coverage.json")
RESULT = BUILD / "coverage" / "functional.json"
NONE = "there is no coverage: run make test TEST=uvm or make regress TEST=uvm first"


@dataclass(frozen=True)
class Point:
    """A cover point with the hits of each bin, by label."""

    name: str
    bins: dict[str, int]

    @property
    def missed(self) -> list[str]:
        """Bins that were never hit."""
        return [label for label, hits in self.bins.items() if not hits]

    @property
    def percent(self) -> float:
        """Part of the bins that were hit."""
        return 100 * (1 - len(self.missed) / len(self.bins))


def coverage_files(build: Path = BUILD) -> list[Path]:
    """What simulations have left of tests that are still there.

    Raises CoverageError for a file that is no coverage, and when pytest cannot collect the tests.
    """
    found = {path: node_of(path) for place in RUNS for path in sorted(build.glob(place))}
    there = tests_there(chosen_simulator()) if found else set()
    return [path for path, test in found.items() if test in there]


def node_of(path: Path) -> str | None:
    """The test, by its id of pytest, whose simulation left some coverage; None if it says none."""
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("test")
    except (ValueError, AttributeError) as error:
        raise CoverageError(f"{path} is no coverage of a simulation: {error}") from None


def merged(files: Iterable[Path]) -> dict[str, Point]:
    """The sum of some runs, by the name of the point; bins that differ are joined.

    Raises CoverageError for a file that is no coverage.
    """
    hits: dict[str, Counter[str]] = {}
    for path in files:
        try:
            points = json.loads(path.read_text(encoding="utf-8"))["points"]
            for name, bins in points.items():
                known = hits.setdefault(name, Counter())
                for label, count in bins.items():
                    known[label] += int(count)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CoverageError(f"{path} is no coverage of a simulation: {error}") from None
    return {name: Point(name, dict(bins)) for name, bins in sorted(hits.items())}


def total_percent(points: Iterable[Point]) -> float:
    """Part of all bins that were hit."""
    points = list(points)
    bins = sum(len(point.bins) for point in points)
    missed = sum(len(point.missed) for point in points)
    return 100 * (1 - missed / bins) if bins else 0.0


def as_json(points: dict[str, Point], runs: int) -> str:
    """The result for other programs."""
    return json.dumps(
        {
            "runs": runs,
            "percent": round(total_percent(points.values()), 2),
            "points": {
                name: {"percent": round(point.percent, 2), "bins": point.bins}
                for name, point in points.items()
            },
        },
        indent=1,
    )


def table(points: dict[str, Point]) -> str:
    """A line for each point, with the bins that are missing."""
    width = max(map(len, points))
    lines = []
    for name, point in points.items():
        hit = f"{len(point.bins) - len(point.missed)}/{len(point.bins)}"
        missing = f"  missing: {', '.join(point.missed)}" if point.missed else ""
        lines.append(f"{name:<{width}}  {hit:>7}  {point.percent:5.1f} %{missing}")
    return "\n".join(lines)


def main() -> int:
    """Exit code 0, or 2 when there is nothing to add up."""
    try:
        files = coverage_files()
        points = merged(files)
    except CoverageError as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 2
    if not points:
        print(f"coverage: {NONE}", file=sys.stderr)
        return 2
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(as_json(points, len(files)) + "\n", encoding="utf-8")
    print(table(points))
    print(
        f"coverage: {total_percent(points.values()):.1f} % of the bins of {len(points)} points, "
        f"{len(files)} simulations, {RESULT.relative_to(ROOT)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
