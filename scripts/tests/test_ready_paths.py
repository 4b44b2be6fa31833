# SPDX-License-Identifier: Apache-2.0
"""No ready that a top puts out depends, within a cycle, on one that it is given: by structure."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tb.sim.modules import rtl_sources
from tb.sim.paths import ROOT

# The cone of an output ends at what has a clock.
CLOCKED = "$dff,$dffe,$adff,$adffe,$sdff,$sdffe,$sdffce,$mem,$mem_v2,$memrd,$memrd_v2"
SMALL = {"ENGINES": 2, "STREAMS": 2, "BLOCK_VALUES": 16}


def ready_inputs_behind(top: str, outputs: str, parameters: dict[str, int]) -> set[str]:
    """Ready inputs of `top` that reach these outputs (a Yosys pattern) without a register."""
    overrides = "".join(f" -chparam {name} {value}" for name, value in parameters.items())
    commands = [
        "read_verilog " + " ".join(f'"{path}"' for path in rtl_sources(top)),
        f"hierarchy -top {top}{overrides}",
        *("proc", "flatten", "opt_clean", "memory_collect", "log -- ports --"),
        f"select -list o:{outputs} %ci*:-{CLOCKED} i:*ready %i",
    ]
    run = [sys.executable, "-m", "scripts.yosys", *commands]
    done = subprocess.run(run, cwd=ROOT, text=True, capture_output=True, check=True)
    lines = done.stdout.split("-- ports --")[-1].split()
    return {line.split("/")[-1] for line in lines if line.startswith(f"{top}/")}


@pytest.mark.parametrize("top", ["apack_compressor", "apack_decompressor"])
def test_tops_have_none(top: str) -> None:
    assert ready_inputs_behind(top, "*ready", SMALL) == set()


def test_one_that_is_there_is_found() -> None:
    assert ready_inputs_behind("cell_gearbox", "s_ready", {}) == {"m_ready"}
