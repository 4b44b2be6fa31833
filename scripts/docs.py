"""Write what follows from the RTL: file lists, register map files, tables and timing diagrams.

    python -m scripts.docs

Parameters and registers come from rtl/apack, everything else from simulations of the two tops
(tb/apack/diagrams/timing_diagrams.py). Each table stands between two marker comments.
"""

from __future__ import annotations

import json
import re
import sys

from scripts.console.arguments import OneLineParser
from scripts.file_lists import write_file_lists
from scripts.fusesoc_core import write_core
from scripts.register_files import write_register_files
from tb.apack.diagrams.draw import DIAGRAMS, draw
from tb.apack.env.register_map import register_map
from tb.bus.register_map import markdown
from tb.sim.builds import BuildError
from tb.sim.cocotb_run import CocotbFailure, CocotbRun, run_cocotb
from tb.sim.modules import rtl_modules, rtl_sources
from tb.sim.paths import ROOT
from tb.sim.tools import ToolMissing

PAGE = ROOT / "docs" / "architecture.md"
TIMING = ROOT / "docs" / "timing"
BENCH = "tb.apack.diagrams.timing_diagrams"
SEED = 1
PARAMETER = re.compile(r"// (.*)\n +parameter (\w+) += (\d+)")
MEASURED = {
    "apack_compressor": "measures_the_compressor",
    "apack_decompressor": "measures_the_decompressor",
}


def main(arguments: list[str] | None = None) -> int:
    """Rewrite the tables and the diagrams; returns the exit code."""
    parser = OneLineParser("docs", description=__doc__)
    parser.add_argument("--sim", default="verilator", metavar="verilator|icarus")
    sim = parser.parse_args(arguments).sim
    write_file_lists()
    write_register_files()
    write_core()
    try:
        latencies = {}
        for top, testcase in MEASURED.items():
            latencies[f"latency of {top}"] = latency_table(simulate(top, {}, testcase, sim, False))
            print(f"docs: measured {top}")
        TIMING.mkdir(exist_ok=True)
        for diagram in DIAGRAMS:
            run = simulate(diagram.top, diagram.parameters, diagram.testcase, sim, waves=True)
            draw(diagram, run.waves, TIMING / diagram.name)
            print(f"docs: drew docs/timing/{diagram.name}.svg")
    except (ToolMissing, BuildError, CocotbFailure) as error:
        print(f"docs: {error}", file=sys.stderr)
        return 2 if isinstance(error, ToolMissing) else 1
    page = PAGE.read_text(encoding="utf-8")
    for name, table in ({name: make() for name, make in TABLES.items()} | latencies).items():
        page = replaced(page, name, table)
    PAGE.write_text(page, encoding="utf-8")
    return 0


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


def replaced(page: str, name: str, table: str) -> str:
    """The page with this table between the marker comments of that name.

    Raises ValueError when the page has no such markers.
    """
    begin, end = (f"<!-- {word} of generated part: {name} -->" for word in ("begin", "end"))
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"no markers for {name}")
    return pattern.sub(lambda match: f"{begin}\n{table}{end}", page)


def latency_table(run: CocotbRun) -> str:
    """What the timing bench measured of a top, as a Markdown table."""
    rows = json.loads((run.folder / "latencies.json").read_text(encoding="utf-8"))
    firsts = [name for name in rows[0] if name.startswith("first_")]
    names = [f"first {name.removeprefix('first_')} beat" for name in firsts]
    heads = ["values of a block", "values", *names, "last input to DONE", "BUSY", "values a cycle"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for row in rows:
        numbers = [row["block"], row["values"], *(row[name] for name in firsts)]
        numbers += [row["last"], row["cycles"]]
        rate = row["values"] / row["cycles"]
        lines.append(_line([*(f"{number:,}" for number in numbers), f"{rate:.3f}"]))
    return "".join(lines)


def parameter_table() -> str:
    """The parameters of both tops, which share them, as a Markdown table.

    Raises ValueError when the tops differ.
    """
    found = [PARAMETER.findall(rtl_modules()[top].read_text(encoding="utf-8")) for top in MEASURED]
    if any(parameters != found[0] for parameters in found):
        raise ValueError("the tops differ in their parameters")
    lines = [_line(["parameter", "default", "meaning"]), _line(["---"] * 3)]
    lines += [_line([f"`{name}`", value, text]) for text, name, value in found[0]]
    return "".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


TABLES = {"registers": lambda: markdown(register_map()), "parameters": parameter_table}

if __name__ == "__main__":
    sys.exit(main())
