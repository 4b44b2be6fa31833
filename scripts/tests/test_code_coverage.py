# SPDX-License-Identifier: Apache-2.0
"""Code coverage: Verilator's files are read and added up, holes are reported, exclusions hold."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from scripts.coverage import code, command
from scripts.coverage.code import CodeCoverage, as_json, measure, source_lines
from scripts.coverage.exclusions import read_exclusions
from scripts.coverage.page import described, write_page
from scripts.coverage.points import Place, numbers_of, ranges, read_points
from scripts.regress.code_coverage import read_code_coverage
from scripts.regress.command import main as regress_main
from scripts.regress.merge import Merged, merge, state_of
from scripts.regress.run import Run
from scripts.runs import coverage as runs
from scripts.runs.collect import SelectionError
from scripts.runs.coverage import CoverageError
from scripts.runs.jobs import PASSED, Job, Outcome, remove_jobs
from scripts.test import main as run_tests
from tb.sim.cocotb_run import (
    TOGGLES_OF_5_48,
    CocotbRun,
    chosen_seed,
    chosen_simulator,
    require_coverage,
    run_cocotb,
)
from tb.sim.tools import ToolMissing, Verilator

COUNTER = """\
`timescale 1ns / 1ps
module counter #(parameter STEP = 1) (input wire clk, input wire rst, output reg [7:0] count);
    wire [1:0] never = {1'b0, count[0]};
    wire [99:0] wide = {99'd0, count[0]};
    always @(posedge clk) begin
        count <= count + STEP[7:0];
        if (rst) begin
            count <= 8'd0;
        end else if (STEP == 2) begin
            count <= 8'd9;
        end
        count <= (count > 200) ? 8'd0 : rst ? 8'd0 : count + STEP[7:0];
    end
endmodule
"""
TEST = "tb/test_unit.py::test_unit[8]"


def record(
    count: int, line: int, kind: str, name: str, lines: str, file: str, hier: str = "top.u"
) -> str:
    """A line as Verilator writes it."""
    fields = {"f": file, "l": line, "n": 5, "t": kind, "page": f"v_{kind}/unit", "o": name}
    fields |= {"S": lines} if lines else {}
    text = "".join(f"\1{key}\2{value}" for key, value in {**fields, "h": hier}.items())
    return f"C '{text}' {count}\n"


class Unit:
    """A folder like rtl/ with one module, and simulations of it."""

    def __init__(self, folder: Path) -> None:
        self.rtl, self.runs = folder / "rtl", folder / "runs"
        self.exclusions = folder / "exclusions.yaml"
        self.exclusions.write_text("[]")
        self.file = self.rtl / "apack" / "unit.v"
        self.file.parent.mkdir(parents=True)
        self.file.write_text("".join(f"line {number};\n" for number in range(1, 21)))
        source_lines.cache_clear()

    def simulated(self, name: str, *records: tuple) -> Path:
        """A simulation with these points."""
        path = self.runs / name / "code_coverage.dat"
        path.parent.mkdir(parents=True)
        path.with_name("code_coverage.test").write_text(TEST)
        lines = [
            record(*each[:5], **{"file": str(self.file), **dict(each[5:])}) for each in records
        ]
        path.write_text("# SystemC::Coverage-3\n" + "".join(lines))
        return path

    def measured(self) -> CodeCoverage:
        """What all simulations counted."""
        return measure(code.coverage_files(self.runs), {TEST}, self.rtl, [self.exclusions])

    def place(self, line: int, column: int, kind: str, name: str) -> Place:
        return Place(self.file, line, column, kind, name)


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Unit(tmp_path)


def test_points_of_a_simulation_are_read(unit: Unit) -> None:
    path = unit.simulated(
        "one",
        (7, 3, "line", "block", "3-4,9"),
        (2, 4, "branch", "if", "4-5"),
        (5, 4, "branch", "else", ""),
        (1, 8, "toggle", "net[3]:0->1", ""),
        (0, 8, "toggle", "net[3]:1->0", ""),
        (4, 1, "line", "block", "1", ("file", "/elsewhere/tb/bench.v")),
    )
    assert read_points([path], unit.rtl).hits == {
        unit.place(3, 0, "line", ""): [7],
        unit.place(4, 0, "line", ""): [9],
        unit.place(5, 0, "line", ""): [2],
        unit.place(9, 0, "line", ""): [7],
        unit.place(4, 5, "branch", "if"): [2],
        unit.place(4, 5, "branch", "else"): [5],
        unit.place(8, 5, "toggle", "net[3]"): [1, 0],
    }


def test_instances_parameter_sets_and_simulations_are_added_up(unit: Unit) -> None:
    """A bit which one set has and another has not is one point; rise and fall may be of two."""
    files = [
        unit.simulated(
            "narrow",
            (1, 8, "toggle", "net[0]:0->1", "", ("hier", "top.a")),
            (2, 8, "toggle", "net[0]:0->1", "", ("hier", "top.b")),
            (0, 8, "toggle", "net[0]:1->0", ""),
        ),
        unit.simulated(
            "wide",
            (0, 8, "toggle", "net[0]:0->1", ""),
            (6, 8, "toggle", "net[0]:1->0", ""),
            (9, 8, "toggle", "net[1]:0->1", ""),
            (0, 8, "toggle", "net[1]:1->0", ""),
        ),
    ]
    counts = read_points(files, unit.rtl)
    first, second = (unit.place(8, 5, "toggle", f"net[{bit}]") for bit in (0, 1))
    assert counts.hits == {first: [3, 6], second: [9, 0]}
    assert counts.covered(first) and not counts.covered(second)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is no coverage"), ("# SystemC::Coverage-3\nC 'x' many\n", "line 2 is no coverage")],
)
def test_what_verilator_did_not_write_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "code_coverage.dat"
    path.write_text(text)
    with pytest.raises(CoverageError, match=message):
        read_points([path], tmp_path)


def test_lists_of_lines() -> None:
    assert numbers_of("") == []
    assert numbers_of("3-5,9") == [3, 4, 5, 9]
    assert ranges([9, 4, 3, 5]) == "3-5, 9"


def test_tallies_and_the_worst_module_first(unit: Unit) -> None:
    other = unit.file.with_name("better.v")
    other.write_text("line\n")
    unit.simulated(
        "one",
        (1, 3, "line", "block", "3-4"),
        (0, 5, "branch", "if", "5"),
        (1, 5, "branch", "else", ""),
        (1, 1, "line", "block", "1", ("file", str(other))),
    )
    coverage = unit.measured()
    assert [module.name for module in coverage.modules] == ["unit", "better"]
    unit_tallies = coverage.modules[0].tallies
    assert (unit_tallies["line"].points, unit_tallies["line"].covered) == (3, 2)
    assert unit_tallies["branch"].percent == 50
    assert coverage.totals["line"].percent == 75
    assert coverage.faults == [
        "lines are at 75.00 %, below 99 %",
        "branches are at 50.00 %, below 98 %",
        "lines of unit are at 66.67 %, below 95 % of a module",
        "branches of unit are at 50.00 %, below 95 % of a module",
    ]
    assert json.loads(as_json(coverage))["modules"]["unit"]["uncovered"] == [
        "5 line",
        "5 branch if",
    ]


@pytest.mark.parametrize(("covered", "fault"), [(94, True), (95, False)])
def test_no_module_hides_behind_the_others(unit: Unit, covered: int, fault: bool) -> None:
    other = unit.file.with_name("large.v")
    other.write_text("line\n")
    unit.simulated(
        "one",
        (1, 3, "line", "block", f"1-{covered}"),
        (0, 3, "line", "block", f"{covered + 1}-100"),
        (1, 1, "line", "block", "1-2000", ("file", str(other))),
    )
    low = [f"lines of unit are at {covered}.00 %, below 95 % of a module"]
    assert unit.measured().faults == (low if fault else [])


def test_a_module_that_was_not_simulated_is_a_fault(unit: Unit) -> None:
    unit.file.with_name("forgotten.v").write_text("line\n")
    unit.simulated("one", (1, 3, "line", "block", "3"))
    assert unit.measured().faults == ["in no simulation: forgotten"]


def test_simulations_of_another_source_are_left_out(unit: Unit) -> None:
    old = unit.simulated("old", (1, 3, "line", "block", "3"))
    os.utime(old, (1, 1))
    with pytest.raises(CoverageError, match="only other sources simulated"):
        unit.measured()
    unit.simulated("new", (0, 3, "line", "block", "3"))
    coverage = unit.measured()
    assert (coverage.simulations, coverage.stale, coverage.totals["line"].covered) == (1, 1, 0)


@pytest.mark.parametrize("other", ["tb/test_unit.py::test_unit[9]", "", None])
def test_simulations_of_a_test_that_is_gone_are_left_out(unit: Unit, other: str | None) -> None:
    named = unit.simulated("gone", (1, 3, "line", "block", "3")).with_name("code_coverage.test")
    named.unlink() if other is None else named.write_text(other)
    with pytest.raises(CoverageError, match="no hardware simulated"):
        unit.measured()
    unit.simulated("there", (0, 3, "line", "block", "3"))
    coverage = unit.measured()
    assert (coverage.simulations, coverage.totals["line"].covered) == (1, 0)


def test_tests_are_those_that_pytest_collects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "collect", lambda *_: [TEST])
    assert runs.tests_there("verilator") == {TEST}

    def broken(*_) -> None:
        raise SelectionError("pytest cannot collect the tests: why")

    monkeypatch.setattr(runs, "collect", broken)
    with pytest.raises(CoverageError, match="pytest cannot collect the tests: why"):
        runs.tests_there("verilator")


EXCLUDED = "- {{module: unit, kind: toggle, name: '{name}', reason: Tied to 0.}}"


def excluding(unit: Unit, name: str) -> CodeCoverage:
    """Coverage with one bit that toggles and one that does not, and an exclusion."""
    unit.exclusions.write_text(EXCLUDED.format(name=name))
    both = [(1, 8, "toggle", f"net[0]{edge}", "") for edge in (":0->1", ":1->0")]
    none = [(0, 8, "toggle", f"net[12]{edge}", "") for edge in (":0->1", ":1->0")]
    unit.simulated("one", *both, *none)
    return unit.measured()


def test_an_exclusion_takes_its_points_out(unit: Unit) -> None:
    coverage = excluding(unit, r"net\[1\d\]")
    assert coverage.faults == []
    assert (coverage.totals["toggle"].excluded, coverage.totals["toggle"].percent) == (1, 100)
    assert [exclusion.reason for exclusion in coverage.excluded.values()] == ["Tied to 0."]


def test_an_exclusion_names_a_bit_as_a_whole(unit: Unit) -> None:
    assert "toggles are at 50.00 %, below 95 %" in excluding(unit, r"net\[1").faults


@pytest.mark.parametrize(("bits", "excluded"), [("1, 10-12", 1), ("13-20", 0)])
def test_an_exclusion_may_name_the_bits_of_a_signal(unit: Unit, bits: str, excluded: int) -> None:
    coverage = excluding(unit, f"net', bits: '{bits}")
    assert coverage.totals["toggle"].excluded == excluded


def test_an_exclusion_of_what_was_covered_is_a_fault(unit: Unit) -> None:
    coverage = excluding(unit, "net.*")
    assert coverage.faults == [r"exclusion unit toggle net.*: was covered: line 8 net[0]"]
    assert coverage.totals["toggle"].covered == 1


def test_an_exclusion_of_nothing_is_a_fault_once_every_module_was_simulated(unit: Unit) -> None:
    faults = excluding(unit, "nett.*").faults
    assert "exclusion unit toggle nett.*: matches nothing" in faults
    unit.file.with_name("forgotten.v").write_text("line\n")
    unit.simulated("two", (1, 8, "line", "block", "8"))
    assert not any("matches nothing" in fault for fault in unit.measured().faults)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {module: a, kind: line, name: x}", "exclusion 1 has no reason"),
        ("- {module: a, kind: line, name: x, reason: ' '}", "exclusion 1 has no reason"),
        ("- {module: a, kind: lines, name: x, reason: y}", "kind is line, branch, toggle"),
        ("- {module: a, kind: line, reason: y}", "exclusion 1 has neither source nor name"),
        ("- {module: a, kind: line, name: '(', reason: y}", "no regular expression"),
        ("- {module: a, kind: line, name: x, reason: y, why: z}", "unknown key why"),
        ("- {module: a, kind: line, name: 3, reason: y}", "name is no text"),
        ("- {module: a, kind: toggle, name: x, bits: '1 2', reason: y}", "'1 2' are no bits"),
        ("- x", "exclusion 1 is no mapping"),
        ("a: b", "is no list"),
        ("{", "no YAML"),
    ],
)
def test_a_bad_exclusion_is_one_line(text: str, message: str) -> None:
    with pytest.raises(CoverageError, match=message):
        read_exclusions(text)


def reported(unit: Unit, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Exit code of the command on a unit's simulations."""
    files = code.coverage_files(unit.runs)
    monkeypatch.setattr(command, "coverage_files", lambda: files)
    monkeypatch.setattr(command, "RESULT", unit.runs / "coverage" / "code.json")
    monkeypatch.setattr(command, "tests_there", lambda simulator: {TEST})
    monkeypatch.setattr(
        command,
        "measure",
        lambda files, tests, watch: measure(files, tests, unit.rtl, [unit.exclusions], watch),
    )
    return command.main(list(arguments))


def test_exit_code_tells_whether_the_thresholds_are_met(
    unit: Unit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unit.simulated("one", (1, 3, "line", "block", "3"))
    assert reported(unit, monkeypatch) == 0
    assert "100.00 % of lines (99 %)" in capsys.readouterr().out
    unit.simulated("two", (0, 4, "line", "block", "4"))
    assert reported(unit, monkeypatch) == 1
    output = capsys.readouterr().out
    assert "coverage: lines are at 50.00 %, below 99 %" in output
    assert "2 simulations" in output
    assert json.loads((unit.runs / "coverage" / "code.json").read_text())["simulations"] == 2
    assert "not met" in (unit.runs / "coverage" / "code.html").read_text()


def test_no_simulation_is_one_line_and_exit_code_2(
    unit: Unit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reported(unit, monkeypatch) == 2
    assert capsys.readouterr().err == (
        "coverage: no hardware simulated: run make test SIM=verilator COVERAGE=1\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["--run", "--jobs", "0"], "JOBS: '0' is not a whole number of 1 or more"),
        (["--run", "--seed", "x"], "SEED: 'x' is not a whole number of 0 or more"),
        (["--run", "--test", "a b"], "TEST: 'a b' is no selection: "),
    ],
)
def test_a_wrong_argument_is_one_line_and_loses_no_earlier_simulation(
    unit: Unit,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    path = unit.simulated("one", (1, 3, "line", "block", "3"))
    with pytest.raises(SystemExit) as end:
        reported(unit, monkeypatch, *arguments)
    (line,) = capsys.readouterr().err.splitlines()
    assert (end.value.code, path.is_file()) == (2, True)
    assert line.startswith(f"coverage: {message}")


def test_icarus_has_no_code_coverage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tests(["--sim", "icarus", "--coverage"]) == 2
    assert capsys.readouterr().err == (
        "test: Icarus has no code coverage: COVERAGE=1 needs SIM=verilator\n"
    )
    with pytest.raises(ToolMissing, match="no code coverage"):
        run_cocotb("counter", [tmp_path], "x", {}, "icarus", 1, coverage=True)


@pytest.mark.parametrize("found", [None, "", TOGGLES_OF_5_48.replace("width - i", "width - 2 * i")])
def test_a_verilator_that_counts_in_another_way_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: str | None,
) -> None:
    header = tmp_path / "include" / "verilated_cov.h"
    header.parent.mkdir()
    if found is not None:
        header.write_text(found)
    other = Verilator("5.36", Path("verilator"), tmp_path, Path("c++"), "c++ 1", "any")
    monkeypatch.setattr("tb.sim.cocotb_run.find_simulator", lambda _: other)
    monkeypatch.setattr("scripts.test.find_simulator", lambda _: other)
    monkeypatch.setattr("scripts.test.subprocess.run", None)  # nothing is to run
    assert run_tests(["--sim", "verilator", "--coverage"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("test: Verilator 5.36 counts toggles of wide vectors in another way")
    header.write_text(f"// other code\n{TOGGLES_OF_5_48}// more\n")
    require_coverage("verilator")


def simulated_counter(folder: Path, coverage: bool, seed: int) -> CocotbRun:
    """The toy counter on Verilator."""
    file = folder / "rtl" / "toys" / "counter.v"
    if not file.is_file():
        file.parent.mkdir(parents=True)
        file.write_text(COUNTER)
    return run_cocotb(
        "counter", [file], "scripts.tests.counter_checks", {"STEP": 1}, "verilator", seed,
        extra_env={"STEP": "1"}, coverage=coverage,
    )  # fmt: skip


@pytest.mark.skipif(chosen_simulator() == "icarus", reason="Icarus has no code coverage")
def test_what_a_simulation_leaves_out_is_reported(tmp_path: Path) -> None:
    run = simulated_counter(tmp_path, True, chosen_seed())
    assert run.coverage == run.folder / "code_coverage.dat"
    exclusions = tmp_path / "exclusions.yaml"
    exclusions.write_text("[]")
    test = code.test_of(run.coverage)
    assert f"{test} (call)" == os.environ["PYTEST_CURRENT_TEST"]
    coverage = measure([run.coverage], {test}, tmp_path / "rtl", [exclusions])
    missed = {
        (place.kind, source_lines(place.file)[place.line - 1].strip(), place.name)
        for place in coverage.counts.hits
        if not coverage.covered(place)
    }
    assert ("line", "count <= 8'd9;", "") in missed
    assert ("toggle", "wire [1:0] never = {1'b0, count[0]};", "never[1]") in missed
    wide = {name for _, text, name in missed if text.startswith("wire [99:0] wide")}
    assert wide == {f"wide[{bit}]" for bit in range(1, 100)}
    chosen = "count <= (count > 200) ? 8'd0 : rst ? 8'd0 : count + STEP[7:0];"
    assert ("branch", chosen, "cond_then") in missed
    assert not any(text == "count <= count + STEP[7:0];" for _, text, _ in missed)
    assert all("toggles" in fault or "lines" in fault or "branches" in fault
               for fault in coverage.faults)  # fmt: skip
    page = tmp_path / "code.html"
    write_page(coverage, page)
    assert "never ran" in page.read_text()


@pytest.mark.skipif(chosen_simulator() == "icarus", reason="Icarus has no code coverage")
def test_without_coverage_nothing_is_counted(tmp_path: Path) -> None:
    run = simulated_counter(tmp_path, False, chosen_seed())
    assert run.coverage is None
    assert not list(run.folder.glob("*.dat"))


def test_the_page_marks_a_module_below_its_floor(unit: Unit, tmp_path: Path) -> None:
    page = tmp_path / "code.html"
    unit.simulated("one", (1, 3, "line", "block", "3"))
    write_page(unit.measured(), page)
    assert "lines,<br>at least 95 %" in page.read_text()
    assert '<td class="below">' not in page.read_text()
    unit.simulated("two", (0, 4, "line", "block", "4"))
    write_page(unit.measured(), page)
    assert '<td class="below">50.00</td>' in page.read_text()


def test_holes_are_named_in_words(unit: Unit) -> None:
    places = [unit.place(3, 0, "line", ""), unit.place(3, 1, "branch", "cond_else")]
    places += [unit.place(3, 2, "toggle", f"net[{bit}]") for bit in (0, 4, 5)]
    places.append(unit.place(3, 4, "toggle", "flag"))
    assert described(places) == [
        "never ran",
        "second choice of ?: never taken",
        "flag does not rise and fall",
        "net[0, 4-5] do not rise and fall",
    ]


def test_the_repository_s_exclusions_can_be_read() -> None:
    assert {path.parent.name for path in code.EXCLUSIONS} >= {"apack", "cell"}
    assert all(read_exclusions(path.read_text()) for path in code.EXCLUSIONS)


OTHER = "tb/test_unit.py::test_unit[9]"


def test_a_part_of_the_tests_is_reported_without_thresholds(
    unit: Unit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unit.file.with_name("forgotten.v").write_text("line\n")
    unit.simulated("one", (0, 3, "line", "block", "3"))
    assert reported(unit, monkeypatch) == 1
    capsys.readouterr()
    monkeypatch.setattr(command, "RUNS", unit.runs)
    files = code.coverage_files(unit.runs)

    def report_of(*tests: str) -> int:
        monkeypatch.setattr(command, "coverage_files", lambda: files)
        monkeypatch.setattr(command, "tests_there", lambda simulator: {TEST, *tests})
        return command.report()

    assert report_of(OTHER) == 0
    output = capsys.readouterr().out
    assert "0.00 % of lines (99 %)" in output
    assert output.endswith("coverage: partial, of 1 of 2 hardware tests: thresholds do not apply\n")
    page = (unit.runs / "coverage" / "code.html").read_text()
    assert "1 of 2 hardware tests have run" in page and "not met" not in page
    assert '<td class="below">' not in page
    report = read_code_coverage(unit.runs / "coverage" / "code.json", unit.rtl)
    assert report.part == "1 of 2 hardware tests"
    # A test that has run and drives no simulation is not missing, until it does leave something.
    runs.note_without_code(unit.runs, {OTHER, TEST}, {TEST})
    assert report_of(OTHER) == 1
    assert "partial" not in capsys.readouterr().out
    runs.note_without_code(unit.runs, set(), {OTHER})
    assert report_of(OTHER) == 0


def test_an_exclusion_that_is_reached_is_a_fault_of_a_part_too(unit: Unit) -> None:
    unit.exclusions.write_text(EXCLUDED.format(name="net.*"))
    both = [(1, 8, "toggle", f"net[0]{edge}", "") for edge in (":0->1", ":1->0")]
    unit.simulated("one", *both)
    files = code.coverage_files(unit.runs)
    coverage = measure(files, {TEST, OTHER}, unit.rtl, [unit.exclusions])
    assert coverage.faults == [r"exclusion unit toggle net.*: was covered: line 8 net[0]"]
    unit.exclusions.write_text(EXCLUDED.format(name="nothing"))
    assert measure(files, {TEST, OTHER}, unit.rtl, [unit.exclusions]).faults == []


def job_with_coverage(unit: Unit, folder: Path, seed: int, test: str, *records: tuple) -> Outcome:
    """A job of a regression and what its simulation counted."""
    job = folder / "jobs" / f"seed-{seed}" / f"x-{seed}-{abs(hash(test))}"
    path = unit.simulated(f"{seed}-{abs(hash(test))}", *records)
    path.with_name("code_coverage.test").write_text(test)
    (job / "runs").mkdir(parents=True)
    path.parent.rename(job / "runs" / "x")
    return Outcome(Job(test, seed, "verilator", "x", 1, "x"), PASSED, log=str(job))


def merged(unit: Unit, folder: Path, outcomes: list[Outcome], left_out: tuple = ()) -> Merged:
    tests = sorted({outcome.job.node for outcome in outcomes})
    run = Run("verilator", 1, 1, len(tests), "here", outcomes=outcomes)
    run.nodes, run.left_out = tests, left_out
    result = merge(run, folder, state_of(unit.rtl), unit.rtl, [unit.exclusions])
    remove_jobs(folder)
    return result


def test_regressions_are_added_up_over_seeds_and_runs(unit: Unit, tmp_path: Path) -> None:
    folder = tmp_path / "regress"
    rise, fall = (2, 8, "toggle", "net[0]:0->1", ""), (3, 8, "toggle", "net[0]:1->0", "")
    none = (0, 8, "toggle", "net[0]:1->0", "")
    first = [job_with_coverage(unit, folder, seed, TEST, rise, none) for seed in (1, 2)]
    coverage = merged(unit, folder, first, (OTHER,)).coverage
    place = unit.place(8, 5, "toggle", "net[0]")
    assert coverage.counts.hits == {place: [4, 0]}
    assert coverage.part == "1 of 2 hardware tests"
    assert coverage.faults == []
    second = [job_with_coverage(unit, folder, 2, OTHER, fall)]
    result = merged(unit, folder, second, (TEST,))
    assert result.coverage.counts.hits == {place: [4, 3]}
    assert (result.coverage.part, result.coverage.faults, result.lost) == ("", [], 0)
    state = state_of(unit.rtl)
    assert result.coverage.merged == f"2 runs with 2 seeds of sources {state}"
    assert result.coverage.simulations == 3
    assert f"2 runs with 2 seeds of sources {state}" in result.page.read_text()


def test_what_other_sources_have_counted_stays_apart(unit: Unit, tmp_path: Path) -> None:
    folder = tmp_path / "regress"
    text = unit.file.read_text()
    merged(unit, folder, [job_with_coverage(unit, folder, 1, TEST, (5, 3, "line", "block", "3"))])
    unit.file.write_text(text + "line 21;\n")
    other = [job_with_coverage(unit, folder, 2, TEST, (0, 3, "line", "block", "3"))]
    coverage = merged(unit, folder, other).coverage
    assert coverage.totals["line"].covered == 0
    assert coverage.merged.endswith("; 1 run of other sources left out")
    unit.file.write_text(text)  # with a newer date
    back = [job_with_coverage(unit, folder, 3, TEST, (0, 3, "line", "block", "3"))]
    coverage = merged(unit, folder, back).coverage
    assert coverage.totals["line"].covered == 1
    assert coverage.merged.startswith("2 runs with 2 seeds of sources")


def test_sources_that_change_during_a_run_are_told(unit: Unit, tmp_path: Path) -> None:
    outcomes = [job_with_coverage(unit, tmp_path, 1, TEST, (5, 3, "line", "block", "3"))]
    state = state_of(unit.rtl)
    unit.file.write_text("line 1;\n")
    run = Run("verilator", 1, 1, 1, "here", outcomes=outcomes)
    with pytest.raises(CoverageError, match="the sources have changed during the run"):
        merge(run, tmp_path, state, unit.rtl, [unit.exclusions])


def test_coverage_that_has_not_come_back_from_a_worker_is_told(unit: Unit, tmp_path: Path) -> None:
    folder = tmp_path / "regress"
    here = job_with_coverage(unit, folder, 1, TEST, (5, 3, "line", "block", "3"))
    there = Outcome(Job(TEST, 2, "verilator", "x", 1, "x"), PASSED, log="elsewhere")
    assert merged(unit, folder, [here, there]).lost == 1


def test_a_regression_with_coverage_needs_verilator(capsys: pytest.CaptureFixture[str]) -> None:
    assert regress_main(["--sim", "icarus", "--coverage", "--test", "cell_crc32"]) == 2
    assert capsys.readouterr().err == (
        "regress: Icarus has no code coverage: COVERAGE=1 needs SIM=verilator\n"
    )
