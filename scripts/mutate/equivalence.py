# SPDX-License-Identifier: Apache-2.0
"""Whether a mutant that no test found can be found at all: a proof by ABC, or a way to tell.

Yosys writes the module with all its mutants as one and-inverter graph. Two copies of it, one with
no mutant and one with the survivor, get the same inputs, begin in the same state, whatever that
is, and are in reset in their first cycle. ABC then proves that no output ever differs (induction
over equal signals, property-directed reachability), or finds inputs for which one does.

Instances in the module are cut out at first: what goes into them must be equal too, what comes out
of them may be anything. If that tells the two apart, they are compared with the instances inside.
The payload of an output stream, or of a response on the register bus, means nothing while its valid
is low. What is the same but for that is said to be so. Where a module's contract on its inputs is
written down as Verilog, in contracts/ beside its bench, a last proof looks at inputs that keep to
it only.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyosys

from scripts.mutate.mutants import NETLIST, SELECTOR, Mutant, MutatedDesign
from scripts.mutate.targets import Target
from scripts.synth.tools import run_yosys
from tb.sim.modules import rtl_modules, rtl_sources

ABC = Path(pyosys.__file__).parent / "yosys-abc"
KEPT = "contract_kept"
EQUIVALENT, IDLE, KEEPING = "equivalent", "equivalent while valid", "equivalent within the contract"
DISTINCT, UNKNOWN = "distinct", "unknown"
PROVEN = (EQUIVALENT, IDLE, KEEPING)
SEARCH_SECONDS, PROOF_SECONDS = 3, 6
FRAMES = 60
BUDGET_SECONDS = 300  # for all survivors of a module
NO_TIME = "no time left for a proof"
FLAT_CHARACTERS = 30_000  # of Verilog: more is compared with its instances inside only at last
WHOLE_CHARACTERS = 120_000  # of Verilog: more is never compared with its instances inside
TO_GATES = (
    "memory_map", "opt -nodffe -nosdff", "setundef -zero -undriven", "techmap",
    "opt -nodffe -nosdff", "dfflegalize -cell $_DFF_P_ x", "setundef -zero", "aigmap",
    "clean",
)  # fmt: skip
PORT = re.compile(r"\b(?:input|output)\s+(?:wire|reg)\s*(?:\[[^\]]*\]\s*)?(\w+)")
# Of a stream (valid, tvalid) or of a response of AXI4-Lite (bvalid, rvalid); not of an instance:
# what goes into one must be equal.
VALID = re.compile(r"([^.]+_[tbr]?)valid")
# What may be such a payload: names after that of the stream. Others are always compared.
PAYLOAD = (
    "data", "keep", "user", "last", "value", "end", "stream", "raw", "cause", "count", "crc",
    "pieces", "values", "bank", "lost", "cut", "header", "number", "bad", "resp",
)  # fmt: skip
ASSERTED = re.compile(r"was asserted in frame (\d+)")
PROVED = re.compile(r"^(UNSATISFIABLE|Property proved)", re.MULTILINE)


@dataclass(frozen=True)
class Proof:
    """What is known of a survivor."""

    status: str  # EQUIVALENT, IDLE, DISTINCT or UNKNOWN
    how: str


@dataclass(frozen=True)
class Comparison:
    """One way to compare."""

    instances: bool  # inside; otherwise cut out
    idle: bool  # payloads are compared while valid only
    contract: bool = False  # only inputs that keep to it

    @property
    def how(self) -> str:
        """The comparison for people."""
        inside = "with its instances" if self.instances else "with its instances cut out"
        inside += ", payloads compared while valid" if self.idle else ""
        return inside + (", inputs as its contract has them" if self.contract else "")

    @property
    def proof(self) -> str:
        """What it means when nothing differs."""
        return KEEPING if self.contract else IDLE if self.idle else EQUIVALENT


@dataclass(frozen=True)
class Graph:
    """An and-inverter graph: literals are 2 * variable + inverted, variable 0 is false."""

    inputs: Mapping[str, int]  # name: literal
    latches: tuple[tuple[int, int], ...]  # literal, literal of the next state
    outputs: Mapping[str, int]
    gates: tuple[tuple[int, int, int], ...]  # literal, its two operands

    @classmethod
    def read(cls, path: Path) -> Graph:
        """A graph in ASCII AIGER, with symbols."""
        lines = path.read_text(encoding="utf-8").splitlines()
        _, inputs, latches, outputs, gates = map(int, lines[0].split()[1:6])
        rows = [tuple(map(int, line.split())) for line in lines[1 : 1 + inputs + latches + outputs]]
        first = 1 + len(rows)
        names = dict(
            line.split(" ", 1) for line in lines[first + gates :] if line[:1] in ("i", "o")
        )
        return cls(
            {names[f"i{index}"]: row[0] for index, row in enumerate(rows[:inputs])},
            tuple((row[0], row[1]) for row in rows[inputs : inputs + latches]),
            {names[f"o{index}"]: row[0] for index, row in enumerate(rows[inputs + latches :])},
            tuple(tuple(map(int, line.split())) for line in lines[first : first + gates]),
        )

    def valids(self, meaningful: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
        """The output that says when another one means something.

        Args:
            meaningful: how the names of such outputs begin, and what says when they mean something;
                those of streams are known by their names.
        """
        found = {}
        ports = {name: name.split("[")[0] for name in self.outputs}
        for valid in self.outputs:
            match = VALID.fullmatch(valid)
            payload = {f"{match[1]}{word}" for word in PAYLOAD} if match else ()
            found |= {name: valid for name, port in ports.items() if port in payload}
        for beginning, valid in meaningful:
            found |= {name: valid for name in self.outputs if name.startswith(beginning)}
        return found


def miter(graph: Graph, mutant: int, valids: Mapping[str, str]) -> Iterator[str]:
    """BLIF of two copies of a graph and one output, high where they differ.

    Args:
        mutant: what the second copy has; the first has none.
        valids: outputs to compare only while another one is high in the first copy.
    """
    yield from _beginning(graph)
    yield ".latch one begun 0" if graph.latches else ".names one begun\n1 1"
    pins = _pins(graph)
    for copy, selected in (("a", 0), ("b", mutant)):
        yield from _copy(graph, copy, selected, pins)
        yield from _latches(graph, copy)
    yield from _differences(_compared(graph, valids))
    kept = _net("a", graph.outputs[KEPT]) if KEPT in graph.outputs else "one"
    broken = ".latch breaks broken 0" if graph.latches else ".names broken"
    yield f"{broken}\n.names begun {kept} broken breaks\n10- 1\n--1 1"
    yield ".names any begun breaks differ\n110 1\n.end"


def step_miter(graph: Graph, mutant: int) -> Iterator[str]:
    """The same for one step: high where outputs or next states of equal states differ."""
    yield from _beginning(graph)
    yield ".names one begun\n1 1"
    pins = _pins(graph)
    compared = _compared(graph, {})
    for copy, selected in (("a", 0), ("b", mutant)):
        yield from _copy(graph, copy, selected, pins)
        for index, (literal, following) in enumerate(graph.latches):
            yield f".names start{index} {_variable(copy, literal)}\n1 1"
            yield f".names {_variable(copy, following)} {copy}next{index}\n{1 - following % 2} 1"
    compared += [(f"anext{index}", f"bnext{index}", "one") for index in range(len(graph.latches))]
    yield from _differences(compared)
    yield ".names any differ\n1 1\n.end"


def _pins(graph: Graph) -> dict[str, str]:
    free = [name for name in graph.inputs if not name.startswith(f"{SELECTOR}[")]
    return {name: f"in{index}" for index, name in enumerate(free)}


def _beginning(graph: Graph) -> Iterator[str]:
    starts = [f"start{index}" for index in range(len(graph.latches))]
    yield f".model miter\n.inputs {' '.join([*_pins(graph).values(), *starts])}\n.outputs differ"
    yield ".names one\n1"


def _compared(graph: Graph, valids: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Nets of each output in both copies, and one that is high when it means something."""
    return [
        (
            _net("a", literal),
            _net("b", literal),
            _net("a", graph.outputs[valids[name]]) if name in valids else "one",
        )
        for name, literal in graph.outputs.items()
        if name != KEPT
    ]


def _differences(compared: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """The net `any`, high where two nets differ while a third is high."""
    for index, (a, b, seen) in enumerate(compared):
        yield f".names {a} {b} {seen} different{index}\n101 1\n011 1"
    yield f".names {' '.join(f'different{index}' for index in range(len(compared)))} any"
    for index in range(len(compared)):
        yield "-" * index + "1" + "-" * (len(compared) - index - 1) + " 1"


def _copy(graph: Graph, copy: str, selected: int, pins: Mapping[str, str]) -> Iterator[str]:
    yield f".names {copy}0"
    for name, literal in graph.inputs.items():
        if name not in pins:
            bit = int(name[len(SELECTOR) + 1 : -1])
            yield f".names {_variable(copy, literal)}" + ("\n1" if selected >> bit & 1 else "")
        elif name == "rst":
            yield f".names {pins[name]} begun {_variable(copy, literal)}\n1- 1\n-0 1"
        else:
            yield f".names {pins[name]} {_variable(copy, literal)}\n1 1"
    for literal, left, right in graph.gates:
        operands = f"{_variable(copy, left)} {_variable(copy, right)}"
        values = f"{1 - left % 2}{1 - right % 2}"
        yield f".names {operands} {_variable(copy, literal)}\n{values} 1"
    for literal in sorted({literal for literal in graph.outputs.values() if literal % 2}):
        yield f".names {_variable(copy, literal)} {_net(copy, literal)}\n0 1"


def _latches(graph: Graph, copy: str) -> Iterator[str]:
    for index, (literal, following) in enumerate(graph.latches):
        state = f"{copy}state{index}"
        yield f".names {_variable(copy, following)} {copy}next{index}\n{1 - following % 2} 1"
        yield f".latch {copy}next{index} {state} 0"
        yield f".names begun {state} start{index} {_variable(copy, literal)}\n11- 1\n0-1 1"


def _variable(copy: str, literal: int) -> str:
    return f"{copy}{literal // 2}"


def _net(copy: str, literal: int) -> str:
    return f"{copy}{literal // 2}{'n' if literal % 2 else ''}"


class Prover:
    """Compares survivors of one target with the design as it is."""

    def __init__(self, target: Target, design: MutatedDesign, folder: Path) -> None:
        self.target = target
        self.design = design
        self.folder = folder
        self.end = time.monotonic() + BUDGET_SECONDS
        self.graphs: dict[tuple[str, bool, bool, tuple[str, ...]], Graph] = {}

    def prove(self, mutant: Mutant) -> Proof:
        """What is known of one mutant."""
        if time.monotonic() > self.end:
            return Proof(UNKNOWN, NO_TIME)
        if not self._fits() and self._same_step(mutant):
            return Proof(EQUIVALENT, "proven for any state with its small instances")
        for comparison in self._comparisons():
            proof = self._compare(mutant, comparison)
            if proof.status == IDLE:
                strict = self._compare(mutant, replace(comparison, idle=False))
                return strict if strict.status in PROVEN else proof
            if proof.status in PROVEN:
                break
        return proof

    def _comparisons(self) -> Iterator[Comparison]:
        """Ways to compare, in the order in which they are tried."""
        if self._cut_helps():
            yield Comparison(False, False)
        yield Comparison(self._fits(), True)
        if not self._fits() and self._may_be_whole():
            yield Comparison(True, True)
        if self.target.contract:
            yield Comparison(True, True, True)

    def _files(self) -> tuple[Path, ...]:
        """Verilog of the module and of what is in it."""
        module = self.target.module
        return rtl_sources(module) if module in rtl_modules() else self.target.sources

    def _fits(self) -> bool:
        """Whether the module can be compared with its instances inside."""
        return _characters(self._files()) <= FLAT_CHARACTERS

    def _may_be_whole(self) -> bool:
        """Whether a large module may still be compared so: it takes long, others need time too."""
        early = time.monotonic() < self.end - BUDGET_SECONDS / 2
        return early and _characters(self._files()) <= WHOLE_CHARACTERS

    def _large(self) -> tuple[str, ...]:
        """Modules in this one that are large themselves."""
        inside = (path for path in self._files() if path.stem != self.target.module)
        return tuple(path.stem for path in inside if _characters(_below(path)) > FLAT_CHARACTERS)

    def _cut_helps(self) -> bool:
        """Whether there is something to cut out that is compared inside otherwise."""
        return len(self._files()) > 1 and self._fits()

    def _compare(self, mutant: Mutant, comparison: Comparison) -> Proof:
        graph = self._graph(mutant.module, comparison)
        valids = graph.valids(self.target.meaningful) if comparison.idle else {}
        said = self._abc(
            miter(graph, mutant.number, valids),
            "sat -C 1000000; scorr; sat -C 1000000; "
            f"bmc3 -F {FRAMES} -T {SEARCH_SECONDS}; pdr -T {PROOF_SECONDS}",
        )
        if said is None:
            return Proof(UNKNOWN, f"not decided {comparison.how}")
        asserted = ASSERTED.search(said)
        if asserted:
            return Proof(DISTINCT, f"differs {asserted[1]} cycles after reset, {comparison.how}")
        if PROVED.search(said):
            return Proof(comparison.proof, f"proven {comparison.how}")
        if "SATISFIABLE" in said:
            return Proof(DISTINCT, f"differs, {comparison.how}")
        return Proof(UNKNOWN, f"not decided {comparison.how}")

    def _same_step(self, mutant: Mutant) -> bool:
        """Whether any state has the same outputs and the same next state, whatever the inputs."""
        graph = self._graph(mutant.module, Comparison(True, False), self._large())
        said = self._abc(step_miter(graph, mutant.number), "sat -C 100000")
        return said is not None and bool(PROVED.search(said))

    def _abc(self, lines: Iterable[str], commands: str) -> str | None:
        """What ABC says of a network; None when it takes too long."""
        path = self.folder / "miter.blif"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            done = subprocess.run(
                [ABC, "-c", f"read_blif {path.name}; strash; {commands}"], cwd=self.folder,
                text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=4 * (SEARCH_SECONDS + PROOF_SECONDS),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        return done.stdout

    def _graph(self, module: str, comparison: Comparison, outside: tuple[str, ...] = ()) -> Graph:
        """The graph of all mutants of a module; `outside` are modules in it that stay cut out."""
        key = (module, comparison.instances, comparison.contract, outside)
        if key not in self.graphs:
            path = self.folder / "mutants.aag"
            # Cells only: of wires, those are compared that go into what is cut out.
            cut = (
                f"select -module {module}", "select c:*", "expose -evert", "select -clear",
                f"hierarchy -top {module}",
            )  # fmt: skip
            kept = tuple(f"setattr -mod -set keep_hierarchy 1 *?{name}*" for name in outside)
            flat = (*kept, "flatten", *(cut if outside else ()))
            run_yosys(
                [f"read_rtlil {self.design.elaborated}", f"script {self.design.apply}",
                 *(self._under_contract() if comparison.contract else [f"hierarchy -top {module}"]),
                 *(flat if comparison.instances else cut), *TO_GATES,
                 f"write_aiger -ascii -symbols {path}"], self.folder,
            )  # fmt: skip
            self.graphs[key] = Graph.read(path)
        return self.graphs[key]

    def _under_contract(self) -> list[str]:
        """Yosys commands that put the module and its contract into one."""
        contract = self.target.contract
        path = self.folder / "under_contract.v"
        path.write_text(contract_text(self.design, self.target, contract), encoding="utf-8")
        values = "".join(
            f" -chparam {name} {value}" for name, value in self.target.parameters.items()
        )
        top = self.target.module
        return [
            f"rename {top} {NETLIST}", f"read_verilog {contract}", f"read_verilog {path}",
            f"hierarchy -top {top}{values}", "proc",
        ]  # fmt: skip


def _below(path: Path) -> tuple[Path, ...]:
    """Verilog of a module and of what is in it."""
    return rtl_sources(path.stem) if path.stem in rtl_modules() else (path,)


def _characters(files: Iterable[Path]) -> int:
    return sum(len(path.read_text(encoding="utf-8")) for path in files)


def contract_text(design: MutatedDesign, target: Target, contract: Path) -> str:
    """The wrapper of a design with its contract beside the netlist."""
    text = contract.read_text(encoding="utf-8")
    name = contract.stem
    header = text[text.index("module ") : text.index(");")]
    pins = [f".{port} ({port})" for port in PORT.findall(header) if port != "kept"]
    values = [
        f".{parameter} ({parameter})"
        for parameter in target.parameters
        if re.search(rf"\bparameter\s+{parameter}\b", header)
    ]
    given = f" #({', '.join(values)})" if values else ""
    begin, end = design.wrapper.read_text(encoding="utf-8").rsplit("endmodule", 1)
    head, body = begin.split(f"{SELECTOR}\n)", 1)
    return (
        f"{head}{SELECTOR},\n    output wire {KEPT}\n){body}"
        f"    {name}{given} contract ({', '.join([*pins, f'.kept ({KEPT})'])});\nendmodule{end}"
    )
