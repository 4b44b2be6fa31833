# SPDX-License-Identifier: Apache-2.0
"""Values per second through a codec's simulated units, by files and by signals.

Both ways send int8 weights through the same units and check what comes back. By files: the
bench reads and writes files by itself, one simulation a core. By signals: a cocotb test drives
and samples the ports in every clock cycle, and is timed without the start of the simulator.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from model.cli.progress import Progress
from model.errors import InputError
from scripts.console.arguments import OneLineParser
from scripts.console.codec_argument import codec_argument
from tb.sim.bench import BenchFailure
from tb.sim.builds import Build, BuildError
from tb.sim.cocotb_run import CocotbFailure
from tb.sim.paths import ROOT
from tb.sim.round_trip import Loop, LoopJob, find_loop
from tb.sim.tools import ToolMissing, find_simulator

FOLDER = ROOT / "build" / "bench" / "sim"
# Long enough for a steady speed, short enough to wait for: values by files (a core) and by signals.
LENGTHS = {"verilator": (2_000_000, 20_000), "icarus": (24_576, 4_096)}


def weights(count: int, seed: int) -> np.ndarray:
    """(count,) int8 weights as uint8 patterns, long-tailed as trained ones are."""
    signed = np.random.default_rng(seed).laplace(0, 12, count).round()
    return np.clip(signed, -128, 127).astype(np.int8).view(np.uint8)


def by_files(job: LoopJob, build: Build, parts: list[np.ndarray]) -> float:
    """Seconds for one round trip of all parts, each in a simulation of its own, at a time."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(len(parts)) as pool:
        runs = list(
            pool.map(
                lambda part: job.run(build, part[1], FOLDER / f"files-{part[0]}"),
                enumerate(parts),
            )
        )
    seconds = time.perf_counter() - begin
    for part, found in zip(parts, runs, strict=True):
        if lines := job.mismatches(part, found):
            raise BenchFailure(f"hardware and model differ: {lines[0]}")
    return seconds


def bench(loop: Loop, sim: str, rounds: int, console: Console) -> list[dict[str, object]]:
    """Rows: way, cores, values, best seconds and values per second over the rounds."""
    file_values, signal_values = LENGTHS[sim]
    cores = os.cpu_count() or 1
    parts = [weights(file_values, seed) for seed in range(cores)]
    job = loop.prepare(parts[0])
    build = job.build(sim)
    ways = {
        ("files", cores): lambda: (sum(map(len, parts)), by_files(job, build, parts)),
        ("files", 1): lambda: (len(parts[0]), by_files(job, build, parts[:1])),
        ("signals", 1): lambda: (
            signal_values,
            job.by_signals(sim, parts[0][:signal_values], FOLDER / "signals"),
        ),
    }
    times: dict[tuple[str, int], list[tuple[int, float]]] = {way: [] for way in ways}
    with Progress(*Progress.get_default_columns(), console=console, transient=True) as bar:
        task = bar.add_task("round trips", total=rounds * len(ways))
        for _ in range(rounds):
            for way, run in ways.items():
                shutil.rmtree(FOLDER, ignore_errors=True)
                times[way].append(run())
                bar.advance(task)
    rows = []
    for (way, used), found in times.items():
        count, seconds = found[0][0], float(np.median([seconds for _, seconds in found]))
        rows.append(
            {
                "way": f"by {way}",
                "cores": used,
                "values": count,
                "seconds": round(seconds, 4),
                "values_per_second": round(count / seconds),
            }
        )
    return rows


def report(rows: list[dict[str, object]], loop: Loop, sim: str, console: Console) -> None:
    """Print the table, the reference last, and write build/bench/sim-SIM.json."""
    reference = rows[-1]["values_per_second"]
    table = Table(title=f"Round trip through {loop.text}, {sim}", box=box.SIMPLE)
    table.add_column("")
    for name in ("cores", "values", "seconds", "values/s", "ratio"):
        table.add_column(name, justify="right")
    for row in rows:
        row["ratio"] = round(row["values_per_second"] / reference, 1)
        table.add_row(
            row["way"], f"{row['cores']}", f"{row['values']:,}", f"{row['seconds']:.3f}",
            f"{row['values_per_second']:,}", f"{row['ratio']:.1f}",
        )  # fmt: skip
    console.print(table)
    path = FOLDER.parent / f"sim-{sim}.json"
    path.write_text(json.dumps({"simulator": sim, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    console.print(
        "median over the rounds; ratio: to the reference, by signals on each clock edge\n"
        f"figures: {path.relative_to(ROOT)}",
        highlight=False,
    )


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 when the benchmark could not run."""
    parser = OneLineParser("benchmark.simulation", description=__doc__)
    loop = codec_argument(parser, arguments, find_loop)
    parser.add_argument("--sim", default="verilator", help="verilator or icarus")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions of each way")
    options = parser.parse_args(arguments)
    console = Console(markup=False, emoji=False)
    try:
        console.print(find_simulator(options.sim).banner, highlight=False)
        rows = bench(loop, options.sim, max(1, options.rounds), console)
    except (InputError, ToolMissing, BuildError, BenchFailure, CocotbFailure) as error:
        print(f"bench-sim: {error}", file=sys.stderr)
        return 2
    report(rows, loop, options.sim, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
