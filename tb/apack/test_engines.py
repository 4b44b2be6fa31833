"""Runs the cocotb tests of the engines and of their parts on the simulator of SIM.

The tests of module M are in tb/apack/M.py. One pytest test is one simulation: a module, one set
of parameters, all its cocotb tests. ROUNDS=n in the environment makes the random ones longer;
Icarus, which is slow on the engines, does fewer of its own accord.
"""

from __future__ import annotations

import os

import pytest

from scripts.rtl import rtl_sources
from scripts.simulators import chosen_seed, chosen_simulator, chosen_waves, run_cocotb

ICARUS_ROUNDS = "4"

ENGINE_WIDTHS = ("STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W")
ENGINE_SETS = {
    "one": (1, 8, 16, 10, 16, 16),
    "two-smallest": (2, 2, 2, 1, 3, 3),
    "three-wide": (3, 16, 32, 14, 16, 32),
    "four": (4, 8, 16, 10, 16, 16),
    "five-narrow": (5, 4, 5, 6, 8, 8),
    "six-one-row": (6, 12, 1, 4, 10, 13),
    "seven-long-code": (7, 7, 11, 16, 20, 24),
    "eight": (8, 8, 16, 10, 16, 16),
}


def run(top: str, names: tuple[str, ...], values: tuple[int, ...]) -> None:
    """Run the cocotb tests of one module."""
    slow = chosen_simulator() == "icarus" and not os.environ.get("ROUNDS")
    run_cocotb(
        top,
        rtl_sources(top),
        f"tb.apack.{top}",
        dict(zip(names, values, strict=True)),
        chosen_simulator(),
        chosen_seed(),
        chosen_waves(),
        extra_env={"ROUNDS": ICARUS_ROUNDS} if slow else None,
    )


@pytest.mark.parametrize("values", ENGINE_SETS.values(), ids=ENGINE_SETS)
@pytest.mark.parametrize("top", ["apack_encoder_engine", "apack_decoder_engine"])
def test_engine(top: str, values: tuple[int, ...]) -> None:
    run(top, ENGINE_WIDTHS, values)
