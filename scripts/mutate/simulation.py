# SPDX-License-Identifier: Apache-2.0
"""The simulation of a mutated design: which mutants its bench finds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.mutate.inside import GRACE, SURVIVED, TASK, VERDICTS, Task, Verdict
from scripts.mutate.mutants import MutatedDesign
from scripts.mutate.targets import Target
from tb.sim.cocotb_run import build_cocotb, simulate_cocotb
from tb.sim.tools import find_simulator

WAIVERS = "`verilator_config\nlint_off\nlint_off -rule UNOPTFLAT\n"


class BenchFails(Exception):
    """The bench does not pass on the design as it is; the message is one line."""


def simulate(
    target: Target,
    design: MutatedDesign,
    seeds: Sequence[int],
    jobs: int,
    folder: Path,
    grace: float = GRACE,
) -> tuple[Verdict, list[Verdict]]:
    """What becomes of mutant 0, which is the design as it is, and of the others.

    All run with the first seed, and what survives with the next. Those that an interrupted run has
    left in `folder` are not run again.

    Args:
        seeds: of the tests.
        jobs: simulations at once.
        grace: seconds that any mutant may take, beside a multiple of what mutant 0 takes.

    Raises:
        BenchFails: mutant 0 does not pass.
        BuildError, ToolMissing: it cannot be simulated.
    """
    numbers = [mutant.number for mutant in design.mutants]
    found: dict[int, Verdict] = {}
    original: Verdict | None = None
    for turn, seed in enumerate(seeds):
        left = [number for number in numbers if turn == 0 or found[number].status == SURVIVED]
        if not left:
            break
        place = folder if turn == 0 else folder / f"seed-{seed}"
        place.mkdir(parents=True, exist_ok=True)
        first, verdicts = _simulate_seed(target, design, left, seed, jobs, place, grace)
        original = original or first
        found |= verdicts
    return original, [found[number] for number in numbers]


def _simulate_seed(
    target: Target,
    design: MutatedDesign,
    numbers: list[int],
    seed: int,
    jobs: int,
    folder: Path,
    grace: float,
) -> tuple[Verdict, dict[int, Verdict]]:
    done = read_verdicts(folder)
    missing = [number for number in numbers if number not in done]
    if missing or 0 not in done:
        _run(target, design, missing, seed, jobs, folder, grace)
        done = read_verdicts(folder)
    original = done.get(0)
    if original is None or original.status != SURVIVED:
        told = (
            f"{original.test or original.status}: {original.message}" if original else "no result"
        )
        raise BenchFails(
            f"{target.test_module} fails on {target.module} as it is, seed {seed}: {told}"
        )
    if any(number not in done for number in numbers):
        raise BenchFails(f"the simulation of {target.module} ended early, see {folder / 'sim.log'}")
    return original, {number: done[number] for number in numbers}


def read_verdicts(folder: Path) -> dict[int, Verdict]:
    """Verdicts so far, by mutant; a line that is cut short does not count."""
    path = folder / VERDICTS
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            verdict = Verdict(**json.loads(line))
        except (ValueError, TypeError):
            continue
        found[verdict.mutant] = verdict
    return found


def _run(
    target: Target,
    design: MutatedDesign,
    missing: list[int],
    seed: int,
    jobs: int,
    folder: Path,
    grace: float,
) -> None:
    waivers = folder / "waivers.vlt"
    waivers.write_text(WAIVERS, encoding="utf-8")
    sources = [waivers, design.wrapper, design.netlist]
    build = build_cocotb(target.module, sources, target.parameters, find_simulator("verilator"))
    task = folder / "task.json"
    Task(target.test_module, missing, str(folder), jobs, grace).write(task)
    environment: Mapping[str, str] = {
        TASK: str(task),
        "COCOTB_MAX_FAILURES": "1",
        "OPENBLAS_NUM_THREADS": "1",  # a fork leaves threads behind
    }
    simulate_cocotb(
        build, folder, "scripts.mutate.inside", seed, extra_env=environment, seconds=None
    )
