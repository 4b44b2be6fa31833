# SPDX-License-Identifier: Apache-2.0
"""The checker of the test plan finds every kind of fault, and coverage is added up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import testplan
from scripts.coverage.functional import (
    CoverageError,
    Point,
    coverage_files,
    merged,
    table,
    total_percent,
)
from scripts.runs.collect import collect, name_of
from scripts.runs.evidence import Evidence, EvidenceError, cited, nodes_of, read_evidence
from scripts.testplan import (
    Feature,
    PlanError,
    check,
    is_there,
    plans,
    read_plan,
    read_plans,
)
from tb.sim.cocotb_run import chosen_simulator, folder_name
from tb.sim.modules import rtl_modules

HERE = "scripts/tests/test_testplan.py::test_a_sound_plan_has_no_fault"
FEATURE = Feature("adding", "Adds", "All sums.", (HERE,), ("adder",), ("adder.sum",))
POINTS = {"adder.sum": Point("adder.sum", {"small": 3, "large": 1})}
MODULES = {"adder"}
PASSED = Evidence(passed={HERE})


def faults(
    feature: Feature,
    points: dict[str, Point] = POINTS,
    modules: set[str] = MODULES,
    evidence: Evidence = PASSED,
    collected: list[str] | None = None,
):
    """What the checker says of a plan with one feature."""
    return check([feature], points, modules, evidence, collected or [HERE]).faults


def test_a_sound_plan_has_no_fault() -> None:
    report = check([FEATURE], POINTS, MODULES, PASSED, [HERE])
    assert report.faults == []
    assert report.features[0]["coverage"] == {"adder.sum": 100.0}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"tests": ()}, "adding: has no test"),
        (
            {"tests": (HERE, "scripts/tests/test_testplan.py::test_nothing")},
            "adding: there is no test scripts/tests/test_testplan.py::test_nothing",
        ),
        ({"tests": ("nowhere.py::test_it",)}, "adding: there is no test nowhere.py::test_it"),
        ({"tests": (f"{HERE}[carry]",)}, f"adding: there is no test {HERE}[carry]"),
        ({"owner": ("adder", "adderr")}, "adding: there is no module adderr in rtl/"),
        (
            {"cover": ("adder.sum", "adder.carry")},
            "adding: no simulation has sampled the cover point adder.carry",
        ),
    ],
)
def test_a_fault_of_a_feature_is_one_line(change: dict, fault: str) -> None:
    assert faults(replace(FEATURE, **change)) == [fault]


def test_a_feature_without_owner_leaves_its_module_alone() -> None:
    assert faults(replace(FEATURE, owner=())) == [
        "adding: has no owner",
        "module adder belongs to no feature",
    ]


def test_a_point_without_all_its_hits_is_below_the_goal() -> None:
    points = {"adder.sum": Point("adder.sum", {"small": 3, "large": 0})}
    found = faults(FEATURE, points)
    assert found == ["adding: adder.sum is at 50 % of 100 %, missing large"]
    assert faults(replace(FEATURE, goal=50), points) == []


def test_a_module_and_a_point_of_no_feature_are_named() -> None:
    points = POINTS | {"adder.carry": Point("adder.carry", {"0": 1})}
    assert faults(FEATURE, points, {"adder", "spare"}) == [
        "module spare belongs to no feature",
        "cover point adder.carry belongs to no feature",
    ]


def test_a_name_stands_once() -> None:
    found = check([FEATURE, FEATURE], POINTS, MODULES, PASSED, [HERE]).faults
    assert found == ["adding: stands 2 times in the plan"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("features: [", "no YAML"),
        ("", "no list of features"),
        ("features: []", "no list of features"),
        ("features: [one]", "feature 1 is no mapping"),
        ("features: [{name: a, title: b}]", "feature a has no description"),
        ("features: [{name: a, title: b, description: c, tests: d}]", "tests is no list of names"),
        ("features: [{name: a, title: b, description: c, test: [d]}]", "unknown key test"),
        ("features: [{name: a, title: b, description: c, goal: all}]", "goal is no int"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        read_plan(text)


def test_the_plan_names_tests_and_modules_that_are_there() -> None:
    features = read_plans(plans())
    planned = [test for feature in features for test in feature.tests]
    assert not [test for test in planned if not is_there(test)]
    collected = testplan.tests_of_pytest(features)
    in_brackets = [test for test in planned if test.endswith("]")]
    assert in_brackets
    assert not [test for test in in_brackets if not nodes_of(test, collected)]
    owned = {module for feature in features for module in feature.owner}
    assert owned == set(rtl_modules())


@pytest.mark.parametrize("path", plans(), ids=lambda path: path.parent.name)
def test_each_system_s_plan_owns_its_modules_and_no_others(path: Path) -> None:
    owned = {module for feature in read_plans([path]) for module in feature.owner}
    assert {rtl_modules()[module].parent.name for module in owned} == {path.parent.name}


def test_a_cocotb_test_is_cited_by_its_module() -> None:
    assert cited("apack_compressor::compresses_any_tensors") == (
        "tb/apack/apack_compressor.py::compresses_any_tensors"
    )
    assert cited("apack_nothing::compresses") == "apack_nothing::compresses"
    assert cited(HERE) == HERE


def test_only_tests_are_tests() -> None:
    assert is_there("tb/apack/uvm/tests.py::Tensors")
    assert is_there("tb/apack/apack_compressor.py::compresses_any_tensors")
    assert is_there(f"{HERE}[with-parameters]")
    assert not is_there("tb/apack/uvm/tests.py::TopTest")
    assert not is_there("tb/apack/apack_compressor.py::spoil")
    assert not is_there("scripts/tests/test_testplan.py::faults")
    assert not is_there("scripts/tests/test_testplan.py")


def test_no_two_tests_of_the_hardware_share_a_folder() -> None:
    tests: dict[str, list[str]] = {}
    for node in collect(None, chosen_simulator()):
        tests.setdefault(folder_name(name_of(node)), []).append(node)
    assert [nodes for nodes in tests.values() if len(nodes) > 1] == []


def write_run(folder: Path, points: object) -> Path:
    folder.mkdir()
    path = folder / "coverage.json"
    path.write_text(json.dumps({"points": points}))
    return path


def test_hits_of_several_runs_are_added(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", {"x.y": {"one": 1, "two": 0}, "x.z": {"one": 0}})
    second = write_run(tmp_path / "b", {"x.y": {"one": 2, "three": 4}})
    points = merged([first, second])
    assert points["x.y"].bins == {"one": 3, "two": 0, "three": 4}
    assert points["x.y"].missed == ["two"]
    assert points["x.y"].percent == pytest.approx(200 / 3)
    assert total_percent(points.values()) == pytest.approx(50)
    assert "missing: two" in table(points)


@pytest.mark.parametrize("content", [[], {"x": 3}, {"x": {"one": "many"}}])
def test_what_is_no_coverage_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(CoverageError, match="is no coverage of a simulation"):
        merged([write_run(tmp_path / "a", content)])


def test_coverage_counts_while_its_test_is_there(tmp_path: Path) -> None:
    tests = {
        "test/icarus/test_x-Tables": "tb/apack/uvm/test_uvm.py::test_decompressor[Tables]",
        "test/icarus/test_x-renamed": "tb/apack/uvm/test_uvm.py::test_decompressor[Tabels]",
        "test/icarus/test_x-moved": "tb/uvm/test_moved.py::test_decompressor[Tables]",
        "test/icarus/by-hand": "",
        "regress/jobs/seed-7/a-1/runs/a": "tb/apack/uvm/test_uvm.py::test_several_engines"
        "[apack_compressor-Control]",
        "regress/jobs/seed-7/b-1/runs/b": "tb/apack/uvm/test_uvm.py::test_several_engines[Control]",
    }
    for folder, test in tests.items():
        path = tmp_path / folder / "coverage.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"test": test, "points": {}}))
    counted = [str(path.parent.relative_to(tmp_path)) for path in coverage_files(tmp_path)]
    assert counted == ["test/icarus/test_x-Tables", "regress/jobs/seed-7/a-1/runs/a"]


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_torn_file_of_coverage_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "test" / "icarus" / "a" / "coverage.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(CoverageError, match=f"{path} is no coverage of a simulation"):
        coverage_files(tmp_path)


@pytest.mark.parametrize(
    ("evidence", "collected", "fault"),
    [
        (Evidence(), [HERE], f"{HERE} did not run"),
        (Evidence(skipped={HERE}), [HERE], f"{HERE} was skipped"),
        (Evidence({HERE}, {HERE: "junit.xml"}), [HERE], f"{HERE} failed: junit.xml"),
        (
            Evidence({f"{HERE}[1]"}),
            [f"{HERE}[1]", f"{HERE}[2]", f"{HERE}[3]"],
            f"{HERE}[2] and 1 more did not run",
        ),
        (
            Evidence({f"{HERE}[1]"}, {f"{HERE}[2]": "junit.xml"}),
            [f"{HERE}[1]", f"{HERE}[2]"],
            f"{HERE}[2] failed: junit.xml",
        ),
    ],
)
def test_a_test_without_a_passed_run_is_a_fault(
    evidence: Evidence, collected: list[str], fault: str
) -> None:
    assert faults(FEATURE, evidence=evidence, collected=collected) == [f"adding: {fault}"]
    assert faults(FEATURE, evidence=Evidence(set(collected)), collected=collected) == []


def test_parameters_of_a_planned_test_may_be_how_they_begin() -> None:
    nodes = [f"{HERE}[{name}]" for name in ("cut-1", "cut-2", "cut_reset-1", "cut", "ring")]
    assert nodes_of(HERE, nodes) == nodes
    assert nodes_of(f"{HERE}[cut]", nodes) == [nodes[0], nodes[1], nodes[3]]
    assert nodes_of(f"{HERE}[cut-2]", nodes) == [nodes[1]]
    assert nodes_of(f"{HERE}[ri]", nodes) == []
    feature = replace(FEATURE, tests=(f"{HERE}[cut]",))
    assert faults(feature, evidence=Evidence(set(nodes[:2])), collected=nodes) == [
        f"adding: {nodes[3]} did not run"
    ]
    assert faults(feature, evidence=Evidence(set(nodes[:4])), collected=nodes) == []


def write_cases(path: Path, cases: dict[str, str]) -> None:
    """A file of results: tests, by module::name, with what their case holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for test, outcome in cases.items():
        module, name = test.split("::")
        inside = f"<{outcome}/>" if outcome else ""
        lines.append(f'<testcase classname="{module}" name="{name}">{inside}</testcase>')
    path.write_text(f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>")


LONG = f"model.test_b::test_{'y' * 300}"


def test_results_of_pytest_and_of_its_simulations_are_read(tmp_path: Path) -> None:
    write_cases(
        tmp_path / "test" / "icarus" / "junit.xml",
        {
            "tb.test_a::test_x[1-2]": "",
            "tb.test_a::test_bad": "failure",
            "tb.test_a::test_not_there": "skipped",
            "tb.test_a::test_not_built": "error",
            LONG: "",  # of no hardware, and longer than a file's name can be
        },
    )
    for test, cases in {
        "test_x-1-2": {"tb.adder::adds": "", "tb.adder::waits": "skipped"},
        "test_bad": {"tb.adder::carries": "failure", "tb.adder::clears": ""},
        "test_not_built": {"tb.adder::earlier": ""},  # what an earlier run has left
        "test_not_run": {"tb.adder::others": ""},
    }.items():
        write_cases(tmp_path / "test" / "icarus" / test / "results.xml", cases)
    evidence = read_evidence(tmp_path)
    assert evidence.passed == {
        "tb/test_a.py::test_x[1-2]",
        "tb/adder.py::adds",
        "tb/adder.py::clears",
        LONG.replace(".", "/").replace("::", ".py::"),
    }
    assert evidence.skipped == {"tb/test_a.py::test_not_there", "tb/adder.py::waits"}
    junit, inside = (tmp_path / "test" / "icarus" / name for name in ("junit.xml", "test_bad"))
    assert evidence.failed == {
        "tb/test_a.py::test_bad": str(junit),
        "tb/test_a.py::test_not_built": str(junit),
        "tb/adder.py::carries": str(inside / "results.xml"),
    }


def test_results_of_a_regression_are_read(tmp_path: Path) -> None:
    job = tmp_path / "regress" / "jobs" / "seed-1" / "a"
    write_cases(job / "runs" / "test_x" / "results.xml", {"tb.apack.uvm.tests::Sums": ""})
    entries = [
        {"test": "tb/test_a.py::test_x", "status": "passed", "log": str(job)},
        {"test": "tb/test_a.py::test_y", "status": "timed out", "log": ""},
    ]
    path = tmp_path / "regress" / "results.json"
    path.write_text(json.dumps({"results": entries}))
    evidence = read_evidence(tmp_path)
    assert evidence.passed == {"tb/test_a.py::test_x", "tb/apack/uvm/tests.py::Sums"}
    assert evidence.failed == {"tb/test_a.py::test_y": str(path)}


@pytest.mark.parametrize("name", ["test/icarus/junit.xml", "regress/results.json"])
def test_a_torn_file_of_results_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("<")
    with pytest.raises(EvidenceError, match=f"{path} is no result of tests"):
        read_evidence(tmp_path)
