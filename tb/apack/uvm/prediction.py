# SPDX-License-Identifier: Apache-2.0
"""What a unit must put out for what it was given, by the reference model alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from model.apack import SymbolTable
from model.apack.container.writer import crc_of
from model.tensors import pattern_dtype
from tb.apack.env.damage import CAUSES, CONSEQUENCES
from tb.apack.env.expected import decoder_outcome
from tb.apack.env.memory_image import ENTRY_BYTES, MemoryImage
from tb.apack.env.top import CLOSING
from tb.apack.env.widths import TopWidths
from tb.bus.frames import Beat, Frame

OUT_OF_STEP = CONSEQUENCES | {"PADDING", "LENGTH", "TRUNCATED"}


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
class Verdict:
    """What is known of one block of damaged memory.

    bad: whether it must be marked; None when words and entries may be out of step.
    causes: of which it must have one; maybe_causes: that it may have besides.
    values: those it decodes to, when it is sound.
    crc: the one its entry states, None without an entry.
    """

    bad: bool | None
    causes: frozenset[str] = frozenset()
    maybe_causes: frozenset[str] = frozenset()
    values: tuple[int, ...] = ()
    crc: int | None = None


@dataclass
class Outcome:
    """What a tensor must come to.

    values: what it holds, (count,) patterns; those decoded for a decompressor, damaged ones 0.
    image: what memory holds of it.
    outputs: the frame of each output; of a decompressor once the marked blocks are known.
    aborts: whether the input itself ends the tensor (an illegal tkeep).
    """

    values: np.ndarray
    image: MemoryImage
    outputs: dict[str, Frame]
    aborts: bool = False
    verdicts: list[Verdict] = field(default_factory=list)
    events: frozenset[str] = frozenset()
    maybe_events: frozenset[str] = frozenset()


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
    outputs = {"index": image.index_frame(), "memory": image.memory_frame()}
    if not legal:  # the last of these blocks is not the tensor's last
        outputs = {port: [beat | {"tlast": 0} for beat in beats] for port, beats in outputs.items()}
    return Outcome(array, image, outputs, aborts=not legal)


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


def decompressed(widths: TopWidths, start: Start, index: Frame, memory: Frame) -> Outcome:
    """What a decompressor makes of index entries and memory words, sound or not."""
    nothing = np.zeros(start.count, pattern_dtype(widths.value_w))
    blank = widths.image(nothing, start.table, start.block)
    record = blank.record
    size = record.entry_type.itemsize
    entries = b"".join(
        beat["tdata"].to_bytes(ENTRY_BYTES, "little")[:size] for beat in index if beat["tkeep"]
    )
    words = [beat["tdata"] for beat in memory if beat["tkeep"]]
    payload = np.array(words, dtype=f"<u{record.word_bytes}").tobytes()
    image = MemoryImage.read(record, payload, entries)
    blocks = len(blank.entries)
    verdicts = list(_verdicts(widths, start, image, blocks))
    events, maybe = set(), set()
    if len(image.entries) != blocks:
        events.add("INDEX_LENGTH")
    if any(verdict.bad is None or "LENGTH" in verdict.causes for verdict in verdicts):
        maybe.add("MEMORY_LENGTH")
    elif len(words) != image.starts[blocks]:
        events.add("MEMORY_LENGTH")
    values = np.zeros(start.count, pattern_dtype(widths.value_w))
    for number, verdict in enumerate(verdicts):
        if verdict.values:
            first = number * start.block
            values[first : first + len(verdict.values)] = verdict.values
    return Outcome(values, image, {}, False, verdicts, frozenset(events), frozenset(maybe))


def _verdicts(
    widths: TopWidths, start: Start, image: MemoryImage, blocks: int
) -> Iterator[Verdict]:
    in_step = True
    for number in range(blocks):
        if number >= len(image.entries):
            yield Verdict(True, frozenset({"LENGTH"}), OUT_OF_STEP)
            continue
        crc = int(image.entries["crc"][number])
        if not in_step:
            yield Verdict(None, crc=crc, maybe_causes=OUT_OF_STEP)
        elif not _plausible(widths, image, number):
            in_step = False
            yield Verdict(True, frozenset({"LENGTH"}), OUT_OF_STEP)
        elif image.starts[number + 1] > len(image.words):
            yield Verdict(True, frozenset({"TRUNCATED"}), OUT_OF_STEP)
        else:
            yield _decoded(widths, start, image, number, crc)


def _plausible(widths: TopWidths, image: MemoryImage, number: int) -> bool:
    """Whether a block can have these lengths (docs/apack/format.md)."""
    code, offset = int(image.code_bits[number]), int(image.offset_bits[number])
    raw_bits = image.record.block_count(number) * widths.value_w
    words = int(image.code_words[number] + image.offset_words[number])
    right_raw = code > 0 or offset == raw_bits
    return right_raw and code != 1 and words <= -(-raw_bits // widths.word_w)


def _decoded(widths: TopWidths, start: Start, image: MemoryImage, number: int, crc: int) -> Verdict:
    """The verdict on a block whose words are all there."""
    causes: set[str] = set()
    if _dirty(image, number):
        causes.add("PADDING")
    if image.raw[number]:
        values, faults = _raw_values(widths, image, number), frozenset()
    else:
        outcome = decoder_outcome(image.block(number), start.table, widths.code_w)
        values, faults = outcome.values, outcome.faults
    causes |= {CAUSES[fault] for fault in faults}
    # A reader may take padding for more of the stream (docs/apack/format.md).
    maybe = CONSEQUENCES if causes and not image.raw[number] else frozenset()
    if not faults and crc_of(np.array(values, pattern_dtype(widths.value_w))) != crc:
        causes.add("CRC")
    return Verdict(
        bool(causes), frozenset(causes), frozenset(maybe), () if causes else tuple(values), crc
    )


def _dirty(image: MemoryImage, number: int) -> bool:
    """Whether a bit is set behind the streams of a block."""
    size, first = image.record.word_bytes, image.starts[number]
    middle, end = first + int(image.code_words[number]), image.starts[number + 1]
    for start, stop, bits in (
        (first, middle, int(image.code_bits[number])),
        (middle, end, int(image.offset_bits[number])),
    ):
        stream = int.from_bytes(image.payload[start * size : stop * size], "big")
        if stream & ((1 << 8 * size * (stop - start) - bits) - 1):
            return True
    return False


def _raw_values(widths: TopWidths, image: MemoryImage, number: int) -> list[int]:
    bits = str(image.block(number).offsets)
    width = widths.value_w
    return [int(bits[place : place + width], 2) for place in range(0, len(bits), width)]


def value_frame(
    widths: TopWidths, start: Start, outcome: Outcome, found: Frame
) -> tuple[Frame, set[int]]:
    """The beats a decompressor must put out, and its marked blocks.

    Where a block may be marked or not, `found` decides; values that leave unmarked there must have
    the CRC of their entry, else AssertionError.
    """
    marked = {
        place * widths.lanes // start.block for place, beat in enumerate(found) if beat["tuser"]
    }
    bad = {
        number
        for number, verdict in enumerate(outcome.verdicts)
        if verdict.bad or (verdict.bad is None and number in marked)
    }
    values = outcome.values.astype(np.int64)
    for number, verdict in enumerate(outcome.verdicts):
        if verdict.bad is None and number not in bad:
            values = _with_found_block(widths, start, values, number, verdict, found)
    size, lanes = 8 * widths.lane_bytes, widths.lanes
    frame = []
    for first in range(0, len(values), lanes):
        row, damaged = values[first : first + lanes], first // start.block in bad
        data = sum(int(value) << size * lane for lane, value in enumerate(row))
        frame.append(
            {
                "tdata": 0 if damaged else data,
                "tkeep": (1 << widths.lane_bytes * len(row)) - 1,
                "tuser": int(damaged),
                "tlast": int(first + lanes >= len(values)),
            }
        )
    return frame, bad


def _with_found_block(
    widths: TopWidths,
    start: Start,
    values: np.ndarray,
    number: int,
    verdict: Verdict,
    found: Frame,
) -> np.ndarray:
    """The values with those that came out of a block, once their CRC is that of its entry."""
    first = number * start.block
    end = min(first + start.block, len(values))
    beats = found[first // widths.lanes : -(-end // widths.lanes)]
    came = [value for beat in beats for value in _lanes(beat["tdata"], widths)][: end - first]
    if len(came) == end - first:
        crc = crc_of(np.array(came, pattern_dtype(widths.value_w)))
        assert crc == verdict.crc, f"block {number} left unmarked with values {came[:16]}"
        values = values.copy()
        values[first:end] = came
    return values


def meaning(beat: Beat) -> Beat:
    """A beat with zeros in the bytes that are not kept."""
    kept = sum(0xFF << 8 * byte for byte in range(beat["tkeep"].bit_length()) if
               beat["tkeep"] >> byte & 1)  # fmt: skip
    return dict(beat) | {"tdata": beat["tdata"] & kept}


def is_closing(beat: Beat) -> bool:
    """Whether a beat ends the frame of a tensor that was given up."""
    return beat.items() >= CLOSING.items()
