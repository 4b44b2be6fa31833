# SPDX-License-Identifier: Apache-2.0
"""Plain Verilog test benches with plusargs and files, for speed.

A bench makes its own clock, but where the macro OUTER_CLOCK is defined: then its only port is the
input clk. Beside that clock it has no delays and no event controls but those of `always @`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.sim.builds import (
    Build,
    Parameters,
    cached,
    compile_icarus,
    compile_verilator,
    parameter_flags,
    source_facts,
)
from tb.sim.disk import raise_if_full
from tb.sim.tools import Icarus, find_simulator

X_IS_ANYTHING = ["--x-assign", "fast", "--x-initial", "fast"]
VERILATOR_FLAGS = ["--no-timing", "-DOUTER_CLOCK", "-O3", *X_IS_ANYTHING]
CXX_FLAGS = ["-O2", "-march=native", "-DVL_TIME_CONTEXT"]
MAIN = Path(__file__).with_name("bench.cpp")


class BenchFailure(Exception):
    """A bench ended with an error; the message has the end of its output."""


@dataclass(frozen=True)
class BenchRun:
    """What one run of a bench printed and how long it took."""

    output: str
    seconds: float


def build_bench(
    top: str,
    sources: Sequence[Path],
    parameters: Parameters,
    sim: str,
    trace: bool = False,
) -> Build:
    """Build a Verilog bench, or find it already built.

    Args:
        top: the bench module.
        sources: its Verilog files and those of the design, any order.
        parameters: values for parameters of `top`.
        sim: "icarus" or "verilator".
        trace: make `$dumpfile` and `$dumpvars` write an FST waveform.

    Raises:
        ToolMissing: no such simulator here.
        BuildError: the sources are rejected.
    """
    simulator = find_simulator(sim)
    files = [Path(source).resolve() for source in sources]
    flags = parameter_flags(simulator, top, parameters)
    if isinstance(simulator, Icarus):
        name, cxx_flags = "sim.vvp", []
    else:
        name, cxx_flags = top, CXX_FLAGS
        flags = [*VERILATOR_FLAGS, *(["--trace-fst"] if trace else []), *flags]

    def make(folder: Path) -> None:
        if isinstance(simulator, Icarus):
            compile_icarus(simulator, top, files, flags, folder / name)
        else:
            compile_verilator(simulator, top, files, flags, folder / name, cxx_flags, main=MAIN)

    facts = ["bench", simulator, top, *flags, *cxx_flags, MAIN, *source_facts(files)]
    folder = cached(simulator.name, top, facts, make)
    return Build(simulator, top, folder, folder / name, trace)


def run_bench(
    build: Build,
    plusargs: Mapping[str, object],
    folder: Path,
    on_line: Callable[[str], None] | None = None,
) -> BenchRun:
    """Run a bench to its end.

    Args:
        build: what `build_bench` returned.
        plusargs: {"in": path} becomes `+in=path`; a value of None gives a bare `+in`.
        folder: working folder of the simulation, created when missing.
        on_line: called with each line as the bench prints it (the bench must `$fflush`).

    Raises:
        BenchFailure: the simulator returned an error code.
        OSError: the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    lines: list[str] = []
    with subprocess.Popen(
        bench_command(build, plusargs), cwd=folder, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            for line in process.stdout:
                lines.append(line)
                if on_line:
                    on_line(line.rstrip("\n"))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise_if_full(folder)
        end = "".join(lines[-20:]).strip() or "it printed nothing"
        raise BenchFailure(f"{build.top} ended with code {process.returncode}: {end}")
    return BenchRun("".join(lines), time.perf_counter() - start)


def bench_command(build: Build, plusargs: Mapping[str, object]) -> list[str]:
    """The command line that runs a bench."""
    extra = [f"+{key}" if value is None else f"+{key}={value}" for key, value in plusargs.items()]
    if isinstance(build.simulator, Icarus):
        dump = "-fst" if build.trace else "-none"
        return [str(build.simulator.vvp), "-N", str(build.program), dump, *extra]
    return [str(build.program), *extra]
