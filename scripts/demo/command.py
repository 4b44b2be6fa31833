# SPDX-License-Identifier: Apache-2.0
"""Command line of the demo: what `make demo` runs."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from model.cli.progress import Progress, stage
from model.errors import InputError
from model.tensors import EXTENSIONS, FLOAT_WAYS, PATTERNS, LeftOut
from scripts.console.arguments import OneLineParser, number_to
from scripts.console.codec_argument import codec_argument, type_of
from scripts.demo.measure import Measured, build_key, measure
from scripts.demo.picture import draw
from scripts.demo.summary import (
    best_and_worst,
    groups,
    print_left_out,
    print_notes,
    print_table,
    print_verdict,
    totals,
)
from scripts.demo.tensors import Subject, file_subjects, shipped_subjects
from scripts.demo.waves import record_waves
from scripts.runs.job_summary import add_to_summary
from tb.sim.bench import BenchFailure
from tb.sim.builds import BuildError
from tb.sim.paths import ROOT
from tb.sim.round_trip import find_codec
from tb.sim.tools import ToolMissing, find_simulator

FOLDER = ROOT / "build" / "demo"
TABLE_WIDTH = 120
# Values of the shipped tensors that a simulator sends, where it is too slow for all of them.
SHIPPED_VALUES = {"icarus": 4096}

EXAMPLES = """examples:
  make demo                                  weights and feature maps of small networks
  make demo ALL=1                            the same, with a line for each tensor
  make demo SIM=icarus WAVES=1               the smallest of them in Icarus, with a waveform
  make demo TENSOR=weights.npy               a file of yours
  make demo TENSOR=weights.npy TABLE=t.json  the same with a symbol table of yours
  make demo MODEL=network.onnx BLOCK=16384   every weight tensor of a model
  make demo MODEL=network.onnx TENSOR='conv* fc.weight'  some of them, by name or wildcards"""


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """The command line; `file` is what to read (None: shipped tensors), `names` what of it.

    `codec` is the codec itself.
    """
    parser = OneLineParser(
        "demo", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    codec = codec_argument(parser, arguments, find_codec)
    parser.add_argument("--sim", default="verilator", help="verilator or icarus")
    parser.add_argument(
        "--model", type=Path, metavar="FILE", help=f"a file of tensors: {', '.join(EXTENSIONS)}"
    )
    parser.add_argument(
        "--tensor", action="append", default=[], metavar="NAME",
        help="with --model: only the tensors of this name, which may have wildcards (may be "
        "repeated); alone: the file itself",
    )  # fmt: skip
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="symbol table as JSON; goes with --tensor"
    )
    parser.add_argument(
        "--float", choices=FLOAT_WAYS, default=PATTERNS,
        help="floats of up to 16 bits as their bit patterns, or quantized like wider ones "
        f"(default {PATTERNS})",
    )  # fmt: skip
    parser.add_argument(
        "--block",
        type=type_of(codec.block_values),
        default=codec.default_block,
        help="values in a block",
    )
    parser.add_argument(
        "--jobs", type=number_to(256), default=os.cpu_count() or 1, help="simulations at a time"
    )
    parser.add_argument("--all", action="store_true", help="a line for each shipped tensor")
    parser.add_argument("--waves", action="store_true", help="record a waveform of a few blocks")
    options = parser.parse_args(arguments)
    options.codec = codec
    if options.table and not options.tensor:
        parser.error("TABLE goes with TENSOR: say which tensor the table is for")
    if options.model is None and len(options.tensor) > 1:
        parser.error("TENSOR is one file; with MODEL it chooses tensors by name, as many as wanted")
    if options.model is None and options.tensor:
        options.file, options.names = Path(options.tensor[0]), []
    else:
        options.file, options.names = options.model, options.tensor
    return options


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when hardware and model agree, 1 when they do not, 2 for unusable input."""
    options = parse_arguments(arguments)
    try:
        return _demo(options)
    except (InputError, ToolMissing, BuildError, BenchFailure) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


def _demo(options: argparse.Namespace) -> int:
    # Names come from files: what looks like markup or an emoji code in them is printed as it is.
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = TABLE_WIDTH
    console.print(find_simulator(options.sim).banner)
    with stage(console, f"reading tensors and {options.codec.preparing}"):
        subjects, left_out = _subjects(options)
        subjects = _affordable(subjects, options, console)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with stage(console, f"building the bench with {options.sim}"):
        different = {build_key(subject.job): subject.job for subject in subjects}
        builds = {key: job.build(options.sim) for key, job in different.items()}
    total = sum(subject.job.values.size for subject in subjects)
    columns = (TextColumn("values"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("values", total=total)
        results = measure(
            subjects, options.codec, builds, options.jobs, FOLDER / "runs",
            lambda values: bar.advance(task, values),
        )  # fmt: skip
    if not any(result.mismatches for result in results):
        shutil.rmtree(FOLDER / "runs")
    _write_summary(results, left_out, options)
    print_table(console, results, each=options.all or options.file is not None)
    print_notes(console, results)
    if options.file:
        print_left_out(console, len(results), left_out)
    draw(results, FOLDER / "demo.png")
    _print_files(console)
    if options.waves:
        _waves(console, results, options)
    return print_verdict(console, results)


def _subjects(options: argparse.Namespace) -> tuple[list[Subject], list[LeftOut]]:
    codec, block = options.codec, options.block
    if options.file:
        return file_subjects(
            options.file, codec, block, options.names, options.float, options.table
        )
    return shipped_subjects(lambda tensor: codec.prepare(tensor, block)), []


def _affordable(
    subjects: list[Subject], options: argparse.Namespace, console: Console
) -> list[Subject]:
    """Of the shipped tensors, the smallest ones where the simulator would take long for all."""
    most = SHIPPED_VALUES.get(options.sim)
    if options.file or most is None:
        return subjects
    by_size = sorted(subjects, key=lambda subject: subject.job.values.size)
    sizes = accumulate(subject.job.values.size for subject in by_size)
    chosen = [subject for subject, size in zip(by_size, sizes, strict=True) if size <= most]
    console.print(
        f"{options.sim} takes hours for all {len(subjects)} tensors, which SIM=verilator sends: "
        f"here are the {len(chosen)} smallest"
    )
    return chosen


def _write_summary(
    results: list[Measured], left_out: list[LeftOut], options: argparse.Namespace
) -> None:
    best, worst = best_and_worst(results)
    summary = {
        "simulator": options.sim,
        "parameters": dict(options.codec.shape(options.block)),
        "block_values": options.block,
        "tensors": [result.record() for result in results],
        "groups": [{"group": name} | totals(members) for name, members in groups(results).items()],
        "best": {"model": best.subject.model, "tensor": best.subject.name},
        "worst": {"model": worst.subject.model, "tensor": worst.subject.name},
        "left_out": [asdict(one) for one in left_out],
        "total": totals(results),
    }
    text = json.dumps(summary, indent=1) + "\n"
    (FOLDER / "summary.json").write_text(text, encoding="utf-8")
    total = summary["total"]
    figures = {
        "tensors": len(results),
        "values": total["values"],
        "entropy": f"{total['entropy']:.2%}",
        "footprint": f"{total['footprint']:.2%}",
        "mismatches": total["mismatches"],
    }
    add_to_summary(f"Demo on {options.sim}", figures)


def _print_files(console: Console) -> None:
    for name, what in (("summary.json", "figures"), ("demo.png", "picture")):
        path = (FOLDER / name).relative_to(ROOT)
        console.print(f"{what}: {path}", soft_wrap=True)


def _waves(console: Console, results: list[Measured], options: argparse.Namespace) -> None:
    """Record the first run that went wrong, or the start of the largest tensor."""
    wrong = [result for result in results if result.first_bad_value is not None]
    chosen = wrong[0] if wrong else max(results, key=lambda result: result.values)
    with stage(console, "recording the waveform"):
        files = record_waves(chosen.subject.job, chosen.first_bad_value or 0, options.sim, FOLDER)
    waves, save = (path.relative_to(ROOT) for path in files)
    console.print(f"waveform: gtkwave {waves} {save}", soft_wrap=True)
