# SPDX-License-Identifier: Apache-2.0
"""What the pages of docs/apack show of the RTL and of simulations: tables, timing diagrams."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from tb.apack.diagrams.draw import DIAGRAMS, draw
from tb.apack.env.register_map import register_map
from tb.bus.register_map import markdown
from tb.sim.cocotb_run import CocotbRun, run_cocotb
from tb.sim.modules import rtl_modules, rtl_sources
from tb.sim.pages import row

BENCH = "tb.apack.diagrams.timing_diagrams"
SEED = 1
PARAMETER = re.compile(r"// (.*)\n +parameter (\w+) += (\d+)")
MEASURED = {
    "apack_compressor": "measures_the_compressor",
    "apack_decompressor": "measures_the_decompressor",
}


def tables() -> dict[str, str]:
    """The tables that follow from the RTL alone, by the name of their markers."""
    return {"registers": markdown(register_map()), "parameters": parameter_table()}


def measured(sim: str, folder: Path, say: Callable[[str], None]) -> dict[str, str]:
    """The tables of simulations, by the name of their markers; draws the timing diagrams.

    Args:
        sim: the simulator.
        folder: that of the system's pages.
        say: is told of each step.

    Raises:
        ToolMissing, BuildError, CocotbFailure: a simulation cannot run, or fails.
    """
    latencies = {}
    for top, testcase in MEASURED.items():
        latencies[f"latency of {top}"] = latency_table(simulate(top, {}, testcase, sim, False))
        say(f"measured {top}")
    timing = folder / "timing"
    timing.mkdir(exist_ok=True)
    for diagram in DIAGRAMS:
        run = simulate(diagram.top, diagram.parameters, diagram.testcase, sim, waves=True)
        draw(diagram, run.waves, timing / diagram.name)
        say(f"drew timing/{diagram.name}.svg")
    return latencies


def simulate(
    top: str, parameters: dict[str, int], testcase: str, sim: str, waves: bool
) -> CocotbRun:
    """Run one cocotb test of the timing bench."""
    return run_cocotb(
        top,
        rtl_sources(top),
        BENCH,
        parameters,
        sim,
        SEED,
        waves,
        testcase,
        build_name=f"docs-{testcase}",
    )


def latency_table(run: CocotbRun) -> str:
    """What the timing bench measured of a top, as a Markdown table."""
    rows = json.loads((run.folder / "latencies.json").read_text(encoding="utf-8"))
    firsts = [name for name in rows[0] if name.startswith("first_")]
    names = [f"first {name.removeprefix('first_')} beat" for name in firsts]
    heads = ["values of a block", "values", *names, "last input to DONE", "BUSY", "values a cycle"]
    lines = [row(heads), row(["---"] * len(heads))]
    for found in rows:
        numbers = [found["block"], found["values"], *(found[name] for name in firsts)]
        numbers += [found["last"], found["cycles"]]
        rate = found["values"] / found["cycles"]
        lines.append(row([*(f"{number:,}" for number in numbers), f"{rate:.3f}"]))
    return "".join(lines)


def parameter_table() -> str:
    """The parameters of both tops, as a Markdown table; those of one say whose they are.

    Raises ValueError when the tops differ in a parameter that both have.
    """
    found = {
        top: {
            name: (value, text)
            for text, name, value in PARAMETER.findall(rtl_modules()[top].read_text("utf-8"))
        }
        for top in MEASURED
    }
    parameters = {name: each for rows in found.values() for name, each in rows.items()}
    lines = [row(["parameter", "default", "meaning"]), row(["---"] * 3)]
    for name, (value, text) in parameters.items():
        owners = [top for top in MEASURED if name in found[top]]
        if any(found[top][name] != (value, text) for top in owners):
            raise ValueError(f"the tops differ in {name}")
        whose = "" if len(owners) == len(MEASURED) else f"{owners[0]}: "
        lines.append(row([f"`{name}`", value, whose + text]))
    return "".join(lines)
