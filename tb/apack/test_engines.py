"""Runs the cocotb tests of the engines and of their parts on the simulator of SIM.

The tests of module M are in tb/apack/M.py. One pytest test is one simulation: a module, one set
of parameters, all its cocotb tests. ROUNDS=n in the environment makes the random ones longer.
Icarus, which takes a thousand times as long as Verilator for a cycle of a large engine, does fewer
of its own accord.
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

ICARUS_ROUNDS = {"apack_encoder_engine": "2", "apack_decoder_engine": "1", "apack_search_loop": "2"}

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

LOOPS = ("STREAMS", "COUNT_W", "CODE_W", "TAG_W")
SEARCH = ("STREAMS", "SYMBOLS", "COUNT_W", "CODE_W", "TAG_W")

# module -> parameters and the sets of their values
PARTS: dict[str, tuple[tuple[str, ...], list[tuple[int, ...]]]] = {
    "apack_carry_save": (
        ("ROWS", "LEFT_ROWS", "ROW_W"),
        [(3, 2, 4), (2, 2, 5), (13, 2, 12), (13, 6, 27), (19, 2, 37)],
    ),
    "apack_cut": (("CUT", "DATA_W"), [(1, 9), (0, 9)]),
    "apack_cut_reset": (("CUT", "DATA_W"), [(1, 9), (0, 9)]),
    "apack_ring": (("STREAMS", "STATE_W"), [(1, 5), (2, 1), (5, 8)]),
    "apack_distance": (("COUNT_W", "CODE_W"), [(10, 16), (1, 3), (3, 5), (7, 20), (14, 16)]),
    "apack_shift_end": (("CODE_W",), [(16,), (3,), (7,), (20,)]),
    "apack_interval_loop": (
        LOOPS,
        [(1, 1, 3, 12), (2, 6, 8, 12), (6, 10, 16, 12), (8, 16, 20, 12)],
    ),
    "apack_search_loop": (
        SEARCH,
        [
            (1, 2, 1, 3, 12),
            (3, 5, 6, 8, 12),
            (6, 16, 10, 16, 12),
            (7, 1, 7, 10, 12),
            (8, 32, 14, 16, 12),
        ],
    ),
    "apack_stream_packer": (
        ("STREAMS", "IN_W", "WORD_W"),
        [(4, 8, 16), (1, 16, 16), (3, 2, 3), (8, 7, 20)],
    ),
    "apack_stream_pending": (
        ("STREAMS", "CODE_W", "WORD_W", "PENDING_W"),
        [(4, 16, 16, 16), (1, 3, 3, 5), (3, 8, 13, 7), (2, 16, 32, 5)],
    ),
    "apack_stream_window": (
        ("STREAMS", "OUT_W", "WORD_W", "LEAST", "SHOW", "AHEAD"),
        [
            (4, 16, 16, 12, 1, 4),
            (1, 8, 8, 8, 0, 0),
            (3, 2, 3, 1, 0, 1),
            (2, 5, 16, 16, 1, 2),
            (5, 12, 12, 12, 4, 3),
        ],
    ),
}


def run(top: str, names: tuple[str, ...], values: tuple[int, ...]) -> None:
    """Run the cocotb tests of one module."""
    fewer = ICARUS_ROUNDS.get(top) if chosen_simulator() == "icarus" else None
    rounds = os.environ.get("ROUNDS") or fewer
    run_cocotb(
        top,
        rtl_sources(top),
        f"tb.apack.{top}",
        dict(zip(names, values, strict=True)),
        chosen_simulator(),
        chosen_seed(),
        chosen_waves(),
        extra_env={"ROUNDS": rounds} if rounds else None,
        coverage=chosen_coverage(),
    )


@pytest.mark.parametrize("values", ENGINE_SETS.values(), ids=ENGINE_SETS)
@pytest.mark.parametrize("top", ["apack_encoder_engine", "apack_decoder_engine"])
def test_engine(top: str, values: tuple[int, ...]) -> None:
    run(top, ENGINE_WIDTHS, values)


@pytest.mark.parametrize(
    ("top", "values"),
    [
        pytest.param(top, values, id="-".join(map(str, (top, *values))))
        for top, (_, sets) in PARTS.items()
        for values in sets
    ],
)
def test_part(top: str, values: tuple[int, ...]) -> None:
    run(top, PARTS[top][0], values)
