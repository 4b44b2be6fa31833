# SPDX-License-Identifier: Apache-2.0
"""Damage to a tensor in memory, one kind at a time, with what a decompressor must say of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.apack import EncodedBlock
from tb.apack.env.expected import decoder_outcome
from tb.apack.env.memory_image import MemoryImage
from tb.apack.env.top import Tensor
from tb.bus.frames import Frame

CAUSES = {
    "code_early": "CODE",
    "code_leftover": "CODE",
    "offset_early": "OFFSET",
    "offset_leftover": "OFFSET",
    "offset_illegal": "OFFSET",
}
CONSEQUENCES = frozenset({"CODE", "OFFSET", "CRC"})  # of what the decoder stumbles over
NULL = {"tdata": 0, "tkeep": 0, "tlast": 1}


@dataclass(frozen=True)
class Damage:
    """What is sent in place of a tensor's words and entries, and what must come of it.

    story: what was done.
    bad, maybe_bad: blocks that must and that may be marked.
    causes: of which the first marked block must have one.
    maybe_causes: that it may have besides.
    events, maybe_events: besides DONE, and BLOCK_BAD for a marked block.
    """

    story: str
    memory: Frame
    index: Frame
    bad: frozenset[int]
    causes: frozenset[str] = frozenset()
    maybe_causes: frozenset[str] = frozenset()
    maybe_bad: frozenset[int] = frozenset()
    events: frozenset[str] = frozenset()
    maybe_events: frozenset[str] = frozenset()

    def check_causes(self, found: set[str]) -> None:
        """Raise AssertionError unless these can be the causes of the first marked block."""
        if self.bad:
            assert found & self.causes, f"causes {found}, expected one of {set(self.causes)}"
            surplus = found - self.causes - self.maybe_causes
            assert not surplus, f"causes {found}, expected {set(self.causes)} only"

    def events_with(self, bad: set[int]) -> set[str]:
        """The events that must stand when these blocks are marked."""
        return {"DONE", *self.events, *(["BLOCK_BAD"] if bad else [])}


def damages(tensor: Tensor, code_w: int) -> list[Damage]:
    """One of each kind that this tensor can have, at a random place."""
    makers = (
        _flipped_bits,
        _wrong_crc,
        _dirty_padding,
        _wrong_lengths,
        _implausible_lengths,
        _memory_ends,
        _index_ends,
    )
    return [damage for make in makers for damage in make(tensor, code_w)]


def _flipped_bits(tensor: Tensor, code_w: int) -> Iterator[Damage]:
    """One bit of a code or offset stream, or of a raw block."""
    image = tensor.image
    for stream, raw in (("code", False), ("offset", False), ("offset", True)):
        lengths = image.code_bits if stream == "code" else image.offset_bits
        if blocks := np.flatnonzero((image.raw == raw) & (lengths > 0)).tolist():
            block = random.choice(blocks)
            bit = random.randrange(int(lengths[block]))
            damaged = image.with_stream_bit(block, stream, bit)
            story = f"bit {bit} of the {stream} stream of block {block} inverted"
            yield _judged(story, tensor, damaged, block, code_w)


def _judged(
    story: str,
    tensor: Tensor,
    damaged: MemoryImage,
    block: int,
    code_w: int,
    maybe: frozenset[str] = frozenset(),
) -> Damage:
    """Damage to the bits of one block, judged by decoding it with the model."""
    start = block * tensor.block
    wanted = tensor.values[start : start + tensor.block].tolist()
    if damaged.raw[block]:
        faults, same = frozenset(), False
    else:
        faults, same = _decoded(damaged.block(block), tensor, wanted, code_w)
    causes = frozenset(CAUSES[fault] for fault in faults) or frozenset({"CRC"})
    return Damage(
        story,
        damaged.memory_frame(),
        damaged.index_frame(),
        frozenset() if same else frozenset({block}),
        causes,
        maybe | (CONSEQUENCES if faults else frozenset()),
    )


def _decoded(
    block: EncodedBlock, tensor: Tensor, wanted: list[int], code_w: int
) -> tuple[frozenset[str], bool]:
    """The faults of a block, and whether it decodes to the values it should."""
    outcome = decoder_outcome(block, tensor.table, code_w)
    return outcome.faults, not outcome.faults and outcome.values == wanted


def _wrong_crc(tensor: Tensor, code_w: int) -> Iterator[Damage]:
    image, block = tensor.image, random.randrange(tensor.blocks)
    crc = int(image.entries["crc"][block]) ^ 1 << random.randrange(32)
    damaged = image.with_entry(block, crc=crc)
    yield Damage(
        f"CRC of block {block} is {crc:#x}",
        damaged.memory_frame(),
        damaged.index_frame(),
        frozenset({block}),
        frozenset({"CRC"}),
    )


def _dirty_padding(tensor: Tensor, code_w: int) -> Iterator[Damage]:
    """A bit behind a stream, in its last word."""
    image = tensor.image
    for stream, bits, words in (
        ("code", image.code_bits, image.code_words),
        ("offset", image.offset_bits, image.offset_words),
    ):
        if blocks := np.flatnonzero(words * image.word_w > bits).tolist():
            block = random.choice(blocks)
            bit = random.randrange(int(bits[block]), int(words[block]) * image.word_w)
            damaged = image.with_stream_bit(block, stream, bit)
            yield Damage(
                f"padding bit {bit} of the {stream} stream of block {block} set",
                damaged.memory_frame(),
                damaged.index_frame(),
                frozenset({block}),
                frozenset({"PADDING"}),
            )


def _wrong_lengths(tensor: Tensor, code_w: int) -> Iterator[Damage]:
    """An entry that is a bit off, in as many words as before."""
    image = tensor.image
    for name, bits, words in (
        ("code_bits", image.code_bits, image.code_words),
        ("offset_bits", image.offset_bits, image.offset_words),
    ):
        step = random.choice((-1, 1))
        changed = bits + step
        fits = -(-changed // image.word_w) == words
        fits &= ~image.raw & (changed >= (2 if name == "code_bits" else 0))
        if blocks := np.flatnonzero(fits).tolist():
            block = random.choice(blocks)
            damaged = image.with_entry(block, **{name: int(changed[block])})
            story = f"{name} of block {block} is {changed[block]}, not {bits[block]}"
            maybe = frozenset({"PADDING", "LENGTH"})
            yield _also(_judged(story, tensor, damaged, block, code_w, maybe | CONSEQUENCES), maybe)


def _also(damage: Damage, causes: frozenset[str]) -> Damage:
    return Damage(**{**vars(damage), "causes": damage.causes | causes})


def _implausible_lengths(tensor: Tensor, code_w: int) -> Iterator[Damage]:
    """Entries that no block can have; what follows may be out of step and so damaged too."""
    image, block = tensor.image, random.randrange(tensor.blocks)
    most = (1 << 8 * image.entries.dtype["code_bits"].itemsize) - 1
    changes = [
        {"code_bits": 1},
        {"code_bits": 0, "offset_bits": 0},
        {"code_bits": most, "offset_bits": most},
        {"offset_bits": most},
        {"code_bits": 0, "offset_bits": int(image.record.block_count(block)) + 1},
    ]
    for change in random.sample(changes, 2):
        damaged = image.with_entry(block, **change)
        in_step = damaged.starts == image.starts
        yield Damage(
            f"entry of block {block} says {change}",
            image.memory_frame(),
            damaged.index_frame(),
            frozenset({block}),
            frozenset({"LENGTH"}),
            CONSEQUENCES | {"PADDING", "TRUNCATED"},
            frozenset() if in_step else frozenset(range(block + 1, tensor.blocks)),
            maybe_events=frozenset() if in_step else frozenset({"MEMORY_LENGTH"}),
        )


def _memory_ends(tensor: Tensor, code_w: int) -> Iterator[Damage]:
    """Memory words that end too early or too late."""
    image = tensor.image
    words, index = image.memory_frame(), image.index_frame()
    kept = random.choice((0, len(words) - 1, random.randrange(len(words))))
    bad = frozenset(range(tensor.blocks)) - {
        block for block in range(tensor.blocks) if image.starts[block + 1] <= kept
    }
    closing = random.random() < 0.5 or kept == 0
    yield Damage(
        f"{kept} of {len(words)} memory words{' and a closing beat' if closing else ''}",
        ended([*words[:kept], NULL] if closing else words[:kept]),
        index,
        bad,
        frozenset({"TRUNCATED"}),
        CONSEQUENCES | {"PADDING"},
        events=frozenset({"MEMORY_LENGTH"}),
    )
    surplus = [word | {"tlast": 0} for word in random.choices(words, k=random.randint(1, 40))]
    yield Damage(
        f"{len(surplus)} memory words too many",
        ended([*words, *surplus]),
        index,
        frozenset(),
        events=frozenset({"MEMORY_LENGTH"}),
    )


def _index_ends(tensor: Tensor, code_w: int) -> Iterator[Damage]:
    """An index that ends too early or too late."""
    image = tensor.image
    words, index = image.memory_frame(), image.index_frame()
    kept = random.randrange(tensor.blocks)
    yield Damage(
        f"{kept} of {len(index)} index entries",
        words,
        ended(index[:kept] or [NULL]),
        frozenset(range(kept, tensor.blocks)),
        frozenset({"LENGTH"}),
        frozenset({"TRUNCATED"}) | CONSEQUENCES,
        events=frozenset({"INDEX_LENGTH"}),
        maybe_events=frozenset({"MEMORY_LENGTH"}),
    )
    surplus = random.choices(index, k=random.randint(1, 20))
    yield Damage(
        f"{len(surplus)} index entries too many",
        words,
        ended([*index, *surplus]),
        frozenset(),
        events=frozenset({"INDEX_LENGTH"}),
    )


def ended(beats: Frame) -> Frame:
    """These beats with tlast at the end only."""
    return [beat | {"tlast": int(place == len(beats) - 1)} for place, beat in enumerate(beats)]
