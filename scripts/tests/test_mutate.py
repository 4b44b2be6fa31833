# SPDX-License-Identifier: Apache-2.0
"""Mutation score: a toy with a fault that is found, one that is not, and one that is none."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts.console.shown import floored
from scripts.mutate import command, equivalence, measure
from scripts.mutate import targets as targets_module
from scripts.mutate.equivalence import DISTINCT, EQUIVALENT, IDLE, KEEPING, UNKNOWN, Graph, Prover
from scripts.mutate.inside import DIED, HUNG, KILLED, SURVIVED, VERDICTS, Server, Task
from scripts.mutate.measure import Entry, Result
from scripts.mutate.mutants import Mutant, MutatedDesign, mutate
from scripts.mutate.results import Run
from scripts.mutate.simulation import BenchFails, read_verdicts, simulate
from scripts.mutate.targets import Target, select_targets
from tb.sim import sets
from tb.sim.modules import rtl_modules
from tb.sim.paths import ROOT

TOY = """`resetall
`timescale 1ns / 1ps
`default_nettype none

/* A counter. */
module toy #(parameter STEP = 2) (
    input  wire       clk,
    input  wire       rst,
    output wire [3:0] count,
    output wire       high,      // 9 or more
    output wire       odd,
    output wire       over,
    output wire [3:0] m_data,    // the count, while m_valid
    output wire       m_want,    // no payload
    output wire       m_valid,
    output reg  [1:0] part       // of the count
);
    reg [3:0] count_reg;
    always @(*) begin
        case (count_reg)
            4'd0:    part = 2'd1;
            4'd1:    part = 2'd2;
            default: part = 2'd0;
        endcase
    end
    always @(posedge clk) begin
        count_reg <= rst ? 4'd0 : count_reg + STEP[3:0];
    end
    assign count   = count_reg;
    assign high    = (count_reg >= 4'd9) || (count_reg == 4'd12);
    assign odd     = ^count_reg;
    assign over    = &count_reg;
    assign m_valid = count_reg[1];
    assign m_want  = !m_valid;
    assign m_data  = m_valid ? count_reg : 4'd6;
endmodule

`resetall
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    source = tmp_path_factory.mktemp("toy") / "toy.v"
    source.write_text(TOY)
    return Target("toy", "scripts.tests.mutate_checks", (source,), {"STEP": 1})


@pytest.fixture(scope="module")
def design(target: Target, tmp_path_factory: pytest.TempPathFactory) -> MutatedDesign:
    return mutate(target, 1000, 1, tmp_path_factory.mktemp("design"))


def mutant_of(design: MutatedDesign, line: str, change: str) -> Mutant:
    """The mutant in the line that begins so, whose change is described so."""
    return next(
        mutant
        for mutant in design.mutants
        if mutant.text.startswith(line) and change in mutant.change
    )


def some(design: MutatedDesign, *places: tuple[str, str]) -> MutatedDesign:
    return replace(design, mutants=tuple(mutant_of(design, *place) for place in places))


WRONG_HIGH = ("assign high", "Y[0] of ge inverted")
WRONG_ODD = ("assign odd", "Y[0] of reduce_xor")
NEVER_HIGH = ("assign high", "Y[0] of ge stuck at 0")
NEVER_OVER = ("assign over", "Y[0] of reduce_and (over[0]) stuck at 0")
ONCE_IN_SEEDS = ("assign odd", "Y[0] of reduce_xor (odd[0]) stuck at 1")
TWO_BRANCHES = ("4'd0:", "A[0] of eq stuck at 1")
SAME = ("assign high", "Y[0] of eq stuck at 0")
NEVER_WANTING = ("assign m_want", "Y[0] of logic_not (m_want[0]) stuck at 0")
SAME_WHILE_VALID = ("assign m_data", "A[2] of mux inverted")


def test_payloads_of_streams_and_of_axi_lite_mean_something_with_their_valid() -> None:
    outputs = {
        "m_axis_values_tvalid": None,
        "m_axis_values_tdata[3]": "m_axis_values_tvalid",
        "s_axis_memory_tready": None,
        "s_axil_bvalid": None,
        "s_axil_bresp[1]": "s_axil_bvalid",
        "s_axil_rvalid": None,
        "s_axil_rresp[0]": "s_axil_rvalid",
        "s_axil_rdata[31]": "s_axil_rvalid",
        "s_axil_arready": None,
        "engine.m_data[0]": None,  # goes into an instance
        "engine.m_valid": None,
    }
    found = Graph({}, (), dict.fromkeys(outputs, 0), ()).valids()
    assert found == {name: valid for name, valid in outputs.items() if valid}


def test_lists_each_change_once_with_its_line(target: Target, design: MutatedDesign) -> None:
    lines = target.sources[0].read_text().splitlines()
    assert all(mutant.text == lines[mutant.line - 1].strip() for mutant in design.mutants)
    assert len({(mutant.line, mutant.change) for mutant in design.mutants}) > 50
    assert len(design.mutants) == design.places
    assert not any(mutant.port == "\\CLK" for mutant in design.mutants)


def test_changes_nothing_that_an_instance_does_not_read(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.v", tmp_path / "outer.v"
    inner.write_text(
        "module inner (input wire clk, input wire [1:0] d, output reg q);\n"
        "    always @(posedge clk) q <= d[1];\nendmodule\n"
    )
    outer.write_text(
        "module outer (input wire clk, input wire [1:0] d, output wire q);\n"
        "    inner inner_inst (.clk (clk), .d (d), .q (q));\nendmodule\n"
    )
    whole = Target("outer", "scripts.tests.mutate_checks", (inner, outer))
    mutants = mutate(whole, 1000, 1, tmp_path).mutants
    assert {(mutant.port, mutant.bit) for mutant in mutants} == {("d", 1), ("q", 0)}


def test_draws_from_every_line(target: Target, tmp_path: Path) -> None:
    drawn = mutate(target, 7, 1, tmp_path)
    assert len(drawn.mutants) == 7
    assert len({mutant.line for mutant in drawn.mutants}) == 7
    assert [mutant.number for mutant in drawn.mutants] == list(range(1, 8))
    again = [mutate(target, 7, seed, tmp_path).mutants for seed in (1, 2)]
    assert again[0] == drawn.mutants != again[1]


def test_what_becomes_of_mutants(
    target: Target, design: MutatedDesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUTATE_TOY_WAITS", "1")
    chosen = some(design, WRONG_HIGH, WRONG_ODD, NEVER_OVER, SAME)
    original, verdicts = simulate(target, chosen, [1], 2, tmp_path, grace=1)
    assert original.status == SURVIVED
    assert [verdict.status for verdict in verdicts] == [KILLED, SURVIVED, HUNG, SURVIVED]
    assert verdicts[0].test == "counts_to_the_end"
    assert verdicts[2].seconds >= 1


def test_a_fault_that_selects_two_branches_of_a_case_gets_its_verdict(
    target: Target, design: MutatedDesign, tmp_path: Path
) -> None:
    _, verdicts = simulate(target, some(design, TWO_BRANCHES), [1], 1, tmp_path)
    assert [verdict.status for verdict in verdicts] == [SURVIVED]


def test_goes_on_where_an_interrupted_run_stopped(
    target: Target, design: MutatedDesign, tmp_path: Path
) -> None:
    chosen = some(design, WRONG_HIGH, WRONG_ODD)
    simulate(target, chosen, [1], 1, tmp_path)
    path = tmp_path / VERDICTS
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[1]["message"] = "of an earlier run"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines[:2]) + '{"mutant": 7, "sta')
    _, verdicts = simulate(target, chosen, [1], 1, tmp_path)
    assert verdicts[0].message == "of an earlier run"
    assert verdicts[1].status == SURVIVED
    assert 7 not in read_verdicts(tmp_path)


def test_what_survives_one_seed_runs_with_the_next(
    target: Target, design: MutatedDesign, tmp_path: Path
) -> None:
    chosen = some(design, WRONG_HIGH, ONCE_IN_SEEDS)
    _, verdicts = simulate(target, chosen, [1], 1, tmp_path)
    assert [verdict.status for verdict in verdicts] == [KILLED, SURVIVED]
    _, verdicts = simulate(target, chosen, [1, 2], 1, tmp_path)
    assert [verdict.status for verdict in verdicts] == [KILLED, KILLED]
    assert verdicts[1].test == "looks_at_one_output"
    assert set(read_verdicts(tmp_path / "seed-2")) == {0, chosen.mutants[1].number}


def test_refuses_a_bench_that_fails_without_a_mutant(
    target: Target, design: MutatedDesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUTATE_TOY_FAILS", "1")
    with pytest.raises(
        BenchFails, match=r"fails on toy as it is, seed 1: waits_for_the_end: .*told to"
    ):
        simulate(target, some(design, WRONG_HIGH), [1], 1, tmp_path)


@pytest.mark.parametrize(
    ("place", "status"),
    [
        (SAME, EQUIVALENT),
        (SAME_WHILE_VALID, IDLE),
        (NEVER_WANTING, DISTINCT),
        (WRONG_ODD, DISTINCT),
        (WRONG_HIGH, DISTINCT),
    ],
)
def test_proves_what_no_test_can_find(
    target: Target, design: MutatedDesign, tmp_path: Path, place: tuple[str, str], status: str
) -> None:
    proof = Prover(target, design, tmp_path).prove(mutant_of(design, *place))
    assert proof.status == status, proof


LEAF = """module leaf (input wire used, input wire ignored, output wire y);
    assign y = used;
endmodule
"""
LARGE = """module large (input wire a, input wire b, output wire y);
    leaf leaf_inst (.used (a), .ignored (!b), .y (y));
endmodule
"""


@pytest.mark.parametrize(
    ("flat", "most", "status"),
    [(0, 1000, EQUIVALENT), (0, 0, DISTINCT), (len(LEAF), 0, EQUIVALENT)],
)
def test_a_large_module_is_compared_with_its_instances_inside_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flat: int, most: int, status: str
) -> None:
    sources = tuple(tmp_path / f"{name}.v" for name in ("large", "leaf"))
    for source, text in zip(sources, (LARGE, LEAF), strict=True):
        source.write_text(text)
    target = Target("large", "scripts.tests.mutate_checks", sources)
    monkeypatch.setattr(equivalence, "FLAT_CHARACTERS", flat)
    monkeypatch.setattr(equivalence, "WHOLE_CHARACTERS", most)
    design = mutate(target, 1000, 1, tmp_path)
    mutant = mutant_of(design, "leaf leaf_inst", "logic_not")
    proof = Prover(target, design, tmp_path).prove(mutant)
    assert proof.status == status, proof


CONTRACT = """module toy_contract (input wire [3:0] count, output wire kept);
    assign kept = count < 4'd4;
endmodule
"""


@pytest.mark.parametrize(
    ("place", "status"),
    [(NEVER_HIGH, KEEPING), (WRONG_ODD, DISTINCT), (SAME, EQUIVALENT), (SAME_WHILE_VALID, IDLE)],
)
def test_a_contract_leaves_inputs_out_that_break_it(
    target: Target,
    design: MutatedDesign,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[str, str],
    status: str,
) -> None:
    mutant = mutant_of(design, *place)
    if status == KEEPING:
        assert Prover(target, design, tmp_path).prove(mutant).status == DISTINCT
    contract = tmp_path / "toy_contract.v"
    contract.write_text(CONTRACT)
    proof = Prover(replace(target, contract=contract), design, tmp_path).prove(mutant)
    assert proof.status == status, proof


def test_proofs_end_when_their_time_is_over(
    target: Target, design: MutatedDesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equivalence, "BUDGET_SECONDS", -1)
    proof = Prover(target, design, tmp_path).prove(mutant_of(design, *SAME))
    assert (proof.status, proof.how) == (UNKNOWN, equivalence.NO_TIME)


def test_every_contract_is_one_of_a_module() -> None:
    contracts = {target.contract for target in select_targets([])} - {None}
    assert contracts
    assert contracts == set((ROOT / "tb").glob("*/contracts/*_contract.v"))


def test_a_mutant_that_a_test_finds_is_never_proven_to_be_the_same(
    target: Target, design: MutatedDesign, tmp_path: Path
) -> None:
    chosen = replace(design, mutants=design.mutants[::7])
    _, verdicts = simulate(target, chosen, [1], 1, tmp_path)
    prover = Prover(target, design, tmp_path)
    found = [
        mutant
        for mutant, verdict in zip(chosen.mutants, verdicts, strict=True)
        if verdict.status == KILLED
    ]
    assert len(found) > 10
    assert {prover.prove(mutant).status for mutant in found} == {DISTINCT}


def test_measures_a_module_and_keeps_the_result(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "WORK", tmp_path)
    measure.measure(target, 12, 1, 1, 2)
    folder = measure.work_folder(target, 12, 1, 1)
    result = Result.read(measure.result_path(target, 12, 1, 1))
    assert len(result.entries) == 12
    assert result.judged == result.killed + len(result.survivors) == 12 - len(result.equivalents)
    assert any("odd" in entry.text for entry in result.survivors)
    assert measure.progress_of(folder, 99) == (12, 12)
    other = replace(target, parameters={"STEP": 3})
    assert measure.work_folder(other, 12, 1, 1) != folder
    assert measure.work_folder(target, 12, 2, 1) != folder


def test_keeps_the_message_of_a_design_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "WORK", tmp_path / "work")
    source = tmp_path / "toy.v"
    source.write_text("module toy (input wire clk); wrong endmodule\n")
    broken = Target("toy", "scripts.tests.mutate_checks", (source,))
    measure.measure(broken, 5, 1, 1, 1)
    text = (measure.work_folder(broken, 5, 1, 1) / measure.ERROR).read_text()
    assert "syntax error" in text


def result_of(killed: int, survived: int, equivalent: int) -> Result:
    kinds = [KILLED] * killed + [DISTINCT] * survived + [EQUIVALENT] * equivalent
    entries = tuple(
        Entry(number, 22, "assign odd", f"change {number} <&", kind, "detail", 0.1)
        for number, kind in enumerate(kinds)
    )
    return Result("toy", "rtl/cell/cell_crc32.v", "tb.toy", {"STEP": 1}, 99, 1.0, 2.0, entries)


def test_the_score_leaves_out_what_is_proven() -> None:
    run = Run([result_of(8, 2, 30)], {}, 80.0, 40, 1, 3, 1.0)
    assert (run.killed, run.judged, run.score, run.good) == (8, 10, 80.0, True)
    assert not replace(run, target=80.1).good
    assert not replace(run, errors={"other": "broken"}).good
    assert not replace(run, results=[result_of(0, 0, 3)]).good


def test_a_score_never_looks_like_more_than_it_is() -> None:
    assert [floored(score) for score in (100.0, 97.996, 0.0)] == ["100.00", "97.99", "0.00"]


@pytest.mark.parametrize(
    ("status", "late", "verdict"),
    [
        (0, False, None),  # no results, but ended well: a full disk
        (signal.SIGKILL, False, None),  # too little memory
        (signal.SIGKILL, True, HUNG),
        (signal.SIGXCPU, False, HUNG),
        (signal.SIGABRT, False, DIED),
        (1 << 8, False, DIED),
    ],
)
def test_what_has_nothing_to_do_with_the_mutant_is_no_verdict(
    tmp_path: Path, status: int, late: bool, verdict: str | None
) -> None:
    server = Server(Task("scripts.tests.mutate_checks", [1], str(tmp_path), 1))
    found = server._verdict(1, status, 1.0, late)
    assert (found.status if found else None) == verdict


@pytest.mark.parametrize(("least", "code"), [("90", 1), ("80", 0)])
def test_exit_code_and_reports(
    target: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    least: str,
    code: int,
) -> None:
    monkeypatch.setattr(measure, "WORK", tmp_path / "work")
    options = command.parse_arguments(["--mutants", "10", "--target", least])
    folder = measure.work_folder(target, 10, 1, 3)
    folder.mkdir(parents=True)
    result = replace(result_of(8, 2, 3), module="apack_decoder_channel")
    result.write(measure.result_path(target, 10, 1, 3))
    assert command.score([target], options, tmp_path) == code
    output = capsys.readouterr().out
    assert "rtl/cell/cell_crc32.v:22: change 8" in output
    assert "80.00 %: 8 of 10 mutants found" in output
    assert "\napack_decoder_channel " in output, "a name that is cut short"
    page = (tmp_path / "index.html").read_text()
    assert "change 9 &lt;&amp;" in page
    assert "change 7" not in page
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", str(code))
    assert "cell_crc32.v:22: assign odd" in suite[0].find("system-out").text
    document = json.loads((tmp_path / "mutate.json").read_text())
    assert (document["score"], document["equivalent"]) == (80.0, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--design", "apack_nothing"], "no design 'apack_nothing'; there are apack_block_check"),
        (["--mutants", "0"], "MUTANTS: '0' is not a whole number of 1 or more"),
        (["--target", "101"], "TARGET: '101' is not a number from 0 to 100"),
    ],
)
def test_a_bad_argument_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture, arguments: list[str], message: str
) -> None:
    try:
        code = command.main(arguments)
    except SystemExit as ended:
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith(f"mutate: {message}")
    assert error.count("\n") == 1


def test_every_module_has_its_bench() -> None:
    targets = {target.module: target for target in select_targets([])}
    assert list(targets) == list(rtl_modules())
    for module, target in targets.items():
        assert target.source == rtl_modules()[module]
        assert ROOT / "tb" / target.source.parent.name / f"{module}.py" in target.watched
    assert targets["cell_gearbox"].parameters == {"IN_W": 12, "OUT_W": 16, "UNIT_W": 4}  # MUTATED
    assert targets["cell_crc32"].parameters == {"DATA_W": 8}  # the first set
    assert ("row_", "table_valid") in targets["apack_table"].meaningful


def test_a_module_without_a_bench_is_one_line(monkeypatch, capsys) -> None:
    new = {"apack_new": ROOT / "rtl" / "apack" / "apack_new.v"}
    for module in (targets_module, sets):
        monkeypatch.setattr(module, "rtl_modules", lambda: {**rtl_modules(), **new})
    assert command.main(["--design", "apack_new"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("mutate: apack_new has no bench: it needs tb/apack/apack_new.py")
    assert error.count("\n") == 1
    (target,) = select_targets(["cell_skid"])  # the others have theirs
    assert target.module == "cell_skid"


def test_an_edit_in_mid_run_loses_no_result(target: Target, tmp_path: Path, monkeypatch) -> None:
    source = tmp_path / "toy.v"
    source.write_text(TOY)
    target = replace(target, sources=(source,))
    monkeypatch.setattr(measure, "WORK", tmp_path / "work")

    def edited_meanwhile(*_: object) -> Result:
        source.write_text(f"{source.read_text()}// edited\n")
        return result_of(8, 2, 3)

    def measured(targets: list[Target], options: object, console: object) -> None:
        measure.measure(targets[0], 10, 1, 3, 1)

    monkeypatch.setattr(measure, "_measured", edited_meanwhile)
    monkeypatch.setattr(command, "measure_all", measured)
    options = command.parse_arguments(["--mutants", "10", "--target", "80"])
    assert command.score([target], options, tmp_path) == 0
