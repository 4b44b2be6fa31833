# SPDX-License-Identifier: Apache-2.0
"""The code coverage of the hardware for the dashboard: what `make coverage` has last written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scripts.coverage.code import RESULT, RTL, Tally
from scripts.coverage.points import KINDS


@dataclass(frozen=True)
class CodeRow:
    """A module, or all of them together; tallies: by kind of point."""

    name: str
    tallies: dict[str, Tally]

    @property
    def missed(self) -> int:
        """Points that should be covered and are not."""
        return sum(tally.missed for tally in self.tallies.values())


@dataclass(frozen=True)
class CodeReport:
    """The coverage of all simulations that counted; modules: those that miss points."""

    written: str
    stale: bool  # whether a source has changed since
    simulations: int
    thresholds: dict[str, float]
    total: CodeRow
    modules: list[CodeRow]
    whole: int  # modules that miss no point
    part: str = ""  # the tests it is of, when they are not all
    merged: str = ""  # the runs it is of, when they are several regressions


def read_code_coverage(path: Path = RESULT, rtl: Path = RTL) -> CodeReport | None:
    """What stands in a file of code coverage; None when there is none that can be read."""
    try:
        written = path.stat().st_mtime
        found = json.loads(path.read_text(encoding="utf-8"))
        rows = [_row(name, entry) for name, entry in found["modules"].items()]
        missing = [row for row in rows if row.missed]
        return CodeReport(
            datetime.fromtimestamp(written, UTC).isoformat(timespec="seconds"),
            any(source.stat().st_mtime > written for source in rtl.glob("*/*.v")),
            int(found["simulations"]),
            {kind: float(found["thresholds"][kind]) for kind in KINDS},
            _row("all", found["total"]),
            sorted(missing, key=lambda row: -row.missed),
            len(rows) - len(missing),
            str(found.get("part", "")),
            str(found.get("merged", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _row(name: str, entry: Mapping) -> CodeRow:
    fields = ("points", "covered", "excluded")
    tallies = {kind: Tally(*(int(entry[kind][field]) for field in fields)) for kind in KINDS}
    return CodeRow(name, tallies)
