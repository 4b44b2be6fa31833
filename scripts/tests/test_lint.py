# SPDX-License-Identifier: Apache-2.0
"""Each lint tool must object to the fault it is there for."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from scripts import lint
from tb.sim.builds import WAIVERS, source_facts
from tb.sim.paths import ROOT
from tb.sim.sets import read_bench
from tb.sim.tools import ToolMissing, find_simulator

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


# The word may not be a name in SystemVerilog; the register is used above its declaration.
KEYWORD = CLEAN.replace("assign b = !a", "wire before = !a; assign b = before")
EARLY = CLEAN.replace("assign b = !a", "assign b = !c; reg c; always @(a) c = a")
BLOCK = "always @(*) begin : b_count\n        integer i;\n"
LOOPED = HEAD + CLEAN.replace("output wire b", "output reg b").replace(
    "assign b = !a;",
    f"{BLOCK}        b = 1'b0;\n        for (i = 0; i < 2; i = i + 1) b = b ^ a;\n    end",
)
SHARED = LOOPED.replace(BLOCK, "integer i;\n    always @(*) begin\n")
# Two processes that count in the same variable without `for`; a function and a task that do.
TURNS = "b = a; i = 0; while (i < 4) begin b = b ^ d[i]; i = i + 1; end"
TWO = "reg [2:0] i;\n always @(*) begin {0} end\n always @(*) begin {0} end"
FLIPS = "f = a; for (i = 0; i < 2; i = i + 1) f = !f;"
FUNCTION = "function f;\n input a;\n {}begin " + FLIPS + " end\n endfunction"
TASK = "task t;\n {}begin " + TURNS + " end\n endtask"


def holding(body: str) -> str:
    """A module with this in it."""
    return HEAD + CLEAN.replace("input wire a", "input wire a, input wire [3:0] d").replace(
        "assign b = !a;", body
    )


def verilator(language: str, path: Path, top: str) -> str | None:
    tool = find_simulator("verilator")
    return lint.verilator_check(tool, language, top, [path], {}).finding()


def icarus(language: str, path: Path, top: str) -> str | None:
    try:
        tool = find_simulator("icarus")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    return lint.icarus_check(tool, language, top, [path], {}).finding()


def yosys(path: Path, top: str) -> str | None:
    return lint.yosys_check(top, [path], {}).finding()


def slang(path: Path, top: str) -> str | None:
    return lint.slang_check(top, [path], {}).finding()


verilator_2005, verilator_2023 = (partial(verilator, each) for each in lint.VERILATOR_LANGUAGES)
icarus_2005, icarus_2012 = (partial(icarus, each) for each in lint.ICARUS_LANGUAGES)
TOOLS = {
    "verilator 2005": verilator_2005,
    "verilator 2023": verilator_2023,
    "icarus 2005": icarus_2005,
    "icarus 2012": icarus_2012,
    "yosys": yosys,
    "slang": slang,
}


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@pytest.mark.parametrize("text", [HEAD + CLEAN, LOOPED], ids=["wire", "loop"])
def test_clean_module_has_no_finding(tmp_path: Path, tool, text: str) -> None:
    source = tmp_path / "m.v"
    source.write_text(text)
    assert tool(source, "m") is None
    assert list(lint.style_findings(source)) == []
    assert list(lint.process_findings(source)) == []


@pytest.mark.parametrize(
    ("tool", "fault", "complaint"),
    [
        (verilator_2005, UNUSED, "UNUSEDSIGNAL"),
        (verilator_2005, LATCH, "LATCH"),
        (verilator_2005, UNKNOWN, "nosuch"),
        (verilator_2023, UNUSED, "UNUSEDSIGNAL"),
        (verilator_2023, KEYWORD, "syntax error"),
        (icarus_2005, UNKNOWN, "nosuch"),
        (icarus_2005, NARROW, "warning: Port 1 (a) of m expects 1 bits"),
        (icarus_2012, NARROW, "warning: Port 1 (a) of m expects 1 bits"),
        (icarus_2012, KEYWORD, "syntax error"),
        (yosys, LATCH, "dlatch"),
        (yosys, LOOP, "loop"),
        (yosys, UNDRIVEN, "no driver"),
        (slang, KEYWORD, "expected a declaration name"),
        (slang, EARLY, "used before its declaration"),
        (slang, NARROW, "-Wport-width-trunc"),
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
        (HEAD + CLEAN.replace("assign b", "always @* b"), "@* in place of"),
        (HEAD + "/* verilator lint_off UNUSED */\n" + CLEAN, "waives"),
    ],
)
def test_house_rules(tmp_path: Path, text: str, complaint: str) -> None:
    source = tmp_path / "m.v"
    source.write_text(text)
    found = list(lint.style_findings(source))
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (SHARED, "loop variable i is not declared"),
        (SHARED.replace("integer i;", "reg [1:0] i;"), "loop variable i is not declared"),
        (SHARED.replace("@(*) begin", "@(*)").replace(" b = 1'b0;\n", "").replace("    end\n", ""),
         "loop variable i is not declared"),
        (SHARED.replace("a;\n    end", "a;\n    end else begin\n    end").replace(
            "begin\n", "if (a) begin\n", 1), "loop variable i is not declared"),
        (SHARED.replace("always @(*)", "always @(posedge a)"), "loop variable i is not declared"),
        (SHARED.replace("b = 1'b0;", 'b = 1\'b0; $display("integer i");'), "loop variable i"),
        (SHARED.replace("b = 1'b0;", 'b = 1\'b0; $display("\\"end");'), "loop variable i"),
        (holding(TWO.format(TURNS)), "count in i; each declares"),
        (holding(TWO.format(TURNS.replace("while (i < 4)", "repeat (4)"))), "count in i; each"),
        (holding("integer i;\n " + FUNCTION.format("")), "loop variable i is not declared"),
        (holding("integer i;\n " + TASK.format("")), "count in i; each declares"),
        (LOOPED.replace("@(*)", "@*"), "@(*)"),
        (LOOPED.replace("@(*)", "@ *"), "@(*)"),
    ],
)  # fmt: skip
def test_what_processes_share(tmp_path: Path, text: str, complaint: str) -> None:
    source = tmp_path / "m.v"
    source.write_text(text)
    found = list(lint.process_findings(source))
    assert len(found) == 1
    assert complaint in found[0]


def test_function_and_generate_loops_are_their_own(tmp_path: Path) -> None:
    """A function's variables are its own, and a genvar belongs to no process."""
    source = tmp_path / "m.v"
    function = (
        "function f;\n        input x;\n        integer i;\n        begin\n            f = x;\n"
        "            for (i = 0; i < 2; i = i + 1) f = !f;\n        end\n    endfunction\n"
    )
    genvar = "genvar g;\n    for (g = 0; g < 1; g = g + 1) begin : g_b\n assign b = f(a); end"
    source.write_text(HEAD + CLEAN.replace("assign b = !a;", f"{function}    {genvar}"))
    assert list(lint.process_findings(source)) == []


@pytest.mark.parametrize(
    "body",
    [
        TWO.format(f": x integer i; {TURNS}").replace("reg [2:0] i;", ""),
        FUNCTION.format("integer i;\n "),
        TASK.format("reg [2:0] i;\n "),
        # A count of what has been seen is no count of turns.
        TWO.format("repeat (4) b = b ^ a;"),
        TWO.format("repeat (4) i = i + 1;"),
    ],
)
def test_what_processes_need_not_share(tmp_path: Path, body: str) -> None:
    source = tmp_path / "m.v"
    source.write_text(holding(body))
    assert list(lint.process_findings(source)) == []


def test_module_is_checked_with_the_parameters_of_its_bench() -> None:
    names = {check.name for check in lint.module_checks("cell_leading_ones")}
    tools = ("verilator 1364-2005", "iverilog -g2005", "yosys", "slang")
    of_both = ("verilator 1800-2023", "iverilog -g2012")
    sets = ("IN_W=1", "IN_W=7", "IN_W=20", "IN_W=32")  # and the default, once
    assert names == {
        *(f"{tool} cell_leading_ones defaults" for tool in (*tools, *of_both)),
        *(f"{tool} cell_leading_ones {each}" for tool in tools for each in sets),
    }


def test_a_module_without_a_bench_is_checked_with_its_defaults(monkeypatch) -> None:
    monkeypatch.setattr(lint, "bench_files", dict)
    assert list(lint.parameter_sets("cell_leading_ones")) == [{}]


def test_a_bench_without_sets_is_one_line(monkeypatch, tmp_path: Path, capsys) -> None:
    bench = tmp_path / "cell_skid.py"
    bench.write_text('PARAMETERS = ("DATA_W",)\n')
    monkeypatch.setattr(lint, "bench_of", lambda module: read_bench(bench))
    assert lint.main([]) == 2
    assert capsys.readouterr().err == f"lint: {bench}: SETS is no mapping of names to values\n"


def test_slang_takes_the_parameters(tmp_path: Path) -> None:
    source = tmp_path / "m.v"
    text = CLEAN.replace("module m ", "module m #(parameter W = 1) ").replace(
        "assign", "generate if (W == 2) begin : g_two\n nosuch inst (); end endgenerate\n assign"
    )
    source.write_text(HEAD + text)
    assert lint.slang_check("m", [source], {"W": 1}).finding() is None
    assert "nosuch" in lint.slang_check("m", [source], {"W": 2}).finding()


@pytest.mark.parametrize("fault", [KEYWORD, EARLY])
def test_verilog_of_a_bench_is_both_languages(tmp_path: Path, fault: str) -> None:
    source = tmp_path / "m.v"
    source.write_text(HEAD + CLEAN)
    assert [check.finding() for check in lint.bench_checks(source)] == [None] * 5
    source.write_text(HEAD + fault)
    assert any(check.finding() for check in lint.bench_checks(source))


def test_benches_are_checked() -> None:
    assert {path.name for path in lint.bench_verilog()} >= {
        "apack_loop.v", "apack_bulk.v", "apack_registers_contract.v",
    }  # fmt: skip


def test_waivers_are_for_modules_beside_them_and_read_with_no_others(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        (folder / "m.v").write_text(HEAD + UNUSED)
    (ours / WAIVERS).write_text('`verilator_config\nlint_off -rule UNUSEDSIGNAL -file "*/m.v"\n')
    assert verilator_2005(ours / "m.v", "m") is None
    assert "UNUSEDSIGNAL" in verilator_2005(theirs / "m.v", "m")
    before = source_facts([theirs / "m.v"])
    (ours / WAIVERS).write_text("`verilator_config\n")
    assert source_facts([theirs / "m.v"]) == before
    assert ours / WAIVERS in source_facts([ours / "m.v", theirs / "m.v"])


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob(f"rtl/*/{WAIVERS}")), ids=lambda path: path.parent.name
)
def test_each_waiver_names_a_module_of_its_folder(path: Path) -> None:
    text = path.read_text()
    named = re.findall(r'^lint_off .*-file "\*/(\w+\.v)"', text, re.MULTILINE)
    assert len(named) == text.count("lint_off")
    missing = [name for name in named if not path.with_name(name).is_file()]
    assert not missing, f"{path} waives for {missing}"
