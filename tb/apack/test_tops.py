# SPDX-License-Identifier: Apache-2.0
"""Runs a cocotb test of the compressor and of the decompressor on hardware of other shapes.

The sets of parameters that all their tests run on are in their benches. One pytest test is one
simulation: a unit, one set of parameters, one cocotb test. ROUNDS=n in the environment makes the
random ones longer.
"""

from __future__ import annotations

import random

import pytest

from tb.sim.cocotb_run import (
    chosen_coverage,
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    run_cocotb,
)
from tb.sim.sets import bench_of

TOPS = ("apack_compressor", "apack_decompressor")

MOST_ENGINES = (64, 1, 4, 4, 5, 8, 8, 16, 4, 8)
ANY_TENSORS = {
    "apack_compressor": "compresses_any_tensors",
    "apack_decompressor": "decompresses_any_tensors",
}
LARGE_BLOCKS = (2, 3, 16, 16, 10, 16, 32, 64, 4, 4096)


def any_shape(rng: random.Random) -> tuple[int, ...]:
    """Legal parameters of small hardware, drawn at random."""
    value_w = rng.randint(2, 16)
    piece_w = rng.choice([width for width in (4, 8, 16, 32) if width >= value_w])
    code_w = rng.randint(3, min(piece_w, 24))
    count_w = rng.randint(1, min(code_w - 2, 14))
    word_w = rng.choice([width for width in (16, 32, 64) if width >= piece_w])
    lanes = rng.choice((1, 2, 4, 8))
    block_values = lanes * rng.choice((1, 2, 8, 16))
    engines, streams, symbols = rng.randint(1, 5), rng.randint(1, 8), rng.randint(1, 20)
    return (
        engines, streams, value_w, symbols, count_w, code_w, piece_w, word_w, lanes, block_values
    )  # fmt: skip


@pytest.mark.parametrize("top", TOPS)
def test_any_shape(top: str) -> None:
    """Parameters that the seed draws; what is counted of the code must not depend on it."""
    run(top, any_shape(random.Random(chosen_seed())), ANY_TENSORS[top], coverage=False)


@pytest.mark.parametrize("top", TOPS)
def test_most_engines(top: str) -> None:
    """As many engines as there may be: copies, which take minutes to build with coverage."""
    run(top, MOST_ENGINES, ANY_TENSORS[top], coverage=False)


@pytest.mark.parametrize("top", TOPS)
def test_large_blocks(top: str) -> None:
    """Blocks of so many bits that their index entries are long."""
    run(top, LARGE_BLOCKS, "handles_entries_of_both_sizes")


def run(top: str, values: tuple[int, ...], testcase: str, coverage: bool = True) -> None:
    """Run one cocotb test of a unit; `coverage` lets its code be counted."""
    bench, simulator = bench_of(top), chosen_simulator()
    run_cocotb(
        top,
        bench.sources,
        bench.test_module,
        dict(zip(bench.parameters, values, strict=True)),
        simulator,
        chosen_seed(),
        chosen_waves(),
        testcase,
        extra_env=bench.rounds(bench.mutated, simulator),
        coverage=coverage and chosen_coverage(),
    )
