# SPDX-License-Identifier: Apache-2.0
"""What the environment is told of the unit under test; sequences and components read it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from cocotb.handle import SimHandleBase

from tb.apack.env.unit import Unit
from tb.apack.env.widths import TopWidths

INPUTS = {"compressor": ("values",), "decompressor": ("memory",)}
OUTPUTS = {"compressor": ("memory",), "decompressor": ("values",)}


@dataclass(frozen=True)
class TopConfig:
    """One top: its signals, its parameters, and which of its ports are which.

    kind: "compressor" or "decompressor".
    unit: the register bus with the map of the registers.
    """

    dut: SimHandleBase
    kind: str
    widths: TopWidths
    unit: Unit

    @classmethod
    def of(cls, dut: SimHandleBase) -> Self:
        """The configuration for the top that is simulated."""
        return cls(dut, dut._name.removeprefix("apack_"), TopWidths.of(dut), Unit(dut))

    @property
    def decompressor(self) -> bool:
        """Whether the unit decompresses."""
        return self.kind == "decompressor"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Streams into the unit."""
        return INPUTS[self.kind]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Streams out of the unit."""
        return OUTPUTS[self.kind]
