# SPDX-License-Identifier: Apache-2.0
"""Runs the cocotb tests of every module on the simulator of SIM, for several parameters.

The tests of a module and the sets of its parameters are in its bench, tb/<system>/<module>.py. One
pytest test is one simulation: a module, one set of parameters, all its cocotb tests. ROUNDS=n in
the environment makes the random ones longer. Icarus, which takes a thousand times as long as
Verilator for a cycle of a large module, does fewer of its own accord.
"""

from __future__ import annotations

import pytest

from tb.sim.cocotb_run import (
    chosen_coverage,
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    run_cocotb,
)
from tb.sim.sets import Bench, bench_files, bench_of

BENCHES = [bench_of(module) for module in sorted(bench_files())]


@pytest.mark.parametrize(
    ("bench", "name"),
    [
        pytest.param(bench, name, id=f"{bench.module}-{name}")
        for bench in BENCHES
        for name in bench.sets
    ],
)
def test_module(bench: Bench, name: str) -> None:
    simulator = chosen_simulator()
    run_cocotb(
        bench.module,
        bench.sources,
        bench.test_module,
        bench.sets[name],
        simulator,
        chosen_seed(),
        chosen_waves(),
        extra_env=bench.rounds(name, simulator),
        coverage=chosen_coverage(),
    )
