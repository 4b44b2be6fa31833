# SPDX-License-Identifier: Apache-2.0
"""Ports that several streams share, taking turns: their words, and a monitor."""

from __future__ import annotations

from cocotb.handle import SimHandleBase

from model.bitstream.bits import Bits
from tb.bus.frames import Frame
from tb.bus.pace import Pace
from tb.bus.streams import StreamMonitor


def turn_frame(bits: Bits, word_w: int) -> Frame:
    """The words of a bit string: full ones, then a last one with what is left, maybe nothing."""
    words, full = bits.words(word_w).tolist(), bits.bits // word_w
    left = bits.bits % word_w
    beats = [{"data": word, "count": word_w, "last": 0} for word in words[:full]]
    return [*beats, {"data": words[full] if left else 0, "count": left, "last": 1}]


class TurnMonitor(StreamMonitor):
    """Collects the words of a port that several streams share, each stream's frames on their own.

    `of_stream[n]` are the frames of stream n, as turn_frame gives them.
    """

    _signals = ("valid", "ready")
    _optional_signals = ("stream", "data", "count", "last")

    def __init__(
        self, entity: SimHandleBase, name: str, streams: int, pace: Pace | None = None
    ) -> None:
        self.of_stream: list[list[Frame]] = [[] for _ in range(streams)]
        self._under_way: list[Frame] = [[] for _ in range(streams)]
        super().__init__(entity, name, pace)

    def abort(self) -> None:
        """Forget what has come, the frames under way included."""
        for frames in (*self.of_stream, *self._under_way):
            frames.clear()

    def _keep(self, beat: dict[str, int]) -> None:
        word = dict(beat)
        stream = word.pop("stream")
        assert stream < len(self.of_stream), f"{self.name}: a word of stream {stream}"
        self._under_way[stream].append(word)
        if word["last"]:
            self.of_stream[stream].append(self._under_way[stream])
            self._under_way[stream] = []
            self.ended += 1
