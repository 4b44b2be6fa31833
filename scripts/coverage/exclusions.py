# SPDX-License-Identifier: Apache-2.0
"""Points that no test can cover, each with its reason, in tb/<system>/coverage_exclusions.yaml.

An entry names a module (`*` for any part of its name), a kind of points and a regular expression
on the text of the source line (`source`), on the point's name (`name`), or on both. The name of a
toggle is the signal with its index, which must match as a whole; with `bits`, such as `0, 4-7`, it
is the signal alone, and its last index is one of these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import yaml

from scripts.coverage.points import KINDS, Counts, Place, numbers_of, ranges
from scripts.runs.coverage import CoverageError

KEYS = {"module", "kind", "source", "name", "bits", "reason"}
BITS = re.compile(r"\d+(-\d+)?(,\s*\d+(-\d+)?)*")
SHOWN = 3


@dataclass(frozen=True)
class Exclusion:
    """Points that cannot be covered, and why."""

    module: str
    kind: str
    reason: str
    source: re.Pattern[str] | None = None
    name: re.Pattern[str] | None = None
    bits: frozenset[int] | None = None

    def matches(self, place: Place, text: str) -> bool:
        """Whether it excludes a point; `text` is the point's source line."""
        return (
            place.kind == self.kind
            and fnmatchcase(place.module, self.module)
            and self._names(place.name)
            and (self.source is None or self.source.search(text) is not None)
        )

    def _names(self, name: str) -> bool:
        if self.bits is not None:
            name, _, index = name.rstrip("]").rpartition("[")
            if not index.isdecimal() or int(index) not in self.bits:
                return False
        return self.name is None or self.name.fullmatch(name) is not None

    @property
    def pattern(self) -> str:
        """What it matches, for people."""
        patterns = [each.pattern for each in (self.source, self.name) if each]
        bits = [f"bits {ranges(self.bits)}"] if self.bits else []
        return " ".join([*patterns, *bits])

    def __str__(self) -> str:
        return f"{self.module} {self.kind} {self.pattern}"


def read_exclusions(text: str) -> list[Exclusion]:
    """The entries of the file.

    Raises:
        CoverageError: it is no list of them; an entry lacks something, such as its reason.
    """
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CoverageError(f"no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(entries or [], list):
        raise CoverageError("is no list of exclusions")
    return [_exclusion(number, entry) for number, entry in enumerate(entries or [], start=1)]


def _exclusion(number: int, entry: object) -> Exclusion:
    where = f"exclusion {number}"
    if not isinstance(entry, dict):
        raise CoverageError(f"{where} is no mapping")
    if unknown := set(entry) - KEYS:
        raise CoverageError(f"{where} has an unknown key {sorted(map(str, unknown))[0]}")
    for key, value in entry.items():
        if not isinstance(value, str):
            raise CoverageError(f"{where}: {key} is no text")
    for key in ("module", "kind", "reason"):
        if not entry.get(key, "").strip():
            raise CoverageError(f"{where} has no {key}")
    if entry["kind"] not in KINDS:
        raise CoverageError(f"{where}: kind is {', '.join(KINDS)}, not {entry['kind']}")
    patterns = {key: _pattern(where, entry[key]) for key in ("source", "name") if key in entry}
    if not patterns:
        raise CoverageError(f"{where} has neither source nor name")
    bits = entry.get("bits")
    if bits is not None and not BITS.fullmatch(bits.strip()):
        raise CoverageError(f"{where}: {bits!r} are no bits such as 0, 4-7")
    return Exclusion(
        entry["module"],
        entry["kind"],
        " ".join(entry["reason"].split()),
        **patterns,
        bits=frozenset(numbers_of(bits)) if bits else None,
    )


def _pattern(where: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise CoverageError(f"{where}: {text!r} is no regular expression: {error}") from None


def excluded_points(
    exclusions: Iterable[Exclusion], counts: Counts, text_of: Callable[[Place], str]
) -> tuple[dict[Place, Exclusion], dict[Exclusion, list[Place]]]:
    """The points that are excluded and were indeed not covered; and those that were, by exclusion.

    An exclusion that matches no point at all has an empty list in the second.
    """
    excluded: dict[Place, Exclusion] = {}
    wrong: dict[Exclusion, list[Place]] = {}
    places: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for place in counts.hits:
        places[place.module, place.kind].append(place)
    for exclusion in exclusions:
        matched = [
            place
            for (module, kind), each in places.items()
            if kind == exclusion.kind and fnmatchcase(module, exclusion.module)
            for place in each
            if exclusion.matches(place, text_of(place))
        ]
        covered = [place for place in matched if counts.covered(place)]
        if covered or not matched:
            wrong[exclusion] = covered
        excluded |= dict.fromkeys(set(matched) - set(covered), exclusion)
    return excluded, wrong


def faults(wrong: dict[Exclusion, list[Place]], full: bool) -> list[str]:
    """A line for each exclusion that is not true.

    Args:
        wrong: covered points of each exclusion, none when it matches nothing.
        full: every module was simulated, so that what matches nothing is out of date.
    """
    lines = []
    for exclusion, covered in wrong.items():
        if covered:
            shown = ", ".join(f"line {each.line} {each.name}".strip() for each in covered[:SHOWN])
            more = f" and {len(covered) - SHOWN} more" if len(covered) > SHOWN else ""
            lines.append(f"exclusion {exclusion}: was covered: {shown}{more}")
        elif full:
            lines.append(f"exclusion {exclusion}: matches nothing")
    return lines
