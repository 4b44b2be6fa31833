# SPDX-License-Identifier: Apache-2.0
"""What sequences draw meets what they promise, whatever the seed."""

from __future__ import annotations

import random
from types import SimpleNamespace

from tb.apack.env.expected import CAUSES
from tb.apack.env.widths import TopWidths
from tb.apack.uvm.prediction import Start, decompressed
from tb.apack.uvm.sequences import DamagedMemory, damage_of_every_cause
from tb.sim.sets import bench_of

SEEDS = 20


def test_damage_leaves_out_no_cause_and_no_block() -> None:
    parameters = bench_of("apack_compressor").sets["one-engine"]
    widths = TopWidths.of_parameters(parameters)
    sequence = DamagedMemory()
    sequence.widths, sequence.config = widths, SimpleNamespace(widths=widths, decompressor=True)
    for seed in range(SEEDS):
        random.seed(seed)
        tensor, drawn = damage_of_every_cause(sequence)
        start = Start(0, tensor.table, tensor.block, len(tensor.values))
        blocks = [decompressed(widths, start, each.memory).blocks for each in drawn]
        found = {cause for each in blocks for block in each for cause in block.causes}
        assert found == set(CAUSES), f"seed {seed}"
        bad = {number for each in blocks for number, block in enumerate(each) if block.bad}
        assert bad == set(range(tensor.blocks)), f"seed {seed}"
