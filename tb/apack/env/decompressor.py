# SPDX-License-Identifier: Apache-2.0
"""The decompressor with memory and index at one side and its values compared."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tb.apack.env.damage import Damage
from tb.apack.env.top import Tensor, TopBench, sent
from tb.bus.frames import Beat, Frame


class DecompressorBench(TopBench):
    """Sends memory words and index entries, and compares the values that come out."""

    inputs = ("index", "memory")
    outputs = ("values",)

    def input_of(self, tensor: Tensor) -> dict[str, list[Beat]]:
        return {"index": tensor.image.index_frame(), "memory": tensor.image.memory_frame()}

    def beginning_of(self, tensor: Tensor) -> dict[str, list[Beat]]:
        beats = self.input_of(tensor)
        words = tensor.image.starts[1] // 2
        return {"index": beats["index"][:1], "memory": beats["memory"][:words]}

    def output_of(self, tensor: Tensor) -> dict[str, Frame]:
        return {"values": self.value_frame(tensor, ())}

    async def set_up(self, tensor: Tensor) -> None:
        await super().set_up(tensor)
        await self.unit.set_values(len(tensor.values))

    def value_frame(self, tensor: Tensor, bad: Iterable[int]) -> Frame:
        """The beats of a tensor's values when these blocks are damaged."""
        values = tensor.values.astype(np.int64)
        lanes, size, bad = self.widths.lanes, self.widths.lane_bytes, set(bad)
        frame = []
        for start in range(0, len(values), lanes):
            row, damaged = values[start : start + lanes], start // tensor.block in bad
            data = sum(int(value) << 8 * size * lane for lane, value in enumerate(row))
            frame.append(
                {
                    "tdata": 0 if damaged else data,
                    "tkeep": (1 << size * len(row)) - 1,
                    "tuser": int(damaged),
                    "tlast": int(start + lanes >= len(values)),
                }
            )
        return frame

    async def run_damaged(self, tensor: Tensor, damage: Damage) -> None:
        """Run a tensor with something wrong in memory or index; everything must be told."""
        await self.prepare(tensor)
        await self.unit.start()
        sent(self.ins["index"], damage.index)
        sent(self.ins["memory"], damage.memory)
        frame = await self.outs["values"].next_frame(self.patience(tensor))
        story = f"{damage.story}; {tensor.story()}"
        bad = {
            number * self.widths.lanes // tensor.block
            for number, beat in enumerate(frame)
            if beat.get("tuser")
        }
        try:
            self.check_values(frame, tensor, bad)
            assert damage.bad <= bad <= damage.bad | damage.maybe_bad, f"damaged blocks: {bad}"
            await self.unit.wait_idle(self.patience(tensor) // 4)
            counters = await self.unit.counters()
            causes = await self.unit.bad_cause()
            assert counters["BAD_BLOCKS"] == len(bad), counters
            assert counters["VALUES_DONE"] == len(tensor.values), counters
            assert counters["BLOCKS"] == tensor.blocks, counters
            assert counters["WORDS"] == sum(beat["tkeep"] != 0 for beat in damage.memory), counters
            if bad:
                assert counters["BAD_BLOCK"] == min(bad), counters
                damage.check_causes(causes)
            events = await self.unit.clear_events()
            assert events - damage.maybe_events == damage.events_with(bad), events
        except AssertionError as error:
            raise AssertionError(f"{story}: {error}") from None
        await self.expect_quiet()

    def check_values(self, frame: Frame, tensor: Tensor, bad: set[int]) -> None:
        """Compare a frame with the tensor's when these blocks are damaged."""
        wanted = self.value_frame(tensor, bad)
        size, lanes = self.widths.lane_bytes, self.widths.lanes
        assert len(frame) == len(wanted), f"{len(frame)} beats, expected {len(wanted)}"
        for number, (found, want) in enumerate(zip(frame, wanted, strict=True)):
            assert self.meaning(found) == want, (
                f"values: beat {number} ({size} bytes a lane, {lanes} lanes, block "
                f"{number * lanes // tensor.block}) is {found}, expected {want}"
            )

    def meaning(self, beat: Beat) -> dict[str, int]:
        """A beat with zeros in the lanes that are not kept."""
        mask = sum(0xFF << 8 * byte for byte in range(128) if beat["tkeep"] >> byte & 1)
        return dict(beat) | {"tdata": beat["tdata"] & mask}
