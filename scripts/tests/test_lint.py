"""Each lint tool must object to the fault it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import lint
from scripts.simulators import ToolMissing, find_simulator

HEAD = "`resetall\n`timescale 1ns / 1ps\n`default_nettype none\n\n"
CLEAN = "module m (input wire a, output wire b);\n    assign b = !a;\nendmodule\n\n`resetall\n"
UNUSED = CLEAN.replace("input wire a", "input wire a, input wire c")
UNKNOWN = CLEAN.replace("!a", "!nosuch")
LOOP = CLEAN.replace("!a", "a & b")
UNDRIVEN = CLEAN.replace("assign b = !a", "wire c; assign b = a & c")
LATCH = CLEAN.replace("output wire b", "input wire c, output reg b").replace(
    "assign b = !a;", "always @* if (a) b = c;"
)
NARROW = (
    CLEAN
    + "module n (input wire [3:0] a, output wire b);\n    m m_inst (.a(a), .b(b));\nendmodule\n"
)


def verilator(path: Path, top: str) -> str | None:
    return lint.verilator_check(find_simulator("verilator"), top, [path], {}).finding()


def icarus(path: Path, top: str) -> str | None:
    try:
        tool = find_simulator("icarus")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    return lint.icarus_check(tool, top, [path], {}).finding()


def yosys(path: Path, top: str) -> str | None:
    return lint.yosys_check(top, [path], {}).finding()


@pytest.mark.parametrize("tool", [verilator, icarus, yosys])
def test_clean_module_has_no_finding(tmp_path: Path, tool) -> None:
    source = tmp_path / "m.v"
    source.write_text(HEAD + CLEAN)
    assert tool(source, "m") is None
    assert list(lint.style_findings(source)) == []


@pytest.mark.parametrize(
    ("tool", "fault", "complaint"),
    [
        (verilator, UNUSED, "UNUSEDSIGNAL"),
        (verilator, LATCH, "LATCH"),
        (verilator, UNKNOWN, "nosuch"),
        (icarus, UNKNOWN, "nosuch"),
        (icarus, NARROW, "warning: Port 1 (a) of m expects 1 bits"),
        (yosys, LATCH, "dlatch"),
        (yosys, LOOP, "loop"),
        (yosys, UNDRIVEN, "no driver"),
    ],
)
def test_fault_is_found(tmp_path: Path, tool, fault: str, complaint: str) -> None:
    source = tmp_path / "m.v"
    source.write_text(HEAD + fault)
    assert complaint in tool(source, "n" if fault is NARROW else "m")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (CLEAN, "does not start with"),
        (HEAD + CLEAN.replace("module m", "module other"), "holds module other"),
        (HEAD + CLEAN.replace("assign", "assign #1"), "delay"),
        (HEAD + CLEAN.replace("assign b", "initial b"), "initial block"),
        (HEAD + "/* verilator lint_off UNUSED */\n" + CLEAN, "waives"),
    ],
)
def test_house_rules(tmp_path: Path, text: str, complaint: str) -> None:
    source = tmp_path / "m.v"
    source.write_text(text)
    found = list(lint.style_findings(source))
    assert len(found) == 1
    assert complaint in found[0]


def test_module_is_checked_with_the_parameters_it_has() -> None:
    names = {check.name for check in lint.module_checks("apack_leading_ones")}
    assert "verilator apack_leading_ones defaults" in names
    assert "verilator apack_leading_ones IN_W=1" in names
    assert not any("VALUE_W" in name for name in names)
