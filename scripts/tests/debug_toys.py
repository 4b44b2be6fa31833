# SPDX-License-Identifier: Apache-2.0
"""Small tests that stop in a debugger, for test_debug.py; not collected by themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.tests.counter_checks import COUNTER
from tb.sim.cocotb_run import chosen_seed, chosen_simulator, run_cocotb


@pytest.mark.parametrize("debugger", ["breakpoint", "pdb"])
def test_stops_in_the_simulation(tmp_path: Path, debugger: str) -> None:
    source = tmp_path / "counter.v"
    source.write_text(COUNTER)
    run_cocotb(
        "counter", [source], "scripts.tests.breakpoint_checks", {}, chosen_simulator(),
        chosen_seed(), extra_env={"DEBUGGER": debugger},
    )  # fmt: skip


def test_stops_outside() -> None:
    breakpoint()
    assert os.environ["DEBUG"] == "1"
