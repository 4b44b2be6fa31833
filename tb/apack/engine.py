"""What the benches of the engines and of their parts share: ports on which streams take turns."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cocotb.handle import SimHandleBase

from model.apack import Bits, SymbolTable
from tb.apack.bench import Widths
from tb.apack.stimulus import hostile_values, random_values
from tb.apack.streams import Frame, Pace, StreamMonitor


@dataclass(frozen=True)
class EngineWidths(Widths):
    """The parameters of an engine; word_w is that of its words, PIECE_W."""

    streams: int

    @classmethod
    def of(cls, dut: SimHandleBase) -> EngineWidths:
        """Those that `dut` was built with; an engine sets no limit to a block's length."""
        names = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W", "STREAMS")
        *widths, streams = (int(getattr(dut, name).value) for name in names)
        return cls(*widths, block_w=16, streams=streams)

    def any_values(self, table: SymbolTable, length: int) -> np.ndarray:
        """Values of a block, one time in five hostile ones."""
        if length and random.random() < 0.2:
            return hostile_values(table, length, self.code_w)
        return random_values(table, length)


def verbatim(values: Sequence[int], value_w: int) -> Bits:
    """Values side by side, each in value_w bits, most significant first."""
    return Bits.from_bits(value >> bit & 1 for value in values for bit in reversed(range(value_w)))


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
