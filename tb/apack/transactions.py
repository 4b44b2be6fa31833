# SPDX-License-Identifier: Apache-2.0
"""What passes ports of APack as text: registers, values with symbols, headers and pieces."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from model.apack.blocks import HEADER_BYTES, BlockHeader
from model.errors import CorruptStream
from tb.apack.env.register_map import register_map
from tb.bus.register_map import Register
from tb.sim.transactions import Bus, Reader, Sampled, Stream
from tb.sim.waveform import BUS, Group, Waveform

STATE = r".*(engine|interval|search|pending|loop)\w*_inst"  # instances with the state of the coders


@dataclass
class Tables:
    """The symbol tables as they were loaded, by bank: lowest value of each group."""

    bases: dict[int, list[int]] = field(default_factory=dict)
    bank: int = 0
    block: int = 0  # values in a block; 0 when unknown

    _partial: list[int] = field(default_factory=list)

    def add(self, base: int, bank: int, last: bool) -> None:
        """Take one row."""
        self._partial.append(base)
        if last:
            self.bases[bank], self._partial = self._partial, []

    def symbol(self, value: int) -> int | None:
        """The symbol of a value in the table in use; None when there is none."""
        bases = self.bases.get(self.bank)
        return bisect_right(bases, value) - 1 if bases else None


def readers(waveform: Waveform, groups: Sequence[Group]) -> dict[str, Reader]:
    """The readers of the streams and of the register bus, by the start of their ports' names."""
    tables = Tables(block=waveform.parameters.get("BLOCK_VALUES", 0))
    return {
        group.stream: _Registers(tables)
        if group.stream == BUS
        else _Stream(waveform, group, tables)
        for group in groups
    }


class _Registers(Bus):
    """Accesses by the names of the registers."""

    def __init__(self, tables: Tables) -> None:
        super().__init__()
        self._tables = tables
        self._map = {register.address: register for register in register_map().values()}
        self._base = 0

    def described(self, what: str, address: int, word: int) -> str:
        """The text of one access, with the fields that are not 0."""
        register = self._map.get(address & ~3)
        if register is None:
            return f"{super().described(what, address, word)} (no register)"
        fields = _fields(register, word)
        return f"{what} {register.name} = 0x{word:X}{f' ({fields})' if fields else ''}"

    def follow(self, address: int, word: int) -> None:
        """Keep what the texts of the streams need."""
        register = self._map.get(address & ~3)
        name = register.name if register else ""
        if name == "TABLE_BASE":
            self._base = word
        elif name == "TABLE_CUM":
            fields = register.fields
            self._tables.add(self._base, fields["BANK"].of(word), bool(fields["LAST"].of(word)))
        elif name == "BLOCK":
            self._tables.block = word
        elif name == "CONTROL" and register.fields["START"].of(word):
            self._tables.bank = register.fields["BANK"].of(word)


def _fields(register: Register, word: int) -> str:
    """The fields of a register that are not 0: bits by name, others with their value."""
    texts = []
    for name, field_ in register.fields.items():
        if value := field_.of(word):
            texts.append(name if field_.width == 1 else f"{name} {value}")
    return ", ".join(texts)


class _Stream(Stream):
    """Beats of values, memory words, rows of tables and blocks."""

    def __init__(self, waveform: Waveform, group: Group, tables: Tables) -> None:
        super().__init__(group)
        self._tables = tables
        self._parameters = waveform.parameters
        self._inner = "row_base" in waveform and "row_valid" in waveform
        self._words = _Words(waveform.parameters.get("COUNT_W", 10))

    def reset(self) -> None:
        """Begin a new tensor."""
        super().reset()
        self._words.restart()

    def described(self, sample: Sampled, beat: dict[str, int], data: int) -> str:
        """The text of one beat."""
        if self.kind in ("values", "value") or "value" in self.members:
            return self._values(sample, beat, data)
        if self.name.endswith("axis_memory"):
            return self._word(beat, data)
        if self.kind == "table":
            return self._row(beat, data)
        if self.kind == "block":
            return self._block(beat)
        return super().described(sample, beat, data)

    def _values(self, sample: Sampled, beat: dict[str, int], data: int) -> str:
        width = self._parameters.get("VALUE_W", 8)
        values = [data]
        if "tkeep" in beat and self.name.endswith("values"):
            size = 8 if width <= 8 else 16
            kept = beat["tkeep"].bit_count() * 8 // size
            values = [data >> size * lane & ((1 << width) - 1) for lane in range(kept)]
        elif beat.get("tkeep", 1) == 0:
            values = []
        if self._inner:
            self._tables.bases[self._tables.bank] = self._rows(sample, width)
        symbols = [self._tables.symbol(value) for value in values]
        first = self.next(len(values))
        block = self._tables.block if self.name.endswith("values") else 0
        place = f"block {first // block}, value {first}" if block else f"value {first}"
        text = f"{place}: {' '.join(map(str, values)) or 'none'}"
        return text if None in symbols or not values else f"{text} symbols {_joined(symbols)}"

    def _rows(self, sample: Sampled, width: int) -> list[int]:
        """The groups' lowest values, as the rows of the table stand at the ports."""
        valid, bases = sample("row_valid"), sample("row_base")
        return [bases >> width * row & ((1 << width) - 1) for row in range(valid.bit_count())]

    def _block(self, beat: dict[str, int]) -> str:
        told = [f"{beat['pieces']} pieces"] if "pieces" in beat else []
        told += [name for name in ("raw", "lost") if beat.get(name)]
        return ", ".join([f"block of {beat.get('count', 0)} values", *told])

    def _word(self, beat: dict[str, int], data: int) -> str:
        size = self._parameters.get("WORD_W", 64) // 8
        kept = beat.get("tkeep", 1)
        text = self._words.text(data.to_bytes(size, "little")) if kept else "no word"
        if beat.get("tlast"):
            self._words.restart()
        return text

    def _row(self, beat: dict[str, int], data: int) -> str:
        width = self._parameters.get("VALUE_W", 8)
        base, cum = data & ((1 << width) - 1), data >> width
        self._tables.add(base, self._tables.bank, bool(beat.get("tlast")))
        return f"row {self.next(1)}: base {base}, cum {cum}"


def _joined(numbers: list[int | None]) -> str:
    return " ".join(map(str, numbers))


class _Words:
    """The memory words of a tensor: headers of its blocks, and their pieces."""

    def __init__(self, count_w: int) -> None:
        self._piece_bytes = 2 if count_w <= 14 else 4
        self.restart()

    def restart(self) -> None:
        """The next word is a tensor's first."""
        self._block = -1
        self._pieces = 0  # of this block that are still to come
        self._header = b""
        self._lost = False

    def text(self, word: bytes) -> str:
        """What the next word, in the order of its bytes, holds."""
        if self._lost:
            return "behind a broken header"
        if not self._pieces:
            return self._begin(word)
        size = self._piece_bytes
        pieces = [word[at : at + size].hex().upper() for at in range(0, len(word), size)]
        kept = pieces[: self._pieces]
        self._pieces -= len(kept)
        return f"block {self._block}: {' '.join(kept)}"

    def _begin(self, word: bytes) -> str:
        self._header += word
        if len(self._header) < HEADER_BYTES:
            return f"block {self._block + 1}: header"
        data, self._header = self._header, b""
        self._block += 1
        try:
            header = BlockHeader.from_bytes(data)
        except CorruptStream:
            self._lost = True
            return f"block {self._block}: broken header"
        self._pieces = header.pieces
        raw = "raw, " if header.raw else ""
        what = f"{header.pieces} piece{'' if header.pieces == 1 else 's'}"
        return f"block {self._block}: {raw}{what}, CRC {header.crc:08X}"
