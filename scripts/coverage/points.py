# SPDX-License-Identifier: Apache-2.0
"""The points that Verilator counts, read from what it writes and added up.

One simulation of a build with coverage leaves `code_coverage.dat`: a line for each point, with
fields between control characters and the number of hits behind them. Points of instances,
parameter sets and simulations are added up when they have the same place, kind and name.

Three kinds are made of them:

line    a line of a procedural block or of a conditional expression; covered when it has run.
branch  one way of an `if`, a `case` or a `?:`; covered when it was taken. What an expression chose
        counts whenever the expression was evaluated.
toggle  one bit of a net or variable; covered when it rose and fell. Bits are told apart by their
        indices, so that a bit which only some parameter sets have counts once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from scripts.runs.coverage import CoverageError

LINE, BRANCH, TOGGLE = KINDS = ("line", "branch", "toggle")
HEADER = "# SystemC::Coverage-3"
INSTANCE = "\1h\2"  # begins the instance, a record's last field
BLOCK = "block"  # Verilator's name of a block that runs whenever its process does
RISE, FALL = ":0->1", ":1->0"


@dataclass(frozen=True, order=True)
class Place:
    """What a point is of."""

    file: Path
    line: int
    column: int
    kind: str  # one of KINDS
    name: str  # signal with its index, or the way of the branch; "" for a line

    @property
    def module(self) -> str:
        """The module it is in: a file is named after its module."""
        return self.file.stem


@dataclass
class Counts:
    """Hits of every point: one number, or those of the rise and the fall."""

    hits: dict[Place, list[int]] = field(default_factory=dict)
    simulations: int = 0  # those that have points at all

    def add(self, place: Place, count: int, edge: int = 0) -> None:
        """Count a point; `edge` is 0 for the rise of a bit and 1 for its fall."""
        known = self.hits.get(place)
        if known is None:
            known = self.hits[place] = [0, 0] if place.kind == TOGGLE else [0]
        known[edge] += count

    def covered(self, place: Place) -> bool:
        """Whether a line ran, a branch was taken, or a bit rose and fell."""
        return all(self.hits[place])


def read_points(files: Iterable[Path], folder: Path) -> Counts:
    """The sum of what some simulations counted in the sources below `folder`.

    Raises:
        CoverageError: a file is none of Verilator's.
    """
    totals, simulations = add_up(files, folder)
    counts = Counts(simulations=simulations)
    for record, count in totals.items():
        _add_point(counts, record, count)
    return counts


def add_up(files: Iterable[Path], folder: Path) -> tuple[dict[str, int], int]:
    """The records of some simulations with the sum of their hits, and how many files have any.

    Records are as they stand in the files.

    Raises:
        CoverageError: a file is none of Verilator's.
    """
    totals: dict[str, int] = {}
    simulations = 0
    for path in files:
        try:
            simulations += _add_records(path, str(folder) + "/", totals)
        except (OSError, UnicodeDecodeError) as error:
            raise CoverageError(f"{path} cannot be read: {error}") from None
    return totals, simulations


def write_records(path: Path, totals: dict[str, int]) -> None:
    """Write records as Verilator does, those of all instances as one."""
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as lines:
        lines.write(f"{HEADER}\n")
        lines.writelines(f"C '{record}{INSTANCE}all' {count}\n" for record, count in totals.items())
    partial.replace(path)


def _add_records(path: Path, folder: str, totals: dict[str, int]) -> bool:
    """Add up the records of a file as they are, most of which stand in many; whether it has any."""
    found, marker = False, f"\2{folder}"
    with path.open(encoding="utf-8") as lines:
        if not next(lines, "").startswith(HEADER):
            raise CoverageError(f"{path} is no coverage of Verilator's")
        for number, line in enumerate(lines, start=2):
            record, quote, count = line.rpartition("' ")
            if not quote or not record.startswith("C '") or not count.strip().isdecimal():
                raise CoverageError(f"{path}: line {number} is no coverage point")
            if marker in record:
                record = record.partition(INSTANCE)[0]
                totals[record] = totals.get(record, 0) + int(count)
                found = True
    return found


def _add_point(counts: Counts, record: str, count: int) -> None:
    fields = dict(part.split("\2", 1) for part in record.split("\1")[1:])
    file, line, column = Path(fields["f"]), int(fields.get("l", 0)), int(fields.get("n", 0))
    name = fields.get("o", "")
    if fields.get("t") == TOGGLE:
        edge = int(name.endswith(FALL))
        signal = name.removesuffix(RISE).removesuffix(FALL)
        counts.add(Place(file, line, column, TOGGLE, signal), count, edge)
        return
    if name != BLOCK:
        counts.add(Place(file, line, column, BRANCH, name), count)
    for each in numbers_of(fields.get("S", "")):
        counts.add(Place(file, each, 0, LINE, ""), count)


def numbers_of(text: str) -> list[int]:
    """The numbers of a list such as `3-5,9`."""
    numbers: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.strip().partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as people write them: `0, 4-7`."""
    ordered = sorted(set(numbers))
    starts = [ordered[0], *(b for a, b in pairwise(ordered) if b != a + 1)]
    ends = [*(a for a, b in pairwise(ordered) if b != a + 1), ordered[-1]]
    return ", ".join(
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(starts, ends, strict=True)
    )
