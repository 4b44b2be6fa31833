# SPDX-License-Identifier: Apache-2.0
"""The decompressor with memory words at one side and its values compared."""

from __future__ import annotations

from tb.apack.env.damage import Damage
from tb.apack.env.expected import BlockOutcome, Outcome
from tb.apack.env.top import Tensor, TopBench, sent
from tb.bus.frames import Beat, Frame, assert_frame


class DecompressorBench(TopBench):
    """Sends memory words, and compares the values that come out."""

    inputs = ("memory",)
    outputs = ("values",)

    def input_of(self, tensor: Tensor) -> dict[str, list[Beat]]:
        return {"memory": tensor.image.memory_frame()}

    def beginning_of(self, tensor: Tensor) -> dict[str, list[Beat]]:
        words = (tensor.image.starts[1] + tensor.image.header_words) // 2
        return {"memory": self.input_of(tensor)["memory"][:words]}

    def output_of(self, tensor: Tensor) -> dict[str, Frame]:
        image = tensor.image
        starts = range(0, len(tensor.values), tensor.block)
        blocks = [BlockOutcome(tensor.values[start : start + tensor.block]) for start in starts]
        return {"values": self.frame_of(Outcome(image, tuple(blocks), False))}

    def frame_of(self, outcome: Outcome) -> Frame:
        """The beats of the value port for what becomes of a tensor."""
        return outcome.frame(self.widths.lanes, bool(self.widths.hold))

    async def set_up(self, tensor: Tensor) -> None:
        await super().set_up(tensor)
        await self.unit.set_values(len(tensor.values))

    async def run_damaged(self, tensor: Tensor, damage: Damage) -> None:
        """Run a tensor with something wrong in memory; everything must be told."""
        await self.prepare(tensor)
        await self.unit.start()
        sent(self.ins["memory"], damage.memory)
        await self.expect_damaged(tensor, damage)
        await self.expect_quiet()

    async def expect_damaged(self, tensor: Tensor, damage: Damage) -> None:
        """Compare what comes of a damaged tensor, which is the last; clears the events."""
        outcome, story = damage.outcome, f"{damage.story}; {tensor.story()}"
        frame = await self.outs["values"].next_frame(self.patience(tensor))
        assert_frame(
            [self.meaning(beat) for beat in frame], self.frame_of(outcome), "values", story
        )
        await self.unit.wait_idle(self.patience(tensor) // 4)
        try:
            await self.expect_counters(**outcome.counters())
            causes, wanted = await self.unit.bad_cause(), outcome.first_causes()
            assert causes == wanted, f"causes {causes}, expected {set(wanted)}"
            events = await self.unit.clear_events()
            assert events == outcome.events, f"events {events}, expected {outcome.events}"
        except AssertionError as error:
            raise AssertionError(f"{error}; {story}") from None

    def meaning(self, beat: Beat) -> dict[str, int]:
        """A beat with zeros in the lanes that are not kept."""
        mask = sum(0xFF << 8 * byte for byte in range(256) if beat["tkeep"] >> byte & 1)
        return dict(beat) | {"tdata": beat["tdata"] & mask}
