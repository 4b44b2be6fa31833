"""What passes a port as text: registers by name, values with symbols, words, index entries."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tb.apack.env.register_map import register_map

from scripts.waves.signals import BUS, Group, Waveform
from tb.bus.register_map import Register

Sample = Callable[[str], int]
LONG_ENTRY_KEEP = 0xFFF  # an index entry of three 32-bit fields; else 16, 16 and 32 bits


@dataclass(frozen=True)
class Note:
    """A text beside the signals from `begin` to `end`, in units of the waveform's time."""

    begin: int
    end: int
    text: str


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


def transactions(waveform: Waveform, groups: list[Group]) -> dict[str, list[Note]]:
    """The texts of each stream and of the register bus, by the start of its ports' names."""
    tables = Tables(block=waveform.parameters.get("BLOCK_VALUES", 0))
    readers = {}
    for group in groups:
        if group.stream == BUS:
            readers[BUS] = _Registers(tables)
        elif group.stream:
            readers[group.stream] = _Stream(waveform, group, tables)
    notes: dict[str, list[Note]] = {name: [] for name in readers}
    for begin, end in waveform.cycles():

        def sample(name: str, time: int = max(end - 1, 0)) -> int:
            return waveform.at(name, time)

        if "rst" in waveform and sample("rst"):
            for reader in readers.values():
                reader.reset()
            continue
        for name, reader in readers.items():
            if text := reader.read(sample):
                notes[name].append(Note(begin, end, text))
    return notes


class _Registers:
    """Writes and reads of the register bus, in the cycle that completes them."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._map = {register.address: register for register in register_map().values()}
        self._write: list[int | None] = [None, None]  # address, data
        self._read_address = 0
        self._base = 0

    def reset(self) -> None:
        """Forget what is not complete."""
        self._write = [None, None]

    def read(self, sample: Sample) -> str:
        """The text of this cycle; empty when nothing is complete."""
        texts = [*self._written(sample), *self._was_read(sample)]
        return "; ".join(texts)

    def _written(self, sample: Sample) -> Iterator[str]:
        for place, (channel, data) in enumerate((("aw", "awaddr"), ("w", "wdata"))):
            if _passes(sample, f"{BUS}_{channel}"):
                self._write[place] = sample(f"{BUS}_{data}")
        address, word = self._write
        if address is not None and word is not None:
            self._write = [None, None]
            yield self._described("write", address, word)
            self._follow(address, word)

    def _was_read(self, sample: Sample) -> Iterator[str]:
        if _passes(sample, f"{BUS}_r"):
            yield self._described("read", self._read_address, sample(f"{BUS}_rdata"))
        if _passes(sample, f"{BUS}_ar"):
            self._read_address = sample(f"{BUS}_araddr")

    def _described(self, what: str, address: int, word: int) -> str:
        register = self._map.get(address & ~3)
        if register is None:
            return f"{what} 0x{address:02X} = 0x{word:X} (no register)"
        fields = _fields(register, word)
        return f"{what} {register.name} = 0x{word:X}{f' ({fields})' if fields else ''}"

    def _follow(self, address: int, word: int) -> None:
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


class _Stream:
    """The beats of one stream."""

    def __init__(self, waveform: Waveform, group: Group, tables: Tables) -> None:
        self._name = group.stream
        self._members = {name.removeprefix(f"{group.stream}_") for name in group.signals}
        self._tables = tables
        self._parameters = waveform.parameters
        self._inner = "row_base" in waveform and "row_valid" in waveform
        self._count = 0  # values, words or entries of this tensor so far

    def reset(self) -> None:
        """Begin a new tensor."""
        self._count = 0

    def read(self, sample: Sample) -> str:
        """The text of this cycle; empty when no beat is taken."""
        if not self._passes(sample):
            return ""
        kind = self._name.rsplit("_", 1)[-1]
        beat = {name: sample(f"{self._name}_{name}") for name in self._members}
        data = beat.get("tdata", beat.get("data", beat.get("value", 0)))
        if kind in ("values", "value") or "value" in self._members:
            text = self._values(sample, beat, data)
        elif kind == "index":
            text = self._entry(beat, data)
        elif kind == "table":
            text = self._row(beat, data)
        elif kind == "block":
            text = f"block of {data} values"
        else:
            text = f"{kind} {self._next(1)}: 0x{data:X}"
        extra = [f"stream {beat['stream']}"] if "stream" in beat else []
        extra += [name.lstrip("t") for name in ("tlast", "last", "end") if beat.get(name)]
        if beat.get("tlast") or ("stream" not in beat and beat.get("last")):
            self._count = 0
        return ", ".join([text, *extra])

    def _passes(self, sample: Sample) -> bool:
        valid = "tvalid" if "tvalid" in self._members else "valid"
        ready = valid.replace("valid", "ready")
        taken = sample(f"{self._name}_{ready}") if ready in self._members else 1
        return bool(sample(f"{self._name}_{valid}") and taken)

    def _next(self, count: int) -> int:
        first = self._count
        self._count += count
        return first

    def _values(self, sample: Sample, beat: dict[str, int], data: int) -> str:
        width = self._parameters.get("VALUE_W", 8)
        values = [data]
        if "tkeep" in beat and self._name.endswith("values"):
            size = 8 if width <= 8 else 16
            kept = beat["tkeep"].bit_count() * 8 // size
            values = [data >> size * lane & ((1 << width) - 1) for lane in range(kept)]
        elif beat.get("tkeep", 1) == 0:
            values = []
        if self._inner:
            self._tables.bases[self._tables.bank] = self._rows(sample, width)
        symbols = [self._tables.symbol(value) for value in values]
        first = self._next(len(values))
        block = self._tables.block if self._name.endswith("values") else 0
        place = f"block {first // block}, value {first}" if block else f"value {first}"
        text = f"{place}: {' '.join(map(str, values)) or 'none'}"
        return text if None in symbols or not values else f"{text} symbols {_joined(symbols)}"

    def _rows(self, sample: Sample, width: int) -> list[int]:
        """The groups' lowest values, as the rows of the table stand at the ports."""
        valid, bases = sample("row_valid"), sample("row_base")
        return [bases >> width * row & ((1 << width) - 1) for row in range(valid.bit_count())]

    def _entry(self, beat: dict[str, int], data: int) -> str:
        if not beat.get("tkeep", 1):
            return "no entry"
        size = 32 if beat.get("tkeep") == LONG_ENTRY_KEEP else 16
        code, offset = data & ((1 << size) - 1), data >> size & ((1 << size) - 1)
        crc = data >> 2 * size & 0xFFFFFFFF
        what = f"code {code} bits, offsets {offset} bits" if code else f"raw, {offset} bits"
        return f"block {self._next(1)}: {what}, CRC {crc:08X}"

    def _row(self, beat: dict[str, int], data: int) -> str:
        width = self._parameters.get("VALUE_W", 8)
        base, cum = data & ((1 << width) - 1), data >> width
        self._tables.add(base, self._tables.bank, bool(beat.get("tlast")))
        return f"row {self._next(1)}: base {base}, cum {cum}"


def _passes(sample: Sample, channel: str) -> bool:
    return bool(sample(f"{channel}valid") and sample(f"{channel}ready"))


def _joined(numbers: list[int | None]) -> str:
    return " ".join(map(str, numbers))
