# SPDX-License-Identifier: Apache-2.0
"""Runs a cocotb test of the compressor and of the decompressor on hardware of other shapes.

The sets of parameters that all their tests run on are in their benches. One pytest test is one
simulation: a unit, one set of parameters, one cocotb test. ROUNDS=n in the environment makes the
random ones longer.
"""

from __future__ import annotations

import random

import pytest

from model.apack import SymbolTable
from model.apack.coder import piece_width
from tb.sim.cocotb_run import (
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    run_cocotb,
)
from tb.sim.sets import bench_of

TOPS = ("apack_compressor", "apack_decompressor")

MOST_ENGINES = {
    "ENGINES": 64, "STREAMS": 1, "VALUE_W": 4, "SYMBOLS": 4, "COUNT_W": 5, "CODE_W": 8,
    "WORD_W": 16, "LANES": 4, "BLOCK_VALUES": 8, "HOLD": 0,
}  # fmt: skip
ANY_TENSORS = {
    "apack_compressor": "compresses_any_tensors",
    "apack_decompressor": "decompresses_any_tensors",
}


def any_shape(rng: random.Random) -> dict[str, int]:
    """Legal parameters of small hardware, drawn at random."""
    value_w, code_w = rng.randint(2, 16), rng.randint(3, 32)
    count_w = rng.randint(1, min(code_w - 2, 16))
    piece_w = piece_width(SymbolTable.uniform(value_w, 1, count_w))
    lanes = rng.choice((1, 2, 4, 8))
    return {
        "ENGINES": rng.randint(1, 5),
        "STREAMS": rng.choice((1, 2, 4, 8)),
        "VALUE_W": value_w,
        "SYMBOLS": rng.randint(1, 20),
        "COUNT_W": count_w,
        "CODE_W": code_w,
        "WORD_W": rng.choice([width for width in (16, 32, 64) if width >= piece_w]),
        "LANES": lanes,
        "BLOCK_VALUES": lanes * rng.choice((1, 2, 8, 16)),
        "HOLD": rng.randint(0, 1),
    }


@pytest.mark.parametrize("top", TOPS)
def test_any_shape(top: str) -> None:
    """Parameters that the seed draws, on which what is counted of the code must not depend."""
    run(top, any_shape(random.Random(chosen_seed())), ANY_TENSORS[top])


@pytest.mark.parametrize("top", TOPS)
def test_most_engines(top: str) -> None:
    """As many engines as there may be: copies, which take minutes to build with coverage."""
    run(top, MOST_ENGINES, ANY_TENSORS[top])


def run(top: str, shape: dict[str, int], testcase: str) -> None:
    """Run one cocotb test of a unit on hardware of a shape; its code is not counted."""
    bench, simulator = bench_of(top), chosen_simulator()
    run_cocotb(
        top,
        bench.sources,
        bench.test_module,
        {name: shape[name] for name in bench.parameters},
        simulator,
        chosen_seed(),
        chosen_waves(),
        testcase,
        extra_env=bench.rounds(bench.mutated, simulator),
        coverage=False,
    )
