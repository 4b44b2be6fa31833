"""Command line of the demo: what `make demo` runs."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict, replace
from itertools import accumulate
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from model.apack import ApackError
from model.cli.progress import Progress, stage
from scripts.arguments import OneLineParser, number_to
from scripts.demo.measure import Measured, measure
from scripts.demo.picture import draw
from scripts.demo.tensors import (
    SHAPE,
    Subject,
    model_subjects,
    shipped_subjects,
    tensor_subjects,
)
from scripts.demo.waves import record_waves
from scripts.simulators import BenchFailure, BuildError, ToolMissing, find_simulator
from tb.apack.bulk.tops_round_trip import Shape, build_tops

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "demo"
NAME_WIDTH = 30
TABLE_WIDTH = 120
MOST_BLOCK_VALUES = 1 << 16
# Values of the shipped tensors that a simulator sends, where it is too slow for all of them.
SHIPPED_VALUES = {"icarus": 4096}

EXAMPLES = """examples:
  make demo                                  the int8 weights of the microWakeWord models
  make demo SIM=icarus WAVES=1               the smallest of them in Icarus, with a waveform
  make demo TENSOR=weights.npy               a uint8 or int8 array of yours
  make demo TENSOR=weights.npy TABLE=t.json  the same with a symbol table of yours
  make demo MODEL=network.onnx BLOCK=16384   every weight tensor of a model"""


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        "demo", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--sim", default="verilator", help="verilator or icarus")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--tensor", type=Path, help="a .npy or .npz file of 8-bit integers")
    source.add_argument("--model", type=Path, help="a .tflite, .onnx or .safetensors file")
    parser.add_argument("--table", type=Path, help="symbol table as JSON; goes with --tensor")
    parser.add_argument(
        "--block", type=_block, default=4096, help="values in a block, a multiple of 8"
    )
    parser.add_argument(
        "--jobs", type=number_to(256), default=os.cpu_count() or 1, help="simulations at a time"
    )
    parser.add_argument("--waves", action="store_true", help="record a waveform of a few blocks")
    options = parser.parse_args(arguments)
    if options.table and not options.tensor:
        parser.error("TABLE goes with TENSOR: say which tensor the table is for")
    return options


def _block(text: str) -> int:
    lanes = SHAPE.lanes
    if (
        not text.isascii()
        or not text.isdigit()
        or int(text) not in range(lanes, MOST_BLOCK_VALUES + 1, lanes)
    ):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a multiple of {lanes}, the values that the units take a cycle, "
            f"from {lanes} to {MOST_BLOCK_VALUES}"
        )
    return int(text)


def _shape(block: int) -> Shape:
    """The units of the demo, with buffers that hold a block."""
    return replace(SHAPE, block_values=max(SHAPE.block_values, 1 << (block - 1).bit_length()))


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when hardware and model agree, 1 when they do not, 2 for unusable input."""
    options = parse_arguments(arguments)
    try:
        return _demo(options)
    except (ApackError, ToolMissing, BuildError, BenchFailure) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130


def _demo(options: argparse.Namespace) -> int:
    console = Console()
    if not console.is_terminal:
        console.width = TABLE_WIDTH
    console.print(find_simulator(options.sim).banner, highlight=False)
    with stage(console, "reading tensors and solving their tables"):
        subjects = _affordable(_subjects(options), options, console)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    shape = _shape(options.block)
    with stage(console, f"building the bench with {options.sim}"):
        builds = {
            (table.value_w, table.count_w): build_tops(table, options.sim, shape)
            for table in (subject.table for subject in subjects)
        }
    total = sum(subject.values.size for subject in subjects)
    columns = (TextColumn("values"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("values", total=total)
        results = measure(
            subjects, builds, shape, options.sim, options.block, options.jobs, FOLDER / "runs",
            lambda values: bar.advance(task, values),
        )  # fmt: skip
    if not any(result.mismatches for result in results):
        shutil.rmtree(FOLDER / "runs")
    _write_summary(results, options)
    _print_table(console, results)
    draw(results, FOLDER / "demo.png")
    _print_files(console)
    if options.waves:
        _waves(console, results, options)
    return _verdict(console, results)


def _subjects(options: argparse.Namespace) -> list[Subject]:
    if options.tensor:
        return tensor_subjects(options.tensor, options.table)
    if options.model:
        return model_subjects(options.model)
    return shipped_subjects()


def _affordable(
    subjects: list[Subject], options: argparse.Namespace, console: Console
) -> list[Subject]:
    """Of the shipped tensors, the smallest ones where the simulator would take long for all."""
    most = SHIPPED_VALUES.get(options.sim)
    if options.tensor or options.model or most is None:
        return subjects
    by_size = sorted(subjects, key=lambda subject: subject.values.size)
    sizes = accumulate(subject.values.size for subject in by_size)
    chosen = [subject for subject, size in zip(by_size, sizes, strict=True) if size <= most]
    console.print(
        f"{options.sim} takes minutes for all {len(subjects)} tensors, which SIM=verilator sends: "
        f"here are the {len(chosen)} smallest",
        highlight=False,
    )
    return chosen


def _totals(results: list[Measured]) -> dict[str, float]:
    raw = sum(result.raw_bits for result in results)
    stored = sum(result.stored_bits for result in results)
    values = sum(result.values for result in results)
    return {
        "values": values,
        "raw_bits": raw,
        "entropy": round(sum(result.entropy for result in results) / raw, 6),
        "memory_bits": sum(result.memory_bits for result in results),
        "index_bits": sum(result.index_bits for result in results),
        "table_bits": sum(result.table_bits for result in results),
        "stored_bits": stored,
        "footprint": round(stored / raw, 6),
        "raw_blocks": sum(result.raw_blocks for result in results),
        "cycles": sum(result.cycles for result in results),
        "compressor_cycles": sum(result.compressor_cycles for result in results),
        "decompressor_cycles": sum(result.decompressor_cycles for result in results),
        "mismatches": sum(result.mismatches for result in results),
        "simulation_seconds": round(sum(result.seconds for result in results), 3),
    }


def _write_summary(results: list[Measured], options: argparse.Namespace) -> None:
    summary = {
        "simulator": options.sim,
        "parameters": asdict(_shape(options.block)),
        "block_values": options.block,
        "tensors": [result.record() for result in results],
        "total": _totals(results),
    }
    text = json.dumps(summary, indent=1) + "\n"
    (FOLDER / "summary.json").write_text(text, encoding="utf-8")


def _print_table(console: Console, results: list[Measured]) -> None:
    table = Table(title="Values through the hardware compressor and decompressor", box=box.SIMPLE)
    table.add_column("tensor", no_wrap=True)
    widths = {"values": 9, "entropy": 8, "footprint": 9, "bytes": 9, "cycles": 9, "rate": 5}
    for name, width in (widths | {"mismatches": 10}).items():
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    for result in results:
        _add_row(table, _short_name(result.subject), result.record())
    table.add_section()
    totals = _totals(results)
    busy = max(totals["compressor_cycles"], totals["decompressor_cycles"], 1)
    _add_row(table, "all", totals | {"values_per_cycle": totals["values"] / busy})
    console.print(table)
    for note in sorted({result.subject.note for result in results if result.subject.note}):
        console.print(f"note: {note}", highlight=False, markup=False)
    console.print(
        "footprint: memory words and index entries that the compressor wrote, over raw bits; "
        f"tables are {100 * totals['table_bits'] / totals['raw_bits']:.2f} % more.\n"
        "rate: values per cycle of the slower unit, over the cycles in which it was busy.",
        highlight=False,
    )


def _short_name(subject: Subject) -> str:
    """Model and tensor in NAME_WIDTH characters: names of tensors differ at their ends."""
    name = f"{subject.model} {subject.name}"
    if len(name) <= NAME_WIDTH:
        return name
    model = subject.model[: NAME_WIDTH // 2]
    return f"{model} …{subject.name[len(model) + 2 - NAME_WIDTH :]}"


def _add_row(table: Table, name: str, record: dict) -> None:
    table.add_row(
        name,
        f"{record['values']:,}",
        f"{100 * record['entropy']:.2f} %",
        f"{100 * record['footprint']:.2f} %",
        f"{-(-record['stored_bits'] // 8):,}",
        f"{record['cycles']:,}",
        f"{record['values_per_cycle']:.3f}",
        f"{record['mismatches']}",
    )


def _print_files(console: Console) -> None:
    for name, what in (("summary.json", "figures"), ("demo.png", "picture")):
        path = (FOLDER / name).relative_to(ROOT)
        console.print(f"{what}: {path}", highlight=False, soft_wrap=True)


def _waves(console: Console, results: list[Measured], options: argparse.Namespace) -> None:
    """Record the first run that went wrong, or the start of the largest tensor."""
    wrong = [result for result in results if result.first_bad_value is not None]
    chosen = wrong[0] if wrong else max(results, key=lambda result: result.values)
    with stage(console, "recording the waveform"):
        files = record_waves(
            chosen.subject,
            chosen.first_bad_value or 0,
            options.sim,
            _shape(options.block),
            options.block,
            FOLDER,
        )
    waves, save = (path.relative_to(ROOT) for path in files)
    console.print(f"waveform: gtkwave {waves} {save}", highlight=False, soft_wrap=True)


def _verdict(console: Console, results: list[Measured]) -> int:
    wrong = [result for result in results if result.mismatches]
    for result in wrong[:5]:
        where = f"{result.subject.model} {result.subject.name}"
        line = f"MISMATCH in {where}, {result.first_mismatch}"
        console.print(line, style="red", highlight=False, markup=False, soft_wrap=True)
    if wrong:
        console.print("repeat with WAVES=1 to see the first of them in a waveform", highlight=False)
    return 1 if wrong else 0
