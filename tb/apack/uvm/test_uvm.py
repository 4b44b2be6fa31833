# SPDX-License-Identifier: Apache-2.0
"""Runs the UVM tests of both tops on the simulator of SIM; they are in tb/apack/uvm/tests.py.

One pytest test is one simulation: a top, one set of parameters, one UVM test. ROUNDS=n in the
environment makes the random ones longer.
"""

from __future__ import annotations

import json
import os

import pytest

from tb.sim.cocotb_run import (
    chosen_coverage,
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    run_cocotb,
)
from tb.sim.sets import bench_of

ROUNDS = {"verilator": "3", "icarus": "1"}
EVERY_TOP = ("Registers", "Tensors", "Tables", "Streams", "Control")
OWN = {"apack_compressor": "IllegalInput", "apack_decompressor": "DamagedInput"}
SEVERAL_ENGINES = ("Tensors", "Streams", "Control")


@pytest.mark.parametrize("name", [*EVERY_TOP, OWN["apack_compressor"]])
def test_compressor(name: str) -> None:
    run("apack_compressor", "one-engine", name)


@pytest.mark.parametrize("name", [*EVERY_TOP, OWN["apack_decompressor"]])
def test_decompressor(name: str) -> None:
    run("apack_decompressor", "one-engine", name)


@pytest.mark.parametrize("name", SEVERAL_ENGINES)
@pytest.mark.parametrize("top", OWN)
def test_several_engines(top: str, name: str) -> None:
    run(top, "three-engines", name)


def test_held_blocks() -> None:
    """Damaged blocks that leave as zeros."""
    run("apack_decompressor", "holding", "DamagedInput")


@pytest.mark.parametrize("top", OWN)
def test_wide_values(top: str) -> None:
    """Values of two bytes."""
    run(top, "wide-values", "Tables")


def run(top: str, widths: str, name: str) -> None:
    """Run one UVM test on one top."""
    simulator, bench = chosen_simulator(), bench_of(top)
    done = run_cocotb(
        top,
        bench.sources,
        "tb.apack.uvm.tests",
        bench.sets[widths],
        simulator,
        chosen_seed(),
        chosen_waves(),
        name,
        extra_env={"ROUNDS": os.environ.get("ROUNDS") or ROUNDS[simulator]},
        coverage=chosen_coverage(),
    )
    left = json.loads((done.folder / "coverage.json").read_text(encoding="utf-8"))
    test = left["test"]  # by which it is counted
    assert os.environ["PYTEST_CURRENT_TEST"] == f"{test} (call)"
