# SPDX-License-Identifier: Apache-2.0
"""The compressor with values at one side and its memory words compared."""

from __future__ import annotations

from tb.apack.env.top import Tensor, TopBench, value_beats
from tb.bus.frames import Beat, Frame


class CompressorBench(TopBench):
    """Sends values and compares the memory words that come out."""

    inputs = ("values",)
    outputs = ("memory",)

    def input_of(self, tensor: Tensor) -> dict[str, list[Beat]]:
        return {"values": value_beats(tensor.values, self.widths)}

    def beginning_of(self, tensor: Tensor) -> dict[str, list[Beat]]:
        beats = self.input_of(tensor)["values"]
        return {"values": beats[: len(beats) // 2]}

    def output_of(self, tensor: Tensor) -> dict[str, Frame]:
        return {"memory": tensor.image.memory_frame()}
