# SPDX-License-Identifier: Apache-2.0
"""Standard cells: area and critical path of a design, from the smallest point to the fastest.

Yosys elaborates and flattens a design once for each kind of adder; ABC restructures the logic
between the registers and maps it by several recipes.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.synth.designs import Design, is_box
from scripts.synth.library import Library
from scripts.synth.tools import SynthesisError, once, run_yosys, source_texts, version
from tb.sim.modules import rtl_sources

# Carry look-ahead of adders and comparators: Yosys' own choice, and a shallower one.
ADDERS = {"brent-kung": "", "sklansky": " -extra-map +/choices/sklansky.v"}

# What all mappings of a design begin with: depth taken out of the logic, its structure varied.
RESTRUCTURE = (
    "strash; ifraig; scorr; dc2; strash; if -g -K 6; strash; dch -f; if -g -K 6; strash; dch -f"
)
MAPPERS = {
    "area": "strash; dc2; dch -f; amap -m",
    "balanced": "amap -m",
    "delay": "map -D {deadline}",
}
SIZING = "topo; buffer -c -N {fanout}; upsize -D {deadline}; dnsize -D {deadline}; stime -p"
# Mapper, most gates that one output drives, and the deadline in target delays: those of many that
# gave the best points for the engines. What "delay" finds varies by chance with its deadline, which
# is why it has several.
RECIPES = (
    ("area", 16, 1.0),
    ("area", 8, 0.5),
    ("balanced", 16, 0.5),
    ("balanced", 8, 0.5),
    ("balanced", 6, 0.5),
    ("delay", 16, 1.0),
    ("delay", 16, 0.95),
    ("delay", 16, 0.9),
    ("delay", 16, 0.85),
    ("delay", 8, 0.5),
)
PATH = re.compile(
    r"Gates = +(\d+) .*?Area = +([\d.]+) .*?Delay = +([\d.]+) ps"
    r".*?Start-point = \w+ \((.*?)\)\.  End-point = \w+ \((.*?)\)\.",
    re.DOTALL,
)


@dataclass(frozen=True)
class Point:
    """One mapping of a design: areas in gate equivalents, delay in ps and in FO4."""

    recipe: str
    area: float
    registers: float  # of the area
    cells: int
    delay: float
    fo4: float
    begin: str  # register or port at which the slowest path begins
    end: str


@dataclass(frozen=True)
class Recipe:
    """How ABC maps a netlist."""

    mapper: str
    fanout: int
    deadline: int  # ps

    @property
    def name(self) -> str:
        """A name for people, and for files."""
        return f"{self.mapper}-{self.fanout}-{self.deadline}"

    @property
    def script(self) -> str:
        """ABC's commands, separated by semicolons."""
        return f"{MAPPERS[self.mapper]}; {SIZING}".format_map(asdict(self))


def abc_script(chosen: list[Recipe]) -> str:
    """ABC's commands that restructure a netlist once and map it by each recipe, one a line."""
    mappings = [f"restore; {recipe.script}" for recipe in chosen]
    return "; ".join([RESTRUCTURE, "backup", *mappings]).replace("; ", "\n") + "\n"


def recipes(target: float, library: Library) -> list[Recipe]:
    """All recipes for a target delay in FO4."""
    return [
        Recipe(mapper, fanout, round(share * target * library.fo4))
        for mapper, fanout, share in RECIPES
    ]


def map_design(design: Design, adder: str, library: Library, target: float) -> list[Point]:
    """Every recipe's point of a design with one kind of adder.

    Raises:
        SynthesisError: Yosys or ABC failed.
        ToolMissing: Yosys is not there.
    """
    files = list(rtl_sources(design.module))
    chosen = recipes(target, library)
    depends_on = {
        "sources": source_texts(files),
        "commands": commands(design, adder, [Path(path.name) for path in files]),
        "script": abc_script(chosen),
        "library": [library.digest, library.constraints, library.gate_area, library.fo4],
        "tool": version("pyosys"),
    }

    def make() -> dict:
        with tempfile.TemporaryDirectory(prefix="synth-") as name:
            folder = Path(name)
            shutil.copyfile(library.path, folder / "cells.lib")
            (folder / "constraints").write_text(library.constraints, encoding="utf-8")
            (folder / "map.abc").write_text(abc_script(chosen), encoding="utf-8")
            run_yosys(commands(design, adder, files), folder)
            points = read_points(folder, adder, chosen, library)
            return {"points": [asdict(point) for point in points]}

    made = once(f"cells-{design.module}", depends_on, make)
    return [Point(**point) for point in made["points"]]


def commands(design: Design, adder: str, files: list[Path]) -> list[str]:
    """Yosys' commands: elaborate, map the registers, then hand the logic to ABC.

    Memories stay boxes, which count nothing and at which paths begin and end.
    """
    parameters = "".join(f" -chparam {key} {value}" for key, value in design.parameters.items())
    return [
        *(f'read_verilog {"-lib " if is_box(path.stem) else ""}"{path}"' for path in files),
        f"hierarchy -check -top {design.module}{parameters}",
        f"synth -flatten -noabc{ADDERS[adder]}",
        "dfflibmap -liberty cells.lib",
        "opt -full",
        "opt_clean",
        "write_json front.json",
        "tee -q -o front-stat.json stat -json -liberty cells.lib",
        "tee -o abc.log abc -liberty cells.lib -constr constraints -script map.abc",
    ]


def read_points(
    folder: Path, adder: str, chosen: list[Recipe], library: Library
) -> Iterator[Point]:
    """The point of each recipe, from what Yosys and ABC left in `folder`.

    Raises:
        SynthesisError: ABC did not report as many mappings as there are recipes.
    """
    stat = json.loads((folder / "front-stat.json").read_text(encoding="utf-8"))["design"]
    registers = stat.get("sequential_area", 0)
    kinds = stat.get("num_cells_by_type", {})
    cells = sum(number for kind, number in kinds.items() if kind.startswith("DFF"))
    names = EndNames.of(json.loads((folder / "front.json").read_text(encoding="utf-8")))
    log = (folder / "abc.log").read_text(encoding="utf-8", errors="replace")
    paths = PATH.findall(log)
    if "nothing to map" in log:
        paths = [("0", "0", "0", "", "")] * len(chosen)
    if len(paths) != len(chosen):
        raise SynthesisError(f"ABC reported {len(paths)} mappings of {len(chosen)}")
    for recipe, (gates, area, delay, begin, end) in zip(chosen, paths, strict=True):
        yield Point(
            recipe=f"{adder}-{recipe.name}",
            area=(float(area) + registers) / library.gate_area,
            registers=registers / library.gate_area,
            cells=int(gates) + cells,
            delay=float(delay),
            fo4=float(delay) / library.fo4,
            begin=names.begins.get(begin, begin),
            end=names.ends.get(end, end),
        )


@dataclass(frozen=True)
class EndNames:
    """Names of registers and ports, by the signal that ABC's paths begin or end at."""

    begins: dict[str, str]
    ends: dict[str, str]

    @classmethod
    def of(cls, netlist: dict) -> EndNames:
        """From a flat netlist in Yosys' JSON, its registers mapped."""
        (module,) = (found for found in netlist["modules"].values() if _is_top(found))
        signals = dict(_signals(module["netnames"]))
        public: dict[int, str] = {}
        for name, bit in signals.items():
            if name.startswith("\\"):
                readable = name[1:].replace(" [", "[")
                public[bit] = min(public.get(bit, readable), readable, key=_clarity)
        registers = [
            {pin: bits[0] for pin, bits in cell["connections"].items()}
            for cell in module["cells"].values()
            if cell["type"].startswith("DFF")
        ]
        stored = {pins["D"]: public[pins["Q"]] for pins in registers if pins["Q"] in public}
        return cls(_named(signals, public), _named(signals, public | stored))


def _is_top(module: dict) -> bool:
    return "top" in module["attributes"]


def _signals(netnames: dict[str, dict]) -> Iterator[tuple[str, int]]:
    """Each bit of each wire, by the name that Yosys' log gives it."""
    for name, wire in netnames.items():
        printed = name if name.startswith("$") else f"\\{name}"
        for place, bit in enumerate(wire["bits"], wire.get("offset", 0)):
            yield (f"{printed} [{place}]" if len(wire["bits"]) > 1 else printed), bit


def _named(signals: dict[str, int], names: dict[int, str]) -> dict[str, str]:
    return {signal: names[bit] for signal, bit in signals.items() if bit in names}


def _clarity(name: str) -> tuple[bool, int, str]:
    """Sorts the names of one signal: a register's first, then the shortest."""
    return "_reg" not in name, len(name), name


def pareto(points: Iterable[Point]) -> list[Point]:
    """The points that no other beats in both area and delay, smallest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.area, point.delay)):
        if not best or point.delay < best[-1].delay:
            best.append(point)
    return best


def choose(points: Iterable[Point], target: float) -> Point:
    """The smallest point of at most `target` FO4, or the fastest where there is none."""
    front = pareto(points)
    return next((point for point in front if point.fo4 <= target), front[-1])
