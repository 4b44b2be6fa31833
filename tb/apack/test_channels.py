"""Runs the cocotb tests of the channels, an engine with its buffers, on the simulator of SIM.

The tests of module M are in tb/apack/M.py. One pytest test is one simulation: a module, one set
of parameters, all its cocotb tests. ROUNDS=n in the environment makes the random ones longer.
"""

from __future__ import annotations

import os

import pytest

from tb.sim.cocotb_run import (
    chosen_coverage,
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    run_cocotb,
)
from tb.sim.modules import rtl_sources

# Icarus takes long for the wide ones: one round of those, more of the narrow ones
ICARUS_ROUNDS = {"two-smallest": "6", "five-narrow": "2", "six-one-row": "2"}

CODER = ("STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W")

# module -> its parameters, and sets of their values by name
CHANNELS: dict[str, tuple[tuple[str, ...], dict[str, tuple[int, ...]]]] = {
    "apack_encoder_channel": (
        (*CODER, "WORD_W", "LANES", "BLOCK_VALUES"),
        {
            "one": (1, 8, 16, 10, 16, 16, 64, 8, 32),
            "two-smallest": (2, 2, 2, 1, 3, 4, 16, 1, 8),
            "three-small": (3, 7, 4, 5, 7, 8, 8, 4, 16),
            "three-wide": (3, 16, 32, 14, 16, 32, 64, 4, 16),
            "four": (4, 8, 16, 10, 16, 16, 64, 8, 32),
            "five-narrow": (5, 5, 5, 6, 8, 8, 16, 4, 32),
            "eight": (8, 8, 16, 10, 16, 16, 32, 8, 16),
        },
    ),
    "apack_decoder_channel": (
        (*CODER, "PIECES", "LANES", "BLOCK_VALUES"),
        {
            "one": (1, 8, 16, 10, 16, 16, 4, 8, 128),
            "two-smallest": (2, 2, 2, 1, 3, 3, 1, 1, 8),
            "three-narrow": (3, 3, 3, 2, 4, 4, 2, 2, 8),
            "three-wide": (3, 16, 6, 14, 16, 32, 2, 4, 8),
            "four": (4, 8, 16, 10, 16, 16, 4, 8, 32),
            "five-narrow": (5, 4, 5, 6, 8, 8, 2, 2, 32),
            "six-one-row": (6, 12, 1, 4, 10, 16, 1, 8, 8),
            "seven-long-code": (7, 7, 11, 16, 20, 24, 1, 16, 16),
            "eight": (8, 8, 16, 10, 16, 16, 4, 8, 16),
        },
    ),
}


@pytest.mark.parametrize(
    ("top", "name"),
    [
        pytest.param(top, name, id=f"{top}-{name}")
        for top, (_, sets) in CHANNELS.items()
        for name in sets
    ],
)
def test_channel(top: str, name: str) -> None:
    names, sets = CHANNELS[top]
    fewer = ICARUS_ROUNDS.get(name, "1") if chosen_simulator() == "icarus" else None
    rounds = os.environ.get("ROUNDS") or fewer
    run_cocotb(
        top,
        rtl_sources(top),
        f"tb.apack.{top}",
        dict(zip(names, sets[name], strict=True)),
        chosen_simulator(),
        chosen_seed(),
        chosen_waves(),
        extra_env={"ROUNDS": rounds} if rounds else None,
        coverage=chosen_coverage(),
    )
