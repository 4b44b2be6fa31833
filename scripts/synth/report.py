# SPDX-License-Identifier: Apache-2.0
"""What synthesis found: a record for `synth.json`, tables for the terminal, a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from rich import box
from rich.table import Table

from scripts.synth.cells import Point, choose, pareto
from scripts.synth.designs import Design, plan
from scripts.synth.ecp5 import DEVICE, Fabric
from scripts.synth.library import Library


@dataclass(frozen=True)
class Result:
    """A design's mappings to standard cells and, unless left out, to the ECP5."""

    design: Design
    points: list[Point]
    fabric: Fabric | None
    target: float  # FO4

    @property
    def chosen(self) -> Point:
        """The smallest point that meets the target, else the fastest."""
        return choose(self.points, self.target)

    @property
    def meets_target(self) -> bool:
        """Whether any point is as fast as the target."""
        return self.chosen.fo4 <= self.target


def record(results: list[Result], library: Library, tools: list[str]) -> dict:
    """Everything for `synth.json`: areas in kGE, delays in ns and FO4, frequencies in MHz."""
    return {
        "tools": tools,
        "library": {
            "file": library.path.name,
            "sha256": library.digest,
            "area_of_gate_equivalent": library.gate_area,
            "fo4_ps": round(library.fo4, 2),
            "register_ps": round(library.register, 1),
        },
        "target_fo4": results[0].target,
        "ecp5_device": DEVICE,
        "designs": [
            {
                "name": result.design.name,
                "module": result.design.module,
                "parameters": dict(result.design.parameters),
                "area_aim_kge": result.design.area_aim,
                "meets_target": result.meets_target,
                "chosen": _point_record(result.chosen, library),
                "pareto": [_point_record(point, library) for point in pareto(result.points)],
                "ecp5": vars(result.fabric) if result.fabric else None,
            }
            for result in results
        ],
    }


def _point_record(point: Point, library: Library) -> dict:
    return {
        "recipe": point.recipe,
        "area_kge": round(point.area / 1000, 4),
        "registers_kge": round(point.registers / 1000, 4),
        "cells": point.cells,
        "delay_ns": round(point.delay / 1000, 4),
        "delay_fo4": round(point.fo4, 2),
        "cycle_ns": round((point.delay + library.register) / 1000, 4),
        "from": point.begin,
        "to": point.end,
    }


def area_table(results: list[Result]) -> Table:
    """Area and speed of each design at its chosen point; regs: registers' part of the area."""
    table = Table(title="Standard cells (OSU 0.18 um) and ECP5", box=box.SIMPLE)
    table.add_column("design", no_wrap=True)
    widths = {"kGE": 5, "regs": 5, "ns": 5, "FO4": 7, "LUTs": 6, "FFs": 5, "mult": 4, "MHz": 3}
    for name, width in widths.items():
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    for result in results:
        point, fabric = result.chosen, result.fabric
        fpga = ["", "", "", ""]
        if fabric:
            counts = (fabric.luts, fabric.registers, fabric.multipliers)
            fpga = [*(f"{count:,}" for count in counts), f"{fabric.mhz:.0f}"]
        table.add_row(
            result.design.name,
            f"{point.area / 1000:.2f}",
            f"{point.registers / 1000:.2f}",
            f"{point.delay / 1000:.2f}",
            f"{point.fo4:.1f}{'' if result.meets_target else ' *'}",
            *fpga,
        )
    return table


def path_table(results: list[Result]) -> Table:
    """Where the slowest path of each design begins and ends."""
    table = Table(title="Slowest paths", box=box.SIMPLE)
    for name in ("design", "cells: from", "to", "ECP5: from", "to"):
        table.add_column(name, overflow="fold")
    for result in results:
        point, fabric = result.chosen, result.fabric
        fpga = (fabric.begin, fabric.end) if fabric else ("", "")
        table.add_row(result.design.name, point.begin, point.end, *fpga)
    return table


def notes(results: list[Result], library: Library) -> Iterator[str]:
    """What the figures mean, and how they stand against the aims."""
    target = results[0].target
    yield (
        f"1 GE is a {library.gate_area:g}-unit NAND2X1; FO4, an INVX1 driving four, is "
        f"{library.fo4:.1f} ps in this library. ns and FO4: slowest path between\n"
        f"registers and ports by ABC, wires not counted; a register's clock to output and set-up "
        f"take {library.register / library.fo4:.1f} FO4 more of a cycle."
    )
    yield f"Each line is the smallest mapping of at most {target:g} FO4" + (
        ", or the fastest (*) where none is." if any(not r.meets_target for r in results) else "."
    )
    if any(result.fabric for result in results):
        yield f"ECP5: {DEVICE}, with a register at every port, which is not counted."
    for result in results:
        if result.design.area_aim is not None:
            yield _aim_line(result)


def _aim_line(result: Result) -> str:
    point, aim = result.chosen, result.design.area_aim
    met = "met" if result.meets_target and point.area <= 1000 * aim else "not met"
    return (
        f"aim {met}: {result.design.name} takes {point.area / 1000:.2f} of {aim:g} kGE and "
        f"{point.fo4:.1f} of {result.target:g} FO4"
    )


def draw(results: list[Result], path: Path) -> None:
    """Write the picture: the points of each swept module, and those of the other modules."""
    sweeps = plan().sweeps
    groups = [[result for result in results if result.design.module == module] for module in sweeps]
    groups.append([result for result in results if result.design.module not in sweeps])
    groups = [group for group in groups if group]
    figure, axes = plt.subplots(
        1, len(groups), figsize=(7 * len(groups), 6), layout="constrained", squeeze=False
    )
    for panel, group in zip(axes[0], groups, strict=True):
        swept = group[0].design.module in sweeps
        _draw_sweep(panel, group) if swept else _draw_modules(panel, group)
        panel.axhline(group[0].target, color="0.5", lw=1, ls="--", label="target")
        panel.set_xlabel("area (kGE)")
        panel.set_ylabel("slowest path (FO4)")
        panel.grid(alpha=0.3, which="both")
        panel.legend(fontsize=7)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _draw_front(axes: plt.Axes, result: Result, color: str, label: str) -> None:
    front = pareto(result.points)
    areas, delays = [p.area / 1000 for p in front], [p.fo4 for p in front]
    axes.plot(areas, delays, ".-", color=color, lw=1, label=label)
    chosen = result.chosen
    axes.plot(chosen.area / 1000, chosen.fo4, "o", color=color, ms=8)


def _draw_sweep(axes: plt.Axes, group: list[Result]) -> None:
    module = group[0].design.module
    for place, result in enumerate(group):
        color = f"C{place}"
        _draw_front(axes, result, color, result.design.name.removeprefix(module).strip())
        if result.design.area_aim:
            axes.axvline(result.design.area_aim, color=color, lw=1, ls=":", label="its area aim")
    axes.set_title(f"{module}: best mappings, the chosen one large", fontsize=10)


def _draw_modules(axes: plt.Axes, group: list[Result]) -> None:
    timed = [result for result in group if result.chosen.fo4 > 0 and result.chosen.area > 0]
    for place, result in enumerate(timed):
        chosen = result.chosen
        label = f"{result.design.name}: {chosen.area / 1000:.2f} kGE, {chosen.fo4:.0f} FO4"
        _draw_front(axes, result, plt.cm.tab20(place % 20), label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title("modules with default parameters", fontsize=10)
