# SPDX-License-Identifier: Apache-2.0
"""Each module refuses at elaboration what its header forbids, by a check under its own name.

A check instantiates a module that there is not, whose name says what is needed; the values that
must meet it are ILLEGAL in the module's bench.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tb.sim.builds import parameter_flags
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.modules import verilog_text
from tb.sim.sets import Bench, bench_files, bench_of
from tb.sim.tools import Icarus, find_simulator

LIMIT_SECONDS = 120  # of an elaboration, on a busy machine
CHECK = re.compile(r"\b(\w+)\s+illegal_parameter\s*\(\s*\)\s*;")
BENCHES = {bench.module: bench for bench in map(bench_of, sorted(bench_files()))}
CHECKS = {
    module: tuple(CHECK.findall(verilog_text(bench.sources[0])))
    for module, bench in BENCHES.items()
}


@cache
def unmet(module: str, name: str) -> tuple[str, ...]:
    """The module's own checks that stop the elaboration of an illegal set."""
    found = elaborated(BENCHES[module].sources, module, BENCHES[module].illegal[name])
    assert found.returncode != 0, f"{module} takes {BENCHES[module].illegal[name]}"
    return tuple(check for check in CHECKS[module] if re.search(rf"\b{check}\b", found.stdout))


def elaborated(
    sources: tuple[Path, ...], top: str, parameters: Mapping[str, int]
) -> subprocess.CompletedProcess[str]:
    """What the simulator says of a module with these parameters."""
    simulator = find_simulator(chosen_simulator())
    flags = parameter_flags(simulator, top, parameters)
    if isinstance(simulator, Icarus):
        command, environment = [simulator.iverilog, "-g2005", "-t", "null", "-s", top], {}
    else:
        command = [simulator.executable, "--lint-only", "-Wno-fatal", "--top-module", top]
        environment = {"VERILATOR_ROOT": str(simulator.root)}
    return subprocess.run(
        [*command, *flags, *sources], env={**os.environ, **environment}, text=True,
        errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_SECONDS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bench", "name"),
    [
        pytest.param(bench, name, id=f"{module}-{name}")
        for module, bench in BENCHES.items()
        for name in bench.illegal
    ],
)
def test_refuses(bench: Bench, name: str) -> None:
    parameters, checks = bench.illegal[name], unmet(bench.module, name)
    assert checks, f"{bench.module} lets others refuse {parameters}"
    about = [check for check in checks if any(word in check for word in parameters)]
    assert about, f"{bench.module} refuses {parameters} by {checks}, which are about others"


@pytest.mark.parametrize("module", [module for module, checks in CHECKS.items() if checks])
def test_every_check_refuses_something(module: str) -> None:
    """A check without an illegal value in the bench may never have stopped anything."""
    met = {check for name in BENCHES[module].illegal for check in unmet(module, name)}
    assert sorted(set(CHECKS[module]) - met) == []


def test_every_check_has_the_name_of_its_module() -> None:
    for module, checks in CHECKS.items():
        assert all(check.startswith(f"{module}_") for check in checks)
        assert len(set(checks)) == len(checks)
    assert sum(map(len, CHECKS.values())) > 50


@pytest.mark.parametrize("module", [module for module, checks in CHECKS.items() if checks])
def test_takes_its_defaults(module: str) -> None:
    """What is refused is so for its values, not for how it is elaborated here."""
    assert elaborated(BENCHES[module].sources, module, {}).returncode == 0
