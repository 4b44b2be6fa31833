# SPDX-License-Identifier: Apache-2.0
"""Damage to a tensor in memory, one kind at a time, with what a decompressor must make of it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tb.apack.env.expected import Outcome, is_possible, outcome_of
from tb.apack.env.memory_image import HEADER_BITS, MemoryImage
from tb.apack.env.top import Tensor
from tb.bus.frames import Frame

NULL = {"tdata": 0, "tkeep": 0, "tlast": 1}
# The bits of a header by field: where they begin and end.
FIELDS = {"pieces": (0, 24), "raw": (24, 25), "CRC-7": (25, 32), "CRC-32": (32, 64)}


@dataclass(frozen=True)
class Damage:
    """What is sent in place of a tensor's words.

    story: what was done.
    image: the tensor with the words that are sent in `memory`.
    """

    story: str
    image: MemoryImage
    memory: Frame

    @classmethod
    def of(cls, story: str, image: MemoryImage, memory: Frame | None = None) -> Damage:
        """Send these beats, or by default all words that an image holds now."""
        memory = image.memory_frame() if memory is None else memory
        return cls(story, image.with_frame(memory), memory)

    @cached_property
    def outcome(self) -> Outcome:
        """What must come of it."""
        return outcome_of(self.image)


def damages(tensor: Tensor) -> list[Damage]:
    """One of each kind that this tensor can have, at a random place."""
    makers = (
        _flipped_header_bits,
        _wrong_headers,
        _flipped_pieces,
        _flipped_padding,
        _moved_words,
        _exchanged_blocks,
        _ends,
    )
    return [damage for make in makers for damage in make(tensor.image)]


def _flipped_header_bits(image: MemoryImage) -> Iterator[Damage]:
    """A bit of each field, and several, which may fit the CRC-7 by chance."""
    for name, (begin, end) in FIELDS.items():
        block, bit = random.randrange(image.blocks), random.randrange(begin, end)
        yield flipped_header(image, block, [bit], f"{name}, bit {bit}")
    block = random.randrange(image.blocks)
    bits = random.sample(range(HEADER_BITS // 2), random.randint(2, 6))
    yield flipped_header(image, block, bits, f"bits {bits}")


def flipped_header(image: MemoryImage, block: int, bits: Iterable[int], what: str) -> Damage:
    """Some bits of a block's header inverted, counted from its first."""
    damaged = image.with_bits(image.starts[block], *bits)
    return Damage.of(f"header of block {block}, {what} inverted", damaged)


def _wrong_headers(image: MemoryImage) -> Iterator[Damage]:
    """Headers with a CRC-7 that fits: possible ones, which lead astray, and impossible ones."""
    block = random.randrange(image.blocks)
    header, count = image.headers[block], image.block_count(block)
    least = image.streams * -(-image.code_w // image.piece_w)
    raw = -(-count * image.table.value_w // image.piece_w)
    per_word = image.word_w // image.piece_w
    for pieces in {header.pieces - 1, header.pieces + 1, header.pieces + per_word, least, raw}:
        if pieces > 0 and pieces != header.pieces:
            yield wrong_header(image, block, pieces=pieces)
    yield wrong_header(image, block, raw=not header.raw)
    yield wrong_header(image, block, raw=not header.raw, pieces=least if header.raw else raw)
    for pieces in (0, least - 1, raw + per_word, (1 << 24) - 1):
        changed = wrong_header(image, block, pieces=pieces)
        if not is_possible(changed.image.header_at(image.starts[block]), image, count):
            yield changed


def wrong_header(image: MemoryImage, block: int, **fields: int) -> Damage:
    """A header that says something else, and has the CRC-7 for it."""
    return Damage.of(f"header of block {block} says {fields}", image.with_header(block, **fields))


def _flipped_pieces(image: MemoryImage) -> Iterator[Damage]:
    """A bit in the first pieces, in the last, and anywhere; of a coded and of a raw block."""
    for raw in (False, True):
        if blocks := [n for n, header in enumerate(image.headers) if header.raw == raw]:
            block = random.choice(blocks)
            bits = image.headers[block].pieces * image.piece_w
            for bit in (
                random.randrange(min(image.streams * image.piece_w, bits)),
                bits - random.randint(1, image.piece_w),
                random.randrange(bits),
            ):
                yield flipped_bit(image, block, bit)


def flipped_bit(image: MemoryImage, block: int, bit: int) -> Damage:
    """A bit of a block's pieces or padding inverted."""
    damaged = image.with_bits(image.starts[block] + image.header_words, bit)
    return Damage.of(f"bit {bit} of the pieces of block {block} inverted", damaged)


def _flipped_padding(image: MemoryImage) -> Iterator[Damage]:
    """A bit behind the last piece, at which the hardware does not look."""
    for block, header in enumerate(image.headers):
        bits = header.pieces * image.piece_w
        padded = image.piece_words(header.pieces) * image.word_w
        if bits < padded:
            yield flipped_bit(image, block, random.randrange(bits, padded))
            return


def _moved_words(image: MemoryImage) -> Iterator[Damage]:
    """A word too few or too many on the way: all that follows is out of step."""
    words = list(image.words)
    place = random.randrange(len(words))
    if len(words) > 1:
        yield _with_words(f"word {place} left out", image, words[:place] + words[place + 1 :])
    more = random.choice((random.getrandbits(image.word_w), words[place]))
    yield _with_words(
        f"{more:#x} before word {place}", image, [*words[:place], more, *words[place:]]
    )


def _exchanged_blocks(image: MemoryImage) -> Iterator[Damage]:
    """Two blocks in each other's place: no damage where they have the same number of values."""
    if image.blocks > 1:
        one, other = sorted(random.sample(range(image.blocks), 2))
        words = list(image.words)
        cuts = [image.starts[n] for n in (one, one + 1, other, other + 1)]
        parts = [words[a:b] for a, b in zip([0, *cuts], [*cuts, len(words)], strict=True)]
        parts[1], parts[3] = parts[3], parts[1]
        exchanged = [word for part in parts for word in part]
        yield _with_words(f"blocks {one} and {other} exchanged", image, exchanged)


def _ends(image: MemoryImage) -> Iterator[Damage]:
    """Words that end too early, in a header or behind it, between two blocks; or too late."""
    words = image.memory_frame()
    block = random.randrange(image.blocks)
    header_end = image.starts[block] + image.header_words
    kept = {0, len(words) - 1, random.randrange(len(words)), header_end, image.starts[block]}
    kept.add(random.randrange(image.starts[block], header_end))
    for count in sorted(kept):
        yield cut_short(image, count)
    surplus = [word | {"tlast": 0} for word in random.choices(words, k=random.randint(1, 40))]
    yield Damage.of(f"{len(surplus)} words too many", image, ended([*words, *surplus]))


def cut_short(image: MemoryImage, kept: int) -> Damage:
    """Only the first words; tlast comes with the last of them, or behind it."""
    words = image.memory_frame()
    closing = kept == 0 or random.random() < 0.5
    story = f"{kept} of {len(words)} words{' and a closing beat' if closing else ''}"
    return Damage.of(story, image, ended([*words[:kept], NULL] if closing else words[:kept]))


def _with_words(story: str, image: MemoryImage, words: list[int]) -> Damage:
    keep = (1 << image.word_w // 8) - 1
    return Damage.of(story, image, ended([{"tdata": word, "tkeep": keep} for word in words]))


def ended(beats: Frame) -> Frame:
    """These beats with tlast at the end only."""
    return [beat | {"tlast": int(place == len(beats) - 1)} for place, beat in enumerate(beats)]
