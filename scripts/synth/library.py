# SPDX-License-Identifier: Apache-2.0
"""The standard-cell library: its unit of area, its unit of delay, and what a register costs."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from scripts import setup
from scripts.synth.liberty import Group, LibertyError, read_liberty
from scripts.synth.tools import SynthesisError, ToolMissing

GATE = "NAND2X1"  # the gate equivalent
INVERTER = "INVX1"
REGISTER = "DFFPOSX1"
# Its output stage drives as the register's does: 0.87 ps more for each fF.
DRIVER = "BUFX2"
STAGES = 12  # of the inverter chain; its middle is far enough from both ends
FANOUT = 4


@dataclass(frozen=True)
class Library:
    """A cell library; delays in ps, loads in fF, areas in units of the library."""

    path: Path
    digest: str  # of the file
    gate_area: float  # one gate equivalent
    fo4: float  # an inverter that drives four
    register: float  # clock to output at no load, and set-up: what a cycle needs beside its logic
    register_load: float  # the register's data pin

    @property
    def constraints(self) -> str:
        """ABC's constraints: every path begins and ends at a register."""
        return f"set_driving_cell {DRIVER}\nset_load {self.register_load:g} [all_outputs]\n"


def find_library() -> Library:
    """The library that the set-up found, or the file that LIBERTY names, measured.

    Raises:
        ToolMissing: there is none, or it cannot be used.
    """
    chosen = os.environ.get("LIBERTY")
    path = Path(chosen) if chosen else setup.liberty()
    if path is None:
        raise ToolMissing(setup.missing(setup.LIBERTY))
    try:
        return measure_library(path)
    except (OSError, LibertyError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ToolMissing(f"cannot use the cell library {path}: {reason}") from None


def measure_library(path: Path) -> Library:
    """Read the library in `path` and measure its FO4.

    Raises:
        LibertyError: it is no Liberty library, or lacks a cell that is needed.
        OSError: it cannot be read.
    """
    group = read_liberty(path)
    if group.attributes.get("time_unit") != ["1ns"]:
        raise LibertyError("its time unit is not 1ns")
    group.find("cell", DRIVER)
    group.find("cell", INVERTER)
    register = group.find("cell", REGISTER)
    return Library(
        path=path.resolve(),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        gate_area=group.find("cell", GATE).number("area"),
        fo4=measure_fo4(path),
        register=register_overhead(register),
        register_load=1000 * register.find("pin", "D").number("capacitance"),
    )


def register_overhead(register: Group) -> float:
    """Clock to output plus set-up in ps, at the shortest edges and the least load tabulated."""
    output = register.find("pin", "Q").find("timing", timing_type="rising_edge")
    setup_time = register.find("pin", "D").find("timing", timing_type="setup_rising")
    arcs = (
        max(output.find(kind).number("values") for kind in ("cell_rise", "cell_fall")),
        max(setup_time.find(f"{edge}_constraint").number("values") for edge in ("rise", "fall")),
    )
    return 1000 * sum(arcs)


def measure_fo4(path: Path) -> float:
    """Delay in ps of an inverter that drives four, by ABC in the middle of a chain of such.

    Two stages in a row are averaged, one output rising and one falling.
    """
    with tempfile.TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.blif"
        chain.write_text(_inverter_chain(), encoding="utf-8")
        # A link without odd characters, because ABC splits its commands at blanks.
        library = Path(folder) / "cells.lib"
        library.symlink_to(path.resolve())
        command = f"read_lib -w {library.name}; read -m {chain.name}; topo; stime -p"
        done = subprocess.run(
            [_abc(), "-c", command], cwd=folder, capture_output=True, text=True, errors="replace"
        )
    arrivals = [float(time) for time in re.findall(r"Df = *([\d.]+)", done.stdout)]
    if len(arrivals) != STAGES + 1:
        raise SynthesisError("ABC does not time the inverter chain that FO4 is measured with")
    middle = STAGES // 2
    return (arrivals[middle + 1] - arrivals[middle - 1]) / 2


def _inverter_chain() -> str:
    """A mapped netlist: each inverter of a chain drives the next and three others."""
    loads = range(1, FANOUT)
    outputs = [f"n{STAGES}", *(f"load{i}_{k}" for i in range(1, STAGES) for k in loads)]
    gates = [(f"n{i}", f"n{i + 1}") for i in range(STAGES)]
    gates += [(f"n{i}", f"load{i}_{k}") for i in range(1, STAGES) for k in loads]
    lines = [".model chain", ".inputs n0", f".outputs {' '.join(outputs)}"]
    lines += [f".gate {INVERTER} A={source} Y={target}" for source, target in gates]
    return "\n".join([*lines, ".end", ""])


def _abc() -> Path:
    """The ABC that comes with Yosys."""
    package = find_spec("pyosys")
    if package is None or package.origin is None:
        raise ToolMissing("pyosys is not installed: make setup")
    return Path(package.origin).parent / "yosys-abc"
