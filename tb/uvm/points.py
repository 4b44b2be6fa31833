# SPDX-License-Identifier: Apache-2.0
"""Cover points and their bins: numbers in ranges, names; and the file that a simulation leaves."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cocotb
from cocotb_coverage.coverage import CoverPoint, coverage_db

Range = tuple[int, float]


def ranges(*starts: int) -> list[Range]:
    """Bins of whole numbers that begin at these; the last one has no end."""
    return list(zip(starts, [*(start - 1 for start in starts[1:]), math.inf], strict=True))


def label(bounds: Range) -> str:
    """A bin's name."""
    low, high = bounds
    if high == math.inf:
        return f"{low}+"
    return f"{low}" if low == high else f"{low}-{high}"


class PointSet:
    """The cover points of one kind of unit; all tests of a simulation share them.

    A system's class adds its points in `__init__`, each named <kind>.<group>.<point>.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._sample: dict[str, Callable[[object], None]] = {}

    def _ranges(self, name: str, *starts: int) -> None:
        bins = ranges(*starts)

        def within(value: int, bounds: Range) -> bool:
            return bounds[0] <= value <= bounds[1]

        self._add(name, bins, [label(bounds) for bounds in bins], within)

    def _names(self, name: str, bins: Sequence[object]) -> None:
        self._add(name, list(bins), [str(each) for each in bins], None)

    def _add(self, name: str, bins: list, labels: list[str], relation: Callable | None) -> None:
        point = CoverPoint(
            f"{self._kind}.{name}", vname="value", bins=bins, bins_labels=labels, rel=relation
        )

        @point
        def sample(value: object) -> None:
            """What is sampled is all there is."""

        self._sample[name] = sample

    def hit(self, name: str, value: object) -> None:
        """Count one sample of a point."""
        self._sample[name](value)


def write_points(path: Path, unit: str, parameters: Mapping[str, int]) -> None:
    """Write the hits of all bins so far as JSON, with what was simulated and by which test."""
    points = {
        name: dict(item.detailed_coverage)
        for name, item in sorted(coverage_db.items())
        if isinstance(item, CoverPoint)
    }
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" ", 1)[0]  # without its phase
    facts = {"unit": unit, "parameters": dict(parameters), "test": test}
    content = facts | {"seed": cocotb.RANDOM_SEED, "points": points}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
