# SPDX-License-Identifier: Apache-2.0
"""Synthesis: the cell library, the mapping of small designs, and what is read from the tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import setup
from scripts.synth import cells, command, ecp5, tools
from scripts.synth.cells import EndNames, Point, choose, map_design, pareto
from scripts.synth.designs import Design, NoSuchDesign, PlanError, read_plan, select_designs
from scripts.synth.liberty import LibertyError, read_liberty
from scripts.synth.library import Library, find_library, measure_library

MODULE = """
module tiny #(parameter BITS = 1) (
    input wire clk, input wire [BITS-1:0] a, input wire [BITS-1:0] b, output reg [BITS-1:0] y
);
    reg [BITS-1:0] a_reg;
    reg [BITS-1:0] b_reg;
    always @(posedge clk) begin
        a_reg <= a;
        b_reg <= b;
        y     <= ~(a_reg & b_reg);
    end
endmodule
"""


def arc(related: str, edge: str, base: float, slope: float, kind: str = "") -> str:
    """A timing arc: delays in ns that grow with the load in pF and not with the slew."""
    delays = ", ".join(f"{base + slope * load:.6f}" for load in (0.0, 0.1))
    tables = "".join(
        f'{name} (t) {{ index_1 ("0.0, 0.1"); index_2 ("0.01, 1.0"); '
        f'values ("{delays.split(", ")[0]}, {delays.split(", ")[0]}", '
        f'"{delays.split(", ")[1]}, {delays.split(", ")[1]}"); }}\n'
        for name in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
    )
    return f'timing() {{ related_pin : "{related}"; timing_sense : {edge}; {kind}\n{tables} }}'


def gate(name: str, area: float, function: str, inputs: str, edge: str = "negative_unate") -> str:
    pins = "".join(f"pin({pin}) {{ direction : input; capacitance : 0.01; }}\n" for pin in inputs)
    arcs = "".join(arc(pin, edge, 0.02, 1.0) for pin in inputs)
    output = f'pin(Y) {{ direction : output; function : "{function}"; {arcs} }}'
    return f"cell ({name}) {{ area : {area}; {pins} {output} }}\n"


SETUP = """timing() { related_pin : "CLK"; timing_type : setup_rising;
rise_constraint (c) { values ("0.1"); } fall_constraint (c) { values ("0.2"); } }"""
REGISTER = f"""cell (DFFPOSX1) {{ area : 96;
ff (IQ, IQN) {{ next_state : "D"; clocked_on : "CLK"; }}
pin(CLK) {{ direction : input; clock : true; capacitance : 0.01; }}
pin(D) {{ direction : input; capacitance : 0.01; {SETUP} }}
pin(Q) {{ direction : output; function : "IQ";
{arc("CLK", "non_unate", 0.3, 1.0, "timing_type : rising_edge;")} }} }}
"""
LIBRARY = f"""/* linear delays */
library(linear) {{
time_unit : "1ns"; capacitive_load_unit (1,pf);
lu_table_template(t) {{ variable_1 : total_output_net_capacitance;
variable_2 : input_net_transition; index_1 ("0, 1"); index_2 ("0, 1"); }}
{gate("INVX1", 16, "(!A)", "A")}
{gate("BUFX2", 24, "A", "A", "positive_unate")}
{gate("NAND2X1", 24, "(!(A B))", "AB")}
{gate("NOR2X1", 24, "(!(A+B))", "AB")}
{REGISTER}
}}
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library in which a gate takes 20 ps and 1 ps for each fF; inputs have 10 fF."""
    path = tmp_path / "linear cells.lib"
    path.write_text(LIBRARY)
    return measure_library(path)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a module `tiny`, known to the flow; results are kept apart."""
    path = tmp_path / "tiny.v"
    path.write_text(MODULE)
    monkeypatch.setattr(tools, "FOLDER", tmp_path / "synth")
    # ABC's other mapper cannot work with a library as small as this one.
    monkeypatch.setattr(cells, "RECIPES", (("area", 16, 1.0), ("balanced", 8, 0.5)))
    for flow in (cells, ecp5):
        monkeypatch.setattr(flow, "rtl_sources", lambda module: (path,))
    return path


def point(area: float, fo4: float) -> Point:
    return Point("", area, 0, 0, 100 * fo4, fo4, "", "")


def test_library_is_measured(library: Library) -> None:
    assert library.gate_area == 24
    assert library.fo4 == pytest.approx(20 + 4 * 10, abs=0.1)
    assert library.register == pytest.approx(300 + 200)
    assert library.constraints.split() == [
        "set_driving_cell", "BUFX2", "set_load", "10", "[all_outputs]",
    ]  # fmt: skip


def test_fo4_of_the_real_library() -> None:
    if setup.liberty() is None:
        pytest.skip(setup.missing(setup.LIBERTY))
    real = find_library()
    assert real.gate_area == 24
    assert 90 < real.fo4 < 110


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no library"),
        ("no library at all", "'library'"),
        ("library (x) { cell (y) {", "middle of a group"),
        (LIBRARY.replace("NAND2X1", "OTHER"), "no cell NAND2X1"),
        (LIBRARY.replace("0.01; timing", "x; timing"), "no capacitance in pin D"),
        (LIBRARY.replace('"1ns"', '"1ps"'), "time unit"),
    ],
)
def test_unusable_library_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "x.lib"
    path.write_text(text)
    with pytest.raises(LibertyError, match=complaint):
        measure_library(path)


def test_groups_attributes_and_tables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.lib"
    path.write_text(LIBRARY)
    group = read_liberty(path)
    assert group.name == "linear"
    assert group.attributes["capacitive_load_unit"] == ["1", "pf"]
    falls = group.find("cell", "INVX1").find("pin", "Y").find("timing").find("cell_fall")
    assert falls.attributes["values"] == ["0.020000, 0.020000", "0.120000, 0.120000"]


@pytest.mark.parametrize("bits", [1, 5])
def test_area_of_a_small_design_is_that_of_its_cells(
    tiny: Path, library: Library, bits: int
) -> None:
    points = map_design(Design("tiny", {"BITS": bits}), "sklansky", library, 32)
    smallest = pareto(points)[0]
    assert smallest.area == pytest.approx(bits * (1 + 3 * 96 / 24))
    assert smallest.registers == pytest.approx(bits * 3 * 96 / 24)
    assert smallest.cells == 4 * bits
    # one gate that drives a register's data pin, and what its input costs the driver
    assert 20 + 10 <= smallest.delay <= 20 + 10 + 2 * 10
    assert smallest.fo4 == pytest.approx(smallest.delay / library.fo4)
    assert smallest.begin.split("[")[0] in ("a_reg", "b_reg")
    assert smallest.end.split("[")[0] == "y"


def test_second_run_maps_nothing(tiny: Path, library: Library, monkeypatch) -> None:
    first = map_design(Design("tiny"), "sklansky", library, 32)
    with monkeypatch.context() as patch:
        patch.setattr(cells, "run_yosys", lambda *_: pytest.fail("Yosys runs again"))
        assert map_design(Design("tiny"), "sklansky", library, 32) == first
    tiny.write_text(MODULE.replace("~(a_reg & b_reg)", "a_reg"))
    assert map_design(Design("tiny"), "sklansky", library, 32) != first


def test_design_that_cannot_be_synthesized_is_one_line(tiny: Path, library: Library) -> None:
    tiny.write_text(MODULE.replace("a_reg <= a;", "a_reg <= ;"))
    with pytest.raises(tools.SynthesisError, match=r"ERROR: .*syntax error.*yosys\.log") as raised:
        map_design(Design("tiny"), "sklansky", library, 32)
    assert "\n" not in str(raised.value)


def test_design_without_logic_has_registers_only(tiny: Path, library: Library) -> None:
    tiny.write_text(MODULE.replace("~(a_reg & b_reg)", "a_reg"))
    for found in map_design(Design("tiny"), "sklansky", library, 32):
        assert (found.area, found.registers) == (pytest.approx(8), pytest.approx(8))
        assert (found.cells, found.delay, found.begin, found.end) == (2, 0, "", "")


def test_mapping_that_is_not_timed_is_an_error(tiny: Path, library: Library, monkeypatch) -> None:
    monkeypatch.setattr(cells, "SIZING", "topo")
    with pytest.raises(tools.SynthesisError, match="ABC reported 0 mappings of 2"):
        map_design(Design("tiny"), "sklansky", library, 32)


def test_ends_of_paths_are_named_after_registers_and_ports() -> None:
    def wire(*bits: int) -> dict:
        return {"bits": list(bits)}

    register = {"type": "DFFPOSX1", "connections": {"CLK": [1], "D": [7], "Q": [9]}}
    module = {
        "attributes": {"top": "1"},
        "netnames": {
            "head": wire(8, 9), "a.ring_reg": wire(8, 9), "$auto$1": wire(7), "out": wire(5),
        },
        "cells": {"r": register},
    }  # fmt: skip
    names = EndNames.of({"modules": {"m": module, "memory": {"attributes": {"blackbox": "1"}}}})
    assert names.begins["\\head [1]"] == "a.ring_reg[1]"
    assert names.ends["$auto$1"] == "a.ring_reg[1]"
    assert names.ends["\\out"] == "out"
    assert "$auto$1" not in names.begins


def test_smallest_point_that_meets_the_target_is_chosen() -> None:
    points = [point(9, 40), point(12, 25), point(10, 31), point(11, 33), point(10, 32)]
    assert [(p.area, p.fo4) for p in pareto(points)] == [(9, 40), (10, 31), (12, 25)]
    assert choose(points, 32).area == 10
    assert choose(points, 50).area == 9
    assert choose(points, 20).area == 12


def test_wrapper_has_a_register_at_every_port(tiny: Path, tmp_path: Path) -> None:
    design = Design("tiny", {"BITS": 3})
    tools.run_yosys(ecp5.port_commands(design, [tiny]), tmp_path)
    ports = ecp5.read_ports(json.loads((tmp_path / "ports.json").read_text()))
    assert ports == {"clk": ("input", 1), "a": ("input", 3), "b": ("input", 3), "y": ("output", 3)}
    (tmp_path / "wrapper.v").write_text(ecp5.wrapper(design, ports))
    tools.run_yosys(ecp5.commands(design, [tiny]), tmp_path)
    netlist = json.loads((tmp_path / "mapped.json").read_text())
    clock = {"from": "posedge clk", "to": "posedge clk"}
    path = [
        {"from": {"cell": "design.a_reg_TRELLIS_FF_Q_2"}, "to": {"cell": "y_port_TRELLIS_FF_Q"}}
    ]
    report = {
        "utilization": {"TRELLIS_COMB": {"used": 3}},
        "fmax": {"clk": {"achieved": 123.456}},
        "critical_paths": [
            {"from": "<async>", "to": "posedge clk", "path": []},
            {**clock, "path": path},
        ],
    }
    found = ecp5.read_fabric(netlist, report)
    assert (found.luts, found.registers, found.multipliers, found.mhz) == (3, 9, 0, 123.46)
    assert (found.begin, found.end) == ("a_reg", "y")
    total = sum(
        cell["type"] == "TRELLIS_FF"
        for module in netlist["modules"].values()
        for cell in module["cells"].values()
    )
    assert total == 9 + 9  # the design's and its ports'


def test_engines_are_swept_and_other_modules_are_not() -> None:
    names = [design.name for design in select_designs(["apack_encoder*"])]
    assert "apack_encoder_channel" in names
    for streams in (1, 2, 4, 8):
        assert f"apack_encoder_engine STREAMS={streams}" in names
    assert "apack_encoder_engine" not in names
    with pytest.raises(NoSuchDesign, match="no design 'nope'; there are apack_"):
        select_designs(["nope"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("memories: [none_ram]", "there is no module none_ram in own/"),
        ("sweeps: {own_unit: {A: [1], B: [2]}}", "own_unit is to be swept over one parameter"),
        ("area_aims_kge: {own_unit LANES=2: 1, other: 2}", "there is no module other in own/"),
        ("designs: [own_unit]", "unexpected keyword argument 'designs'"),
        ("[own_unit]", "no attribute 'items'"),
        ("sweeps: {own_unit", "expected ',' or '}'"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_one_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "own" / "synth.yaml"
    path.parent.mkdir()
    (path.parent / "own_unit.v").touch()
    path.write_text(text)
    with pytest.raises(PlanError, match=complaint) as raised:
        read_plan(path)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def only_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a run ends with, which exits with code 2."""
    try:
        assert command.main(arguments) == 2
    except SystemExit as exit:
        assert exit.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_missing_library_is_one_line(monkeypatch, capsys) -> None:
    monkeypatch.delenv("LIBERTY", raising=False)
    monkeypatch.setattr(setup, "liberty", lambda: None)
    monkeypatch.setattr(setup.shutil, "which", lambda name: name if name == "apt-get" else None)
    line = only_error(["--design", "apack_shift_end"], capsys)
    assert line.startswith("synth: the cell library osu018_stdcells.lib")
    assert line.endswith("is missing: sudo apt-get install qflow-tech-osu018")


def test_unreadable_library_is_one_line(monkeypatch, capsys) -> None:
    monkeypatch.setenv("LIBERTY", "/nonexistent.lib")
    assert "/nonexistent.lib: No such file" in only_error(["--no-ecp5"], capsys)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--fo4", "-3"], "FO4: '-3' is not a number above 0"),
        (["--fo4", "nan"], "FO4: 'nan' is not a number above 0"),
        (["--jobs", "0"], "JOBS: '0' is not a whole number of 1 or more"),
        (["--design", "nope"], "no design 'nope'"),
    ],
)
def test_bad_argument_is_one_line(arguments: list[str], complaint: str, capsys) -> None:
    assert complaint in only_error(arguments, capsys)
