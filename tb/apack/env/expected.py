# SPDX-License-Identifier: Apache-2.0
"""What the units must put out, from the model: the words of a stream, the decoder's beats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from model.apack import Bits, CorruptStream, EncodedBlock, Interval, SymbolTable, decode_block

# the model's words for each status bit of the decoder
FAULTS = {
    "code_early": "code stream ended early",
    "code_leftover": "code stream left over",
    "offset_early": "offset stream ended early",
    "offset_leftover": "offset stream left over",
    "offset_illegal": "outside its group",
}


@dataclass(frozen=True)
class Outcome:
    """What the decoder must make of a block.

    values: those that leave.
    faults: the status bits that are set.
    whole: whether all values of the block are among them.
    """

    values: list[int]
    faults: frozenset[str]
    whole: bool

    def frame(self) -> list[dict[str, int]]:
        """The block's beats on the value stream."""
        beats = [{"tdata": v, "tkeep": 1, "tuser": 0, "tlast": 0} for v in self.values]
        if not beats or not self.whole:
            beats.append({"tdata": 0, "tkeep": 0, "tuser": 0, "tlast": 0})
        beats[-1] |= {"tuser": int(bool(self.faults)), "tlast": 1}
        return beats


def decoder_outcome(block: EncodedBlock, table: SymbolTable, code_w: int) -> Outcome:
    """Decode a block, sound or not, and name everything wrong with the value it stops at.

    The model's decode_block stops at the first fault it finds; a value can have several, and so
    can the end of a block. This walks the block with the model's interval, and checks that the
    two agree.
    """
    outcome = _walk(block, table, code_w)
    try:
        model_values = decode_block(block, table, code_w).tolist()
    except CorruptStream as error:
        assert any(FAULTS[fault] in str(error) for fault in outcome.faults), (error, outcome)
    else:
        assert (outcome.faults, outcome.values) == (set(), model_values), outcome
    return outcome


def _walk(block: EncodedBlock, table: SymbolTable, code_w: int) -> Outcome:
    if block.code.bits < 2:
        return Outcome([], frozenset({"code_early"}), False)
    interval = Interval(code_w)
    code_bits, offset_bits = endless(block.code), endless(block.offsets)
    code = number(code_bits, code_w)
    shifts = used_offset_bits = 0
    values: list[int] = []
    while len(values) < block.count:
        symbol = _symbol_at(interval, table, code - interval.low)
        offset = number(offset_bits, table.offset_w[symbol])
        interval.narrow(table, symbol)
        for taken in interval.shifts():
            code = 2 * (code - taken) + next(code_bits)
            shifts += 1
        used_offset_bits += table.offset_w[symbol]
        faults = {
            "code_early": shifts + 2 > block.code.bits,
            "offset_early": used_offset_bits > block.offsets.bits,
            "offset_illegal": offset >= table.sizes[symbol],
        }
        if any(faults.values()):
            return Outcome(values, _names(faults), False)
        values.append(table.base[symbol] + offset)
    faults = {
        "code_leftover": shifts + 2 < block.code.bits,
        "offset_leftover": used_offset_bits < block.offsets.bits,
    }
    return Outcome(values, _names(faults), True)


def _names(faults: dict[str, bool]) -> frozenset[str]:
    return frozenset(name for name, found in faults.items() if found)


def endless(bits: Bits) -> Iterator[int]:
    """The bits, then zeros."""
    yield from bits.array().tolist()
    while True:
        yield 0


def number(bits: Iterator[int], width: int) -> int:
    """The next bits, most significant first."""
    value = 0
    for _ in range(width):
        value = 2 * value + next(bits)
    return value


def _symbol_at(interval: Interval, table: SymbolTable, distance: int) -> int:
    return next(
        symbol
        for symbol in range(table.groups)
        if distance < interval.slice_start(table.cum[symbol + 1], table.count_w)
    )


def resized(bits: Bits, length: int) -> Bits:
    """The first `length` bits, with zeros added where there are fewer."""
    return Bits.from_bits((bits.array().tolist() + [0] * length)[:length])


def flipped(bits: Bits, places: Iterable[int]) -> Bits:
    """The bits with some of them inverted."""
    array = bits.array().tolist()
    for place in places:
        array[place] ^= 1
    return Bits.from_bits(array)


def verbatim(values: Sequence[int], value_w: int) -> Bits:
    """Values side by side, each in value_w bits, most significant first."""
    return Bits.from_bits(value >> bit & 1 for value in values for bit in reversed(range(value_w)))
