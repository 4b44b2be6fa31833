# SPDX-License-Identifier: Apache-2.0
"""The UVM tests of both tops: each selects sequences, and nothing else."""

from __future__ import annotations

from typing import ClassVar

import cocotb
import pyuvm
from pyuvm import uvm_test

from tb.apack.uvm import sequences
from tb.apack.uvm.config import TopConfig
from tb.apack.uvm.environment import Environment
from tb.bus.cycles import reset, start_clock
from tb.uvm.settings import configure


class TopTest(uvm_test):
    """Runs its sequences one after the other."""

    sequences: ClassVar[tuple[type[sequences.TopSequence], ...]] = ()

    def build_phase(self) -> None:
        self._config = TopConfig.of(cocotb.top)
        configure(self._config)
        self.environment = Environment("environment", self)

    async def run_phase(self) -> None:
        self.raise_objection()
        start_clock(self._config.dut)
        await reset(self._config.dut)
        for sequence in self.sequences:
            await sequence().start(self.environment.sequencer)
        self.drop_objection()


@pyuvm.test()
class Registers(TopTest):
    """Reset values and access."""

    sequences = (sequences.RegisterResets, sequences.RegisterAccesses)


@pyuvm.test()
class Tensors(TopTest):
    """Values of every kind at every length."""

    sequences = (
        sequences.AnyTensors,
        sequences.RealWeights,
        sequences.SparseTensors,
        sequences.AnyLengths,
        sequences.ShortBlocks,
    )


@pyuvm.test()
class Tables(TopTest):
    """Tables at the ends of what is legal, and what they do to the coder."""

    sequences = (sequences.ExtremeTables, sequences.PendingRuns)


@pyuvm.test()
class Streams(TopTest):
    """Tensors that follow each other without a pause; outputs and inputs that are slow."""

    sequences = (
        sequences.BackToBack,
        sequences.Overlaps,
        sequences.SlowOutputs,
        sequences.SlowInputs,
    )


@pyuvm.test()
class Control(TopTest):
    """ABORT, reset and refusals in every state."""

    sequences = (sequences.Aborts, sequences.Resets, sequences.Refusals)


@pyuvm.test()
class DamagedInput(TopTest):
    """Memory that was damaged; for the decompressor."""

    sequences = (sequences.DamagedMemory,)


@pyuvm.test()
class IllegalInput(TopTest):
    """Beats that are illegal; for the compressor."""

    sequences = (sequences.IllegalKeeps,)
