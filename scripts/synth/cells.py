"""Standard cells: area and critical path of a design, from the smallest point to the fastest.

Yosys elaborates and flattens a design once for each kind of adder; ABC then maps it with several
scripts, drives and deadlines. What is best in neither area nor delay is dropped.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.rtl import rtl_sources
from scripts.synth.designs import Design
from scripts.synth.library import Library
from scripts.synth.tools import SynthesisError, once, run_yosys, source_texts, version

# Carry look-ahead of adders and comparators: Yosys' own choice, and a shallower one.
ADDERS = {"brent-kung": "", "sklansky": " -extra-map +/choices/sklansky.v"}

CLEAN = "strash; ifraig; scorr; dc2; strash"
FLATTEN = "if -g -K 6; strash; dch -f"
MAPPERS = {
    "area": f"{CLEAN}; dc2; dch -f; amap -m",
    "balanced": f"{CLEAN}; {FLATTEN}; {FLATTEN}; amap -m",
    "delay": f"{CLEAN}; {FLATTEN}; {FLATTEN}; map -D {{deadline}}",
}
SIZING = "topo; buffer -c -N {fanout}; upsize -D {deadline}; dnsize -D {deadline}; stime -p"
# Mapper, most gates that one output drives, and the deadline in target delays: those of many that
# gave the best points for the engines.
RECIPES = (
    ("area", 16, 1.0),
    ("balanced", 16, 1.0),
    ("balanced", 16, 0.5),
    ("balanced", 8, 0.5),
    ("delay", 16, 1.0),
    ("delay", 8, 0.5),
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
        """ABC's commands, one a line."""
        text = f"{MAPPERS[self.mapper]}; {SIZING}".format_map(asdict(self))
        return text.replace("; ", "\n") + "\n"


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
        "commands": commands(design, adder, [Path(path.name) for path in files], chosen),
        "scripts": [recipe.script for recipe in chosen],
        "library": [library.digest, library.constraints, library.gate_area, library.fo4],
        "tool": version("pyosys"),
    }

    def make() -> dict:
        with tempfile.TemporaryDirectory(prefix="synth-") as name:
            folder = Path(name)
            _prepare(folder, library, chosen)
            run_yosys(commands(design, adder, files, chosen), folder)
            points = _read_points(folder, adder, chosen, library)
            return {"points": [asdict(point) for point in points]}

    made = once(f"cells-{design.module}", depends_on, make)
    return [Point(**point) for point in made["points"]]


def commands(design: Design, adder: str, files: list[Path], chosen: list[Recipe]) -> list[str]:
    """Yosys' commands: elaborate, map registers, then map the logic by each recipe in turn."""
    parameters = "".join(f" -chparam {key} {value}" for key, value in design.parameters.items())
    front = [
        *(f'read_verilog "{path}"' for path in files),
        f"hierarchy -check -top {design.module}{parameters}",
        f"synth -flatten -noabc{ADDERS[adder]}",
        "dfflibmap -liberty cells.lib",
        "opt -full",
        "opt_clean -purge",
        "write_json front.json",
        "design -save front",
    ]
    return front + [command for recipe in chosen for command in _mapping_commands(recipe)]


def _mapping_commands(recipe: Recipe) -> list[str]:
    name = recipe.name
    abc = f"abc -liberty cells.lib -constr constraints -D {recipe.deadline} -script {name}.abc"
    return [
        "design -load front",
        f"tee -o {name}.log {abc}",
        f"tee -q -o {name}.json stat -json -liberty cells.lib",
    ]


def _prepare(folder: Path, library: Library, chosen: list[Recipe]) -> None:
    """Put beside Yosys what its commands name."""
    shutil.copyfile(library.path, folder / "cells.lib")
    (folder / "constraints").write_text(library.constraints, encoding="utf-8")
    for recipe in chosen:
        (folder / f"{recipe.name}.abc").write_text(recipe.script, encoding="utf-8")


def _read_points(
    folder: Path, adder: str, chosen: list[Recipe], library: Library
) -> Iterator[Point]:
    names = EndNames.of(json.loads((folder / "front.json").read_text(encoding="utf-8")))
    for recipe in chosen:
        log = (folder / f"{recipe.name}.log").read_text(encoding="utf-8", errors="replace")
        delay, begin, end = slowest_path(log)
        stat = json.loads((folder / f"{recipe.name}.json").read_text(encoding="utf-8"))["design"]
        kinds = stat.get("num_cells_by_type", {})
        yield Point(
            recipe=f"{adder}-{recipe.name}",
            area=stat.get("area", 0) / library.gate_area,
            registers=stat.get("sequential_area", 0) / library.gate_area,
            cells=sum(number for kind, number in kinds.items() if not kind.startswith("$")),
            delay=delay,
            fo4=delay / library.fo4,
            begin=names.begins.get(begin, begin),
            end=names.ends.get(end, end),
        )


def slowest_path(log: str) -> tuple[float, str, str]:
    """Delay in ps and the signals at both ends, as Yosys' log of ABC has them; 0 for no logic.

    Raises:
        SynthesisError: ABC ran and reported no path.
    """
    if "nothing to map" in log:
        return 0.0, "", ""
    delay = re.search(r"Delay = *([\d.]+) ps", log)
    ends = re.search(r"Start-point = \w+ \((.*)\)\.  End-point = \w+ \((.*)\)\.", log)
    if not delay or not ends:
        raise SynthesisError("ABC reported no critical path")
    return float(delay[1]), ends[1], ends[2]


@dataclass(frozen=True)
class EndNames:
    """Names of registers and ports, by the signal that ABC's paths begin or end at."""

    begins: dict[str, str]
    ends: dict[str, str]

    @classmethod
    def of(cls, netlist: dict) -> EndNames:
        """From a flat netlist in Yosys' JSON, its registers mapped."""
        (module,) = netlist["modules"].values()
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
