# SPDX-License-Identifier: Apache-2.0
"""What a unit must put out for what it was given, by the reference model alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.apack import SymbolTable
from model.tensors import pattern_dtype
from tb.apack.env.expected import BlockOutcome, outcome_of
from tb.apack.env.memory_image import MemoryImage
from tb.apack.env.top import CLOSING
from tb.apack.env.widths import TopWidths
from tb.bus.frames import Beat, Frame


@dataclass(frozen=True)
class Start:
    """A START that the unit must take, with what it captured; count: VALUES of a decompressor."""

    bank: int
    table: SymbolTable
    block: int
    count: int

    def story(self) -> str:
        """What it was, for a message."""
        return f"blocks of {self.block}, bank {self.bank}, table {self.table.to_json()}"


@dataclass(frozen=True)
class Outcome:
    """What a tensor must come to.

    values: what it holds, (count,) patterns; those decoded for a decompressor.
    image: what memory holds of it.
    frame: the beats of the output.
    events: besides DONE.
    counters: those that it determines.
    causes: what is wrong with the first damaged block.
    blocks: what becomes of each block of a decompressor's tensor.
    aborts: whether the input itself ends the tensor (an illegal tkeep).
    """

    values: np.ndarray
    image: MemoryImage
    frame: Frame
    events: frozenset[str]
    counters: dict[str, int]
    causes: frozenset[str] = frozenset()
    blocks: tuple[BlockOutcome, ...] = ()
    aborts: bool = False


def compressed(widths: TopWidths, start: Start, frame: Frame) -> Outcome:
    """What a compressor makes of the beats on its value port."""
    values: list[int] = []
    legal, short = True, False  # a short beat has the last values
    for beat in frame:
        kept = _kept_lanes(beat, widths)
        if kept is None or (kept and short):
            legal = False
            break
        short = short or 0 < kept < widths.lanes
        values += _lanes(beat["tdata"], widths)[:kept]
    whole = values if legal else values[: len(values) // start.block * start.block]
    array = np.array(whole, pattern_dtype(widths.value_w))
    image = widths.image(array, start.table, start.block)
    words = image.memory_frame()
    if not legal:  # the last of these blocks is not the tensor's last
        words = [beat | {"tlast": 0} for beat in words]
    counters = {
        "VALUES_DONE": len(array),
        "BITS": image.bits,
        "WORDS": len(image.words),
        "BLOCKS": image.blocks,
        "RAW_BLOCKS": int(image.raw.sum()),
        "BAD_BLOCKS": 0,
        "BAD_BLOCK": 0,
    }
    return Outcome(array, image, words, frozenset(), counters, aborts=not legal)


def _kept_lanes(beat: Beat, widths: TopWidths) -> int | None:
    """Lanes that count, None for a tkeep that is legal nowhere."""
    lane_keep = (1 << widths.lane_bytes) - 1
    kept = [
        beat["tkeep"] >> widths.lane_bytes * lane & lane_keep == lane_keep
        for lane in range(widths.lanes)
    ]
    count = sum(kept)
    return count if beat["tkeep"] == (1 << widths.lane_bytes * count) - 1 else None


def _lanes(data: int, widths: TopWidths) -> list[int]:
    size, mask = 8 * widths.lane_bytes, (1 << widths.value_w) - 1
    return [data >> size * lane & mask for lane in range(widths.lanes)]


def decompressed(widths: TopWidths, start: Start, memory: Frame) -> Outcome:
    """What a decompressor makes of memory words, sound or not."""
    shape = start.count, start.block, start.table, widths.word_w, widths.code_w, widths.streams
    found = outcome_of(MemoryImage(*shape).with_frame(memory))
    return Outcome(
        found.values,
        found.image,
        found.frame(widths.lanes, bool(widths.hold)),
        frozenset(found.events - {"DONE"}),
        found.counters(),
        found.first_causes(),
        found.blocks,
    )


def meaning(beat: Beat) -> Beat:
    """A beat with zeros in the bytes that are not kept."""
    kept = sum(0xFF << 8 * byte for byte in range(beat["tkeep"].bit_length()) if
               beat["tkeep"] >> byte & 1)  # fmt: skip
    return dict(beat) | {"tdata": beat["tdata"] & kept}


def is_closing(beat: Beat) -> bool:
    """Whether a beat ends the frame of a tensor that was given up."""
    return beat.items() >= CLOSING.items()
