# SPDX-License-Identifier: Apache-2.0
"""The mutants of a module: small faults in its cells, all in one netlist, one selected at a time.

Yosys elaborates the bench's design with one parameter set, keeping its hierarchy, and lists places
in the cells of the module where a bit can be changed. The netlist that the simulator gets has all
of them: they wait for their number on the input `mutant`, which reaches every instance.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.mutate.targets import Target
from scripts.synth.tools import run_yosys

SELECTOR = "mutant"
NETLIST = "mutated_design"
CLOCK = "clk"
EVERYTHING = 10_000_000  # places to list
SHOWN = 100  # characters of a source line

# No register is merged and no value thrown away that the source has, but constants are: a fault
# in what the parameters have switched off is none.
OPTIMISE = "opt -keepdc -nodffe -nosdff"
# What is read from beyond the end of a vector is 0 for the simulator and the prover alike.
ELABORATE = (
    *("proc", OPTIMISE, "wreduce -keepdc", OPTIMISE, "clean"),
    "chtype -set $shift t:$shiftx",
)
# A fault may select two branches of a case at once: simulator and prover see both of them, merged.
# Of the choice of exactly one that Yosys would write, Verilator ends the simulation then.
MERGE_BRANCHES = "techmap t:$pmux"


@dataclass(frozen=True)
class Mutant:
    """One changed bit."""

    number: int  # what selects it
    mode: str
    module: str  # the elaborated module
    cell: str
    port: str
    bit: int
    control: int | None  # the bit of the same port that has to be 0 (cnot0) or 1 (cnot1)
    what: str  # kind of cell
    wire: str  # name of the bit in the source, if it has one
    line: int
    text: str  # the source line

    @property
    def change(self) -> str:
        """What is changed, for people."""
        place = f"{self.port}[{self.bit}] of {self.what}"
        place += f" ({self.wire})" if self.wire else ""
        how = {
            "inv": "inverted",
            "const0": "stuck at 0",
            "const1": "stuck at 1",
            "cnot0": f"inverted while bit {self.control} is 0",
            "cnot1": f"inverted while bit {self.control} is 1",
        }
        return f"{place} {how[self.mode]}"

    def command(self, width: int) -> str:
        """The Yosys command that puts it into the netlist."""
        words = ["mutate", "-ctrl", SELECTOR, width, self.number, "-mode", self.mode]
        words += ["-module", self.module, "-cell", self.cell, "-port", self.port]
        words += [
            "-portbit",
            self.bit,
            *([] if self.control is None else ["-ctrlbit", self.control]),
        ]
        return " ".join(map(str, words))


@dataclass(frozen=True)
class MutatedDesign:
    """All mutants of a target and the files that simulate and prove them."""

    mutants: tuple[Mutant, ...]
    places: int  # different changes there are, before some were drawn
    wrapper: Path  # Verilog with the bench's ports and one that selects
    netlist: Path
    elaborated: Path  # RTLIL of the design as it is
    apply: Path  # Yosys commands that put all mutants into it

    @property
    def width(self) -> int:
        """Bits of the selector."""
        return selector_width(len(self.mutants))


def selector_width(mutants: int) -> int:
    """Bits that number `mutants` and none."""
    return max(mutants.bit_length(), 1)


def mutate(target: Target, count: int, seed: int, folder: Path) -> MutatedDesign:
    """Draw mutants of a target and write the files of its mutated design into `folder`.

    Args:
        count: most mutants to draw.
        seed: of the draw.

    Raises:
        SynthesisError: Yosys rejects the design.
    """
    elaborated, listed, cells = folder / "elaborated.il", folder / "listed.txt", folder / "c.json"
    sources = [f"read_verilog {path.name}" for path in _copies(target.sources, folder)]
    override = "".join(f" -chparam {name} {value}" for name, value in target.parameters.items())
    run_yosys(
        [*sources, f"hierarchy -check -top {target.module}{override}", *ELABORATE,
         f"write_rtlil {elaborated}", f"write_json {cells}",
         f"mutate -list {EVERYTHING} -module {target.module} -o {listed}"], folder,
    )  # fmt: skip
    modules = json.loads(cells.read_text(encoding="utf-8"))["modules"]
    module = modules[target.module]
    found = _sensible(listed.read_text(encoding="utf-8"), Netlist(module, modules), target.source)
    mutants = tuple(_numbered(_drawn(found, count, random.Random(seed))))
    return _write(target, mutants, len(found), module["ports"], elaborated, folder)


def _copies(sources: Iterable[Path], folder: Path) -> list[Path]:
    """Sources that Yosys counts the lines of as a person does: `resetall throws it off by two."""
    copies = []
    for source in sources:
        copy = folder / source.name
        copy.write_text(
            source.read_text(encoding="utf-8").replace("`resetall", "", 1), encoding="utf-8"
        )
        copies.append(copy)
    return copies


def _drawn(found: list[Mutant], count: int, rng: random.Random) -> list[Mutant]:
    """`count` of them, spread evenly over the source lines."""
    lines: dict[int, list[Mutant]] = {}
    for mutant in rng.sample(found, len(found)):
        lines.setdefault(mutant.line, []).append(mutant)
    turns = [(turn, mutant) for own in lines.values() for turn, mutant in enumerate(own)]
    turns.sort(key=lambda entry: entry[0])
    return sorted((mutant for _, mutant in turns[:count]), key=lambda mutant: mutant.line)


def _numbered(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    for number, mutant in enumerate(mutants, 1):
        yield Mutant(**{**asdict(mutant), "number": number})


def bits_read(module: Mapping) -> set[int | str]:
    """Nets of an elaborated module that a cell in it or a port takes from it."""
    outputs = [port["bits"] for port in module["ports"].values() if port["direction"] == "output"]
    inputs = [
        bits
        for cell in module["cells"].values()
        for port, bits in cell["connections"].items()
        if cell["port_directions"].get(port) != "output"
    ]
    return {bit for bits in (*outputs, *inputs) for bit in bits}


class Netlist:
    """Cells of one elaborated module, as Yosys writes them in JSON.

    What goes into an instance that does nothing with it is read by nobody.
    """

    def __init__(self, module: Mapping, modules: Mapping[str, Mapping]) -> None:
        self.cells: Mapping[str, Mapping] = module["cells"]
        clock = module["netnames"].get(CLOCK, {"bits": []})
        self.clocks = set(clock["bits"])
        self.readers: dict[int, int] = {}
        self.driven: set[int] = set()
        self.ignored: set[tuple[str, str, int]] = set()  # cell, port, bit of an instance
        read_inside = {name: bits_read(inner) for name, inner in modules.items()}
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                if cell["port_directions"].get(port) == "output":
                    self.driven.update(bits)
                    continue
                pins = (
                    modules[cell["type"]]["ports"][port]["bits"] if cell["type"] in modules else ()
                )
                for bit, pin in enumerate(pins):
                    if pin not in read_inside[cell["type"]]:
                        self.ignored.add((name, port, bit))
                self._read(
                    net for bit, net in enumerate(bits) if (name, port, bit) not in self.ignored
                )
        for port in module["ports"].values():
            if port["direction"] == "output":
                self._read(port["bits"])

    def _read(self, bits: Iterable[int | str]) -> None:
        for bit in bits:
            self.readers[bit] = self.readers.get(bit, 0) + 1

    def key(self, cell: str, port: str, bit: int, mode: str, control: int | None) -> object:
        """What a change does: equal for changes that are one and the same.

        Returns None where there is nothing to change: a constant that is to be what it is, the
        clock, what nobody reads, how a port of a memory works, or a bit by a higher one.
        """
        entry = self.cells[cell]
        bits = entry["connections"][port]
        net = bits[bit]
        drives = entry["port_directions"].get(port) == "output"
        if net == "x" or net in self.clocks or mode == f"const{net}":
            return None
        if (cell, port, bit) in self.ignored:
            return None
        if drives and not self.readers.get(net):
            return None
        if entry["type"].startswith("$mem") and net in ("0", "1"):
            return None
        if control is not None and control >= bit:
            return None  # bits that depend on each other would be a loop in the netlist of all
        other = None if control is None else bits[control]
        if other in ("0", "1", "x"):
            if mode != f"cnot{other}":
                return None
            mode, other = "inv", None
        if net in ("0", "1") and mode.startswith("const"):
            mode = "inv"
        whole = drives or (net in self.driven and self.readers.get(net) == 1)
        place = net if whole else (cell, port, bit)
        return place, mode, other


def _sensible(listed: str, netlist: Netlist, source: Path) -> list[Mutant]:
    """The listed mutants that change something, each once."""
    found: dict[object, Mutant] = {}
    lines = source.read_text(encoding="utf-8").splitlines()
    for line in listed.splitlines():
        options = _options(line)
        cell, port, bit = options["cell"][0], options["port"][0], int(options["portbit"][0])
        control = int(options["ctrlbit"][0]) if "ctrlbit" in options else None
        mode = options["mode"][0]
        key = netlist.key(cell.removeprefix("\\"), port.removeprefix("\\"), bit, mode, control)
        if key is None or key in found:
            continue
        number = _line(options.get("src", []), source.name)
        wire = options["wire"][0].removeprefix("\\") if "wire" in options else ""
        found[key] = Mutant(
            0, mode, options["module"][0], cell, port, bit, control,
            _kind(netlist.cells[cell.removeprefix("\\")]["type"]),
            f"{wire}[{options['wirebit'][0]}]" if wire else "",
            number, lines[number - 1].strip()[:SHOWN] if number else "",
        )  # fmt: skip
    return list(found.values())


def _options(line: str) -> dict[str, list[str]]:
    """The options of a `mutate` command and their values."""
    options: dict[str, list[str]] = {}
    words = line.split()[1:]
    for name, value in zip(words[::2], words[1::2], strict=True):
        options.setdefault(name.removeprefix("-"), []).append(value)
    return options


def _kind(cell_type: str) -> str:
    """The kind of a cell for people."""
    if cell_type.startswith("$paramod"):
        return next((part for part in cell_type.split("\\")[1:] if part), cell_type)
    return cell_type.removeprefix("$").removeprefix("\\")


SOURCE = re.compile(r"([^/|:]+):(\d+)\.\d+-(\d+)\.\d+$")


def _line(tags: Iterable[str], file: str) -> int:
    """The first line of the smallest stretch that made the cell; 0 when there is none."""
    spans = [match.groups() for tag in tags for match in [SOURCE.search(tag)] if match]
    own = [(int(last) - int(first), int(first)) for name, first, last in spans if name == file]
    if not own:
        return 0
    least = min(span for span, _ in own)
    return [first for span, first in own if span == least][-1]


def _write(
    target: Target,
    mutants: tuple[Mutant, ...],
    places: int,
    ports: Iterable[str],
    elaborated: Path,
    folder: Path,
) -> MutatedDesign:
    width = selector_width(len(mutants))
    apply, netlist = folder / "apply.ys", folder / "netlist.v"
    apply.write_text("".join(f"{mutant.command(width)}\n" for mutant in mutants), encoding="utf-8")
    run_yosys(
        [f"read_rtlil {elaborated}", f"script {apply}", f"rename {target.module} {NETLIST}",
         MERGE_BRANCHES, "clean", f"write_verilog -noattr {netlist}"], folder,
    )  # fmt: skip
    wrapper = folder / "wrapper.v"
    wrapper.write_text(wrapper_text(target, ports, width), encoding="utf-8")
    return MutatedDesign(mutants, places, wrapper, netlist, elaborated, apply)


HEADER = re.compile(r"\bmodule\s+\w+.*?\)\s*;", re.DOTALL)
DIRECTION = re.compile(r"\b(input|output)\s+(?:wire|reg)?")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def wrapper_text(target: Target, ports: Iterable[str], width: int) -> str:
    """Verilog with the name, parameters and ports of the bench's module around the netlist."""
    header = HEADER.search(COMMENT.sub(" ", target.source.read_text(encoding="utf-8"))).group(0)
    begin, end = DIRECTION.sub(r"\1 wire ", header).rsplit(")", 1)
    pins = ", ".join(f".{port} ({port})" for port in (*ports, SELECTOR))
    return (
        f"`timescale 1ns / 1ps\n`default_nettype none\n{begin},\n"
        f"    input wire [{width - 1}:0] {SELECTOR}\n){end}\n"
        f"    {NETLIST} netlist ({pins});\nendmodule\n"
    )
