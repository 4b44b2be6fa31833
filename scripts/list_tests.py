# SPDX-License-Identifier: Apache-2.0
"""What there is to test, by system and module: the names that TEST=... selects by.

    make list
    make list TEST='encoder and not reset'

A line is a module with the sets of parameters that it is tested with, or a file with its tests.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.console.arguments import OneLineParser
from scripts.runs.collect import (
    ROOT,
    Collected,
    NothingSelected,
    SelectionError,
    check,
    collect_all,
    name_of,
    unit_of,
)
from tb.sim.sets import bench_files
from tb.sim.tools import SIMULATORS

SELECTABLE = re.compile(r"[\w.-]+")  # a set that can be typed
PLACES = (("tb",), ("model", "scripts"))  # each is collected by a process of its own


def parse_arguments(arguments: list[str] | None):
    """Command line of the list."""
    parser = OneLineParser("list_tests", description=__doc__)
    parser.add_argument("--sim", default="verilator", choices=SIMULATORS)
    parser.add_argument("--test", help="list only what this pytest -k expression selects")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 when nothing matches or the tests cannot be collected."""
    options = parse_arguments(arguments)
    try:
        check(options.test)
        with ThreadPoolExecutor() as pool:
            jobs = [pool.submit(_collect, options.test, options.sim, place) for place in PLACES]
            parts = [job.result() for job in jobs]
        if not any(part.selected for part in parts):
            raise NothingSelected(options.test)
    except SelectionError as error:
        print(f"list: {error}", file=sys.stderr)
        return 2
    there = sum(part.there for part in parts)
    try:
        print_list(parts[0].selected, parts[1].selected, there, options.test)
        sys.stdout.flush()
    except BrokenPipeError:  # of `make list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _collect(selection: str | None, sim: str, place: tuple[str, ...]) -> Collected:
    try:
        return collect_all(selection, sim, place)
    except NothingSelected as error:
        return Collected([], error.left_out)


def print_list(hardware: list[str], software: list[str], there: int, selection: str | None) -> None:
    """Print the groups, and how many tests they are."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in [*hardware_lines(hardware), *software_lines(software)]:
        print(wrapped(line, width))
    count = len(hardware) + len(software)
    of = (
        f"{count:,} of {there:,} tests match TEST={selection!r}"
        if selection
        else f"{count:,} tests"
    )
    print(f"\n{of}: {len(hardware):,} of the hardware, {len(software):,} of model and scripts")


def wrapped(line: str, width: int) -> str:
    """A line as it is, or for a terminal broken between names."""
    if not width:
        return line
    return textwrap.fill(
        line, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def hardware_lines(nodes: Iterable[str]) -> list[str]:
    """A line for each module of each system, or each file that is of no module."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for node in nodes:
        path, unit = Path(node.split("::", 1)[0]), unit_of(node)
        system = bench_files()[unit].relative_to(ROOT) if unit in bench_files() else path
        groups[system.parts[1], unit or path.stem].append(node)
    return [
        f"{system} / {unit}: {', '.join(set_names(members, unit))}"
        for (system, unit), members in sorted(groups.items())
    ]


def set_names(nodes: list[str], unit: str) -> list[str]:
    """What tells the tests of a group apart: their parameters but the unit, or else their names."""
    functions: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        functions[_function_of(node)].append(_set_of(node, unit))
    times = Counter(name for names in functions.values() for name in names)
    return [shown for item in functions.items() for shown in _shown(*item, times)]


def _shown(function: str, names: list[str], times: Counter[str]) -> list[str]:
    """The sets of a function, with its name where they alone would not do."""
    if not all(SELECTABLE.fullmatch(name) for name in names):
        return [f"{function} ({len(names)})" if len(names) > 1 else function]
    return [name if times[name] == 1 else f"{function} {name}" for name in names]


def _set_of(node: str, unit: str) -> str:
    parameters = name_of(node).partition("[")[2].removesuffix("]")
    return f"-{parameters}-".replace(f"-{unit}-", "-", 1).strip("-")


def _function_of(node: str) -> str:
    return name_of(node).partition("[")[0].rpartition("::")[2].removeprefix("test_")


def software_lines(nodes: Iterable[str]) -> list[str]:
    """A line for each file with the number of its tests."""
    counts = Counter(node.split("::", 1)[0] for node in nodes)
    return [
        f"{file}: {count} test{'s' if count > 1 else ''}" for file, count in sorted(counts.items())
    ]


if __name__ == "__main__":
    sys.exit(main())
