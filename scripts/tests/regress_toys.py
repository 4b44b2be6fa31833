# SPDX-License-Identifier: Apache-2.0
"""Small tests that end in every way there is, for test_regress.py; not collected by themselves."""

from __future__ import annotations

import atexit
import os
import signal
import time
from pathlib import Path

import pytest

from scripts.tests.counter_checks import COUNTER
from tb.sim.breakpoints import BreakpointRefused
from tb.sim.cocotb_run import (
    chosen_coverage,
    chosen_debug,
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    run_cocotb,
)


def simulate(tmp_path: Path, **environment: str) -> None:
    source = tmp_path / "counter.v"
    source.write_text(COUNTER)
    run_cocotb(
        "counter", [source], "scripts.tests.counter_checks", {}, chosen_simulator(), chosen_seed(),
        chosen_waves(), "draws_the_seed", extra_env=environment,
    )  # fmt: skip


def test_counts(tmp_path: Path) -> None:
    simulate(tmp_path)


def test_told_to_fail(tmp_path: Path) -> None:
    simulate(tmp_path, FAIL="1")


@pytest.mark.parametrize("part", range(4))
def test_short(part: int) -> None:
    time.sleep(0.5)


def test_odd_seed_fails() -> None:
    assert chosen_seed() % 2 == 0, f"seed {chosen_seed()} is odd, at 0x{chosen_seed():X}"


def test_bad_seed_fails() -> None:
    assert chosen_seed() != 7


def test_has_no_limit(tmp_path: Path) -> None:
    simulate(tmp_path, UNLIMITED="1")


def test_counts_no_code() -> None:
    assert not chosen_coverage()


def test_has_no_terminal() -> None:
    assert not chosen_debug()
    with pytest.raises(BreakpointRefused):
        breakpoint()


def test_skips() -> None:
    pytest.skip("nothing to be done here")


def test_hangs() -> None:
    time.sleep(600)


def test_lingers() -> None:
    """Passes, but the process does not end when the test has."""
    atexit.register(time.sleep, 600)


def test_dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_dies_once() -> None:
    mark = Path(os.environ["TOY_MARK"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("way", ["at each edge", "in Python", "with nothing awaited"])
def test_simulation_hangs(tmp_path: Path, way: str) -> None:
    source = tmp_path / "counter.v"
    source.write_text(COUNTER)
    run_cocotb(
        "counter", [source], "scripts.tests.hang_checks", {}, chosen_simulator(), chosen_seed(),
        chosen_waves(), extra_env={"HANG": way},
    )  # fmt: skip


def test_hears_of_no_summary() -> None:
    assert "GITHUB_STEP_SUMMARY" not in os.environ
