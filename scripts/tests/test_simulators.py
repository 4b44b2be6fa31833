# SPDX-License-Identifier: Apache-2.0
"""Finding simulators, caching builds, and running a toy design on the chosen simulator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from scripts.runs.collect import ROOT, collect
from scripts.tests.counter_checks import COUNTER
from tb.sim import builds, tools
from tb.sim.bench import BenchFailure, build_bench, run_bench
from tb.sim.builds import BuildError
from tb.sim.cocotb_run import CocotbFailure, CocotbRun, chosen_simulator, run_cocotb
from tb.sim.tools import ToolMissing, find_simulator
from tb.sim.waveform import Waveform

BENCH = """
`timescale 1ns / 1ps
module bench #(parameter STEP = 1) (
`ifdef OUTER_CLOCK
    input wire clk
`endif
);
`ifndef OUTER_CLOCK
    reg clk = 0;
    always #5 clk = !clk;
`endif
    reg rst = 1;
    integer clocks, cycle = 0;
    wire [7:0] count;
    counter #(.STEP(STEP)) dut (.clk(clk), .rst(rst), .count(count));
    initial begin
        $dumpfile("waves.fst");
        $dumpvars(0, bench);
        if (!$value$plusargs("clocks=%d", clocks)) $stop;
    end
    always @(negedge clk) begin
        rst = 0;
        if (cycle == clocks) begin
            $display("count %0d", count);
            $finish;
        end
        cycle = cycle + 1;
    end
endmodule
"""


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    source = tmp_path / "counter.v"
    source.write_text(COUNTER)
    return source


@pytest.fixture
def bench(tmp_path: Path, counter: Path) -> list[Path]:
    source = tmp_path / "bench.v"
    source.write_text(BENCH)
    return [source, counter]


def run_counter(counter: Path, step: int, seed: int = 1, **options: object) -> CocotbRun:
    return run_cocotb(
        "counter",
        [counter],
        "scripts.tests.counter_checks",
        {"STEP": step},
        chosen_simulator(),
        seed,
        extra_env={"STEP": str(step), **options.pop("extra_env", {})},
        **options,
    )


@pytest.mark.parametrize("step", [1, 3])
def test_cocotb_tests_see_the_parameters(counter: Path, step: int) -> None:
    run = run_counter(counter, step)
    assert [result.name for result in run.results] == ["counts_in_its_step", "draws_the_seed"]
    assert all(result.passed for result in run.results)


def test_seed_reproduces_the_stimulus(counter: Path) -> None:
    drawn = []
    for seed in (1, 1, 2):
        run = run_counter(counter, 1, seed, testcase="draws_the_seed")
        drawn.append(re.search(r"drawn (\d+)", run.log.read_text())[1])
    assert drawn[0] == drawn[1] != drawn[2]


def test_failure_says_seed_and_command(counter: Path) -> None:
    with pytest.raises(CocotbFailure) as failure:
        run_counter(counter, 1, 77, extra_env={"FAIL": "1"})
    message = str(failure.value)
    assert "draws_the_seed: told to fail" in message
    assert "counts_in_its_step" not in message
    test = "scripts/tests/test_simulators.py::test_failure_says_seed_and_command"
    variables = f"SIM={chosen_simulator()} SEED=77 TEST='{test}'"
    assert message.splitlines()[-2:] == [
        f"see it with: make waves {variables}",
        f"repeat with: make test {variables}",
    ]


def test_the_command_of_a_failure_selects_just_that_test(tmp_path: Path) -> None:
    """As a shell and make pass it on, whatever the test is called."""
    toys = "scripts/tests/named_toys.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", toys]
    # With CI or BUILD_NUMBER set, pytest's summary would have the whole messages again.
    surroundings = {key: os.environ[key] for key in os.environ.keys() - {"CI", "BUILD_NUMBER"}}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True,
        env={**surroundings, "SIM": chosen_simulator(), "SEED": "5"},
    )  # fmt: skip
    makefile = tmp_path / "Makefile"
    makefile.write_text("export TEST SEED\nwaves test:\n\t@printf '%s\\n' \"$$SEED $$TEST\"\n")
    for what in ("see it with: make waves", "repeat with: make test"):
        commands = re.findall(rf"{what} (.*)", done.stdout)
        assert len(commands) == 4, done.stdout
        for variables in commands:
            told = subprocess.run(
                f"make -f {makefile} {what.split()[-1]} {variables}",
                shell=True, capture_output=True, text=True,
            ).stdout  # fmt: skip
            seed, test = told.rstrip("\n").split(" ", 1)
            assert seed == "5" and collect(test, chosen_simulator()) == [test]


def test_wrong_hardware_fails(counter: Path) -> None:
    counter.write_text(COUNTER.replace("count +", "count -"))
    with pytest.raises(CocotbFailure, match="counts_in_its_step"):
        run_counter(counter, 1)


def test_simulation_without_results_fails(counter: Path) -> None:
    with pytest.raises(CocotbFailure, match="ended without results") as failure:
        run_cocotb("counter", [counter], "nosuch", {}, chosen_simulator(), 1)
    assert "No module named 'nosuch'" in str(failure.value)


def test_no_matching_cocotb_test_fails(counter: Path) -> None:
    with pytest.raises(CocotbFailure):
        run_counter(counter, 1, testcase="nosuch")


def test_rejected_sources_show_the_tool_s_words(counter: Path) -> None:
    counter.write_text(COUNTER.replace("8'd0", "nosuch"))
    with pytest.raises(BuildError, match="nosuch"):
        run_counter(counter, 1)


@pytest.mark.parametrize("step", [1, 5])
def test_bench_takes_parameters_and_plusargs(bench: list[Path], tmp_path: Path, step: int) -> None:
    build = build_bench("bench", bench, {"STEP": step}, chosen_simulator())
    lines: list[str] = []
    run = run_bench(build, {"clocks": 4, "bare": None}, tmp_path / "run", lines.append)
    assert f"count {4 * step}" in lines
    assert "\n".join(lines) == run.output.rstrip("\n")
    assert not (tmp_path / "run" / "waves.fst").exists()


def test_a_bench_has_the_same_waveform_on_any_simulator(bench: list[Path], tmp_path: Path) -> None:
    """Whose clock comes from outside in one of them."""
    build = build_bench("bench", bench, {}, chosen_simulator(), trace=True)
    run_bench(build, {"clocks": 4}, tmp_path / "run")
    waveform = Waveform(tmp_path / "run" / "waves.fst")
    rises = [5, 15, 25, 35, 45]
    assert [begin for _, begin in waveform.cycles()] == [waveform.time_of(ns) for ns in rises]
    assert [waveform.at("count", waveform.time_of(ns + 1)) for ns in rises] == [0, 1, 2, 3, 4]


def test_bench_that_dies_fails(bench: list[Path], tmp_path: Path) -> None:
    build = build_bench("bench", bench, {}, chosen_simulator())
    with pytest.raises(BenchFailure, match="ended with code"):
        run_bench(build, {}, tmp_path / "run")


def test_unknown_simulator() -> None:
    with pytest.raises(ToolMissing, match="unknown simulator 'vcs': SIM is icarus or verilator"):
        find_simulator("vcs")


@pytest.mark.parametrize(("version", "used"), [("5.006 2023-01-22", False), ("5.040 2025", True)])
def test_only_a_new_enough_verilator_on_path_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, used: bool
) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "verilated.cpp").touch()
    script = tmp_path / "verilator"
    script.write_text(
        f'#!/bin/sh\n[ "$1" = --getenv ] && echo "{tmp_path}" || echo "Verilator {version}"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    find_simulator.cache_clear()
    try:
        assert (find_simulator("verilator").executable == script) is used
    finally:
        find_simulator.cache_clear()


def test_missing_verilator_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_verilator_on_path", lambda: None)
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolMissing, match=r"no Verilator 5\.036 or newer on PATH"):
        tools._find_verilator()


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r"/tmp/s\303\274r/x.cpp", "/tmp/sür/x.cpp"),
        (r"\346\227\245\346\234\254 \"a\"", '日本 "a"'),
        (r"a\\303\\b\tc", "a\\303\\b\tc"),
        (r"\377", "\udcff"),
    ],
)
def test_what_verilator_writes_of_a_build_is_text(tmp_path: Path, written: str, path: str) -> None:
    plan = tmp_path / "Vtop.json"
    plan.write_text(f'{{"sources": {{"global": ["{written}"]}}, "n": 1}}', encoding="ascii")
    assert builds.read_plan(plan) == {"sources": {"global": [path]}, "n": 1}


def test_a_design_in_a_folder_of_any_letters(tmp_path: Path) -> None:
    folder = tmp_path / "sür ünï 日本 it's 50%"
    folder.mkdir()
    (folder / "counter.v").write_text(COUNTER)
    run = run_counter(folder / "counter.v", 1)
    assert all(result.passed for result in run.results)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COCOTB_TEST_FILTER", "counts"),
        ("COCOTB_TESTCASE", "draws_the_seed"),
        ("COCOTB_TEST_MODULES", "nosuch"),
        ("COCOTB_TOPLEVEL", "nosuch"),
        ("GPI_USERS", "nosuch"),
        ("PYTHONOPTIMIZE", "2"),
        ("PYTHONHOME", "/nowhere"),
        ("STEP", "9"),
        ("WAVES", "1"),
    ],
)
def test_variables_left_in_the_environment_change_no_simulation(
    counter: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    run = run_counter(counter, 3, 8)
    assert [result.name for result in run.results] == ["counts_in_its_step", "draws_the_seed"]
    assert all(result.passed for result in run.results)
    assert not list(run.folder.glob("*.fst"))


def test_a_seed_left_in_the_environment_is_not_the_seed(counter: Path, monkeypatch) -> None:
    drawn = []
    for left in (None, "5"):
        if left:
            monkeypatch.setenv("COCOTB_RANDOM_SEED", left)
        run = run_counter(counter, 1, 8, testcase="draws_the_seed")
        drawn.append(re.search(r"drawn (\d+)", run.log.read_text())[1])
    assert drawn[0] == drawn[1]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(builds, "BUILDS", tmp_path / "builds")
    return tmp_path / "builds"


def test_build_is_made_once_for_the_same_facts(cache: Path, counter: Path) -> None:
    made: list[Path] = []
    for facts in (["a", counter], ["a", counter], ["b", counter]):
        builds.cached("sim", "top", facts, made.append)
    assert len(made) == 2
    counter.write_text("changed")
    builds.cached("sim", "top", ["a", counter], made.append)
    assert len(made) == 3


def test_interrupted_build_is_made_again(cache: Path) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        builds.cached("sim", "top", ["a"], interrupted)
    assert not [path for path in (cache / "sim").iterdir() if path.is_dir()]
    folder = builds.cached("sim", "top", ["a"], lambda folder: (folder / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]


def slow_build(cache: Path) -> Path:
    """Build in another process, leaving a mark for each time it is really made."""
    builds.BUILDS = cache

    def make(folder: Path) -> None:
        time.sleep(0.3)
        with (cache / "marks").open("a") as marks:
            marks.write("x")

    return builds.cached("sim", "top", ["a"], make)


def test_parallel_processes_share_one_build(cache: Path) -> None:
    cache.mkdir()
    with ProcessPoolExecutor(4) as pool:
        folders = set(pool.map(slow_build, [cache] * 4))
    assert len(folders) == 1
    assert (cache / "marks").read_text() == "x"


def test_unused_builds_are_dropped(cache: Path) -> None:
    old = builds.cached("sim", "top", ["a"], lambda folder: None)
    other = builds.cached("sim", "other", ["a"], lambda folder: None)
    for folder in (old, other):
        builds.os.utime(folder, (0, 0))
    builds.cached("sim", "top", ["b"], lambda folder: None)
    assert not old.exists()
    assert other.exists()
