# SPDX-License-Identifier: Apache-2.0
"""make env and make shell: Verilator and cocotb by hand, outside of what runs the tests here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import environment as command
from scripts.runs.collect import ROOT
from scripts.start import HOLDER
from scripts.tests.counter_checks import COUNTER
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.tools import ToolMissing, find_simulator

CHECKS = """
import cocotb
from cocotb.triggers import Timer

@cocotb.test()
async def counts(dut):
    dut.rst.value, dut.clk.value = 1, 0
    for _ in range(3):
        await Timer(5, "ns")
        dut.clk.value = 1
        await Timer(5, "ns")
        dut.clk.value, dut.rst.value = 0, 0
    assert int(dut.count.value) == 2
"""
MAKEFILE = """
VERILOG_SOURCES = counter.v
COCOTB_TOPLEVEL = counter
COCOTB_TEST_MODULES = checks
include $(shell cocotb-config --makefiles)/Makefile.sim
"""
RUNNER = """
import sys
from cocotb_tools.runner import get_runner

runner = get_runner(sys.argv[1])
runner.build(sources=["counter.v"], hdl_toplevel="counter", timescale=("1ns", "1ps"))
runner.test(hdl_toplevel="counter", test_module="checks")
"""
HELLO = 'module hello; initial begin $display("hello"); #5 $finish; end endmodule'
BY_HAND = """
verilator --version
verilator --lint-only -Wno-fatal counter.v
verilator --binary hello.sv
obj_dir/Vhello
"""
FLOWS = {"make": "make SIM={sim}", "runner": "python runner.py {sim}"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a user's own, with a design, its test and both flows of cocotb."""
    files = {"counter.v": COUNTER, "checks.py": CHECKS, "Makefile": MAKEFILE, "runner.py": RUNNER}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def by_hand(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the lines of a shell script in the environment that is printed, and in little else."""
    lines = f'eval "$(cd {ROOT} && {sys.executable} -m scripts.environment)"\nset -e\n{script}\n'
    own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own["MAKEFLAGS"] = "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"  # three builds that nobody keeps
    return subprocess.run(
        ["sh", "-c", lines], cwd=folder, env=own, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS)
def test_the_flows_of_cocotb_work(folder: Path, flow: str) -> None:
    done = by_hand(FLOWS[flow].format(sim=chosen_simulator()), folder)
    assert done.returncode == 0, done.stdout
    assert "PASS=1 FAIL=0" in done.stdout


def test_verilator_works(folder: Path) -> None:
    (folder / "hello.sv").write_text(HELLO)
    done = by_hand(BY_HAND, folder)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert tuple(map(int, lines[0].split()[1].split("."))) >= (5, 36), "cocotb asks for it"
    assert "hello" in lines


def test_a_shell_has_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.environment", "--shell"], cwd=ROOT, text=True,
        env={**os.environ, "SHELL": "/bin/sh", HOLDER: "1"}, capture_output=True,
        input=f"command -v cocotb-config\nverilator --version\necho run=${HOLDER}\n",
    )  # fmt: skip
    banner, cocotb, verilator, run = done.stdout.splitlines()
    assert run == "run=", "what is started in the shell would not wait for another run"
    assert cocotb == str(ROOT / ".venv" / "bin" / "cocotb-config")
    assert verilator.startswith("Verilator 5.") and "exit leaves" in banner


def test_make_in_that_shell_finds_the_same_verilator(monkeypatch) -> None:
    """What is put on PATH is no other Verilator: builds would be made twice."""
    find_simulator.cache_clear()
    before = find_simulator("verilator")
    monkeypatch.setenv("PATH", command.environment_of(before)["PATH"])
    find_simulator.cache_clear()
    assert find_simulator("verilator") == before
    find_simulator.cache_clear()


def test_no_verilator_is_one_line(monkeypatch, capsys) -> None:
    def missing(name: str) -> None:
        raise ToolMissing(f"no {name} here")

    monkeypatch.setattr(command, "find_simulator", missing)
    assert command.main([]) == 2
    assert capsys.readouterr() == ("", "environment: no verilator here\n")
