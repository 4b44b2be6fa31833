# SPDX-License-Identifier: Apache-2.0
"""Tensors through the simulated compressor and decompressor by files, and what came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from model.apack import SymbolTable
from model.apack.fast import EncodedBlocks, encode_blocks
from tb.apack.env.register_map import register_map
from tb.bus.register_map import Register
from tb.sim.bench import build_bench, run_bench
from tb.sim.builds import Build
from tb.sim.modules import all_sources

TOP = "apack_bulk"
HERE = Path(__file__).parent
SOURCES = (
    HERE / f"{TOP}.v",
    HERE.parent / "loop" / "apack_loop.v",
    *all_sources("apack_compressor", "apack_decompressor", "cell_fifo"),
)
UNITS = ("compressor", "decompressor")
WRITE, READ, POLL = range(3)
BANKS = 2
MEMORY_WORD, DECODED_VALUE = "memory word", "decoded value"
COUNTERS = (
    "VALUES_DONE",
    "BITS",
    "WORDS",
    "CYCLES",
    "STALL_INPUT",
    "STALL_OUTPUT",
    "STALL_ENGINE",
)
NUMBERS = ("BLOCKS", "RAW_BLOCKS", "BAD_BLOCKS", "EVENTS")


@dataclass(frozen=True)
class Shape:
    """How both units are built, and log2 of the words that the memory between them holds."""

    engines: int = 1
    streams: int = 4
    lanes: int = 8
    word_w: int = 64
    block_values: int = 4096
    symbols: int = 16
    code_w: int = 16
    fifo_w: int = 16


@dataclass(frozen=True)
class Sent:
    """Values (count,), at least one, and the table that they are coded with."""

    values: np.ndarray
    table: SymbolTable

    def expected(self, shape: Shape, block_values: int) -> EncodedBlocks:
        """What the model makes of it."""
        return encode_blocks(
            self.values, self.table, block_values, shape.code_w, shape.streams, shape.word_w // 8
        )


@dataclass(frozen=True)
class RoundTrip:
    """What the two units put out for one tensor.

    words: memory words, uint64. decoded: the decompressor's values, uint8 or uint16 (count,).
    marked: its beats with tuser.
    cycles: of each unit, from the last beat of the tensor before to its own last one. The first
        tensor's begin with the first write to the unit's registers.
    """

    words: np.ndarray
    decoded: np.ndarray
    marked: list[int]
    cycles: dict[str, int]


@dataclass(frozen=True)
class BulkRun:
    """What came of one run.

    counters: of each unit, those of the last tensor, and EVENTS, by name.
    cycles: clock cycles of the run. end: "done", or what went wrong.
    """

    tensors: list[RoundTrip]
    counters: dict[str, dict[str, int]]
    cycles: int
    end: str
    seconds: float


def build_bulk(table: SymbolTable, sim: str, shape: Shape, trace: bool = False) -> Build:
    """The bench for tables of this width. Raises what build_bench raises."""
    return build_bench(TOP, SOURCES, parameters(table, shape), sim, trace)


def parameters(table: SymbolTable, shape: Shape) -> dict[str, int]:
    """The parameters of the bench for tables of this width."""
    return {
        "ENGINES": shape.engines,
        "STREAMS": shape.streams,
        "VALUE_W": table.value_w,
        "SYMBOLS": shape.symbols,
        "COUNT_W": table.count_w,
        "CODE_W": shape.code_w,
        "WORD_W": shape.word_w,
        "LANES": shape.lanes,
        "BLOCK_VALUES": shape.block_values,
        "FIFO_W": shape.fifo_w,
    }


def run_bulk(
    build: Build,
    shape: Shape,
    tensors: Sequence[Sent],
    block_values: int,
    folder: Path,
    overlap: bool = True,
    wave_cycles: int = 0,
) -> BulkRun:
    """Send tensors of one width, each right behind the one before, in blocks of block_values.

    overlap: let both units run at a time; otherwise the decompressor starts when all is in memory,
    which must be large enough then. `folder` takes the files of the run; with wave_cycles > 0 and
    a tracing build, also waves.fst. Raises BenchFailure when the simulation dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in input_files(tensors, block_values, overlap).items():
        (folder / name).write_text("".join(lines), encoding="ascii")
    dtype = _value_type(tensors)
    with (folder / "values.bin").open("wb") as file:
        for sent in tensors:
            padding = -len(sent.values) % shape.lanes
            file.write(np.pad(sent.values, (0, padding)).astype(dtype).tobytes())
    run = run_bench(build, {"wave_cycles": wave_cycles} if wave_cycles else {}, folder)
    return _read_run(folder, tensors, shape, run.output, run.seconds)


def input_files(
    tensors: Sequence[Sent], block_values: int, overlap: bool
) -> dict[str, Iterator[str]]:
    """Lines of the files that tell the bench what to do, by their names."""
    return {
        "commands.txt": host_commands(tensors, block_values, overlap),
        "tensors.txt": (f"{len(sent.values)}\n" for sent in tensors),
    }


def host_commands(tensors: Sequence[Sent], block_values: int, overlap: bool) -> Iterator[str]:
    """What a host does at the registers, as lines for the bench.

    A tensor's table goes to the bank of the last but one, as soon as that is through.
    """
    units, places = range(len(UNITS)), range(len(tensors))
    if overlap:
        order = [*((unit, place) for place in places for unit in units)]
    else:
        order = [*((unit, place) for unit in units for place in places)]
    last = len(tensors) - 1
    for unit, place in order:
        yield from _start(unit, place, tensors[place], block_values)
        if place == last and not overlap:
            yield _poll(unit, len(tensors))
    for unit in units:
        yield _poll(unit, len(tensors))
        for name in COUNTERS:
            yield _read(unit, f"{name}_LO")
            yield _read(unit, f"{name}_HI")
        for name in NUMBERS:
            yield _read(unit, name)


def _start(unit: int, place: int, sent: Sent, block_values: int) -> Iterator[str]:
    bank, rows = place % BANKS, sent.table.groups
    if place >= BANKS:
        yield _poll(unit, place - BANKS + 1)
    for row, (base, cum) in enumerate(zip(sent.table.base, sent.table.cum[1:], strict=True)):
        yield _write(unit, "TABLE_BASE", base)
        yield _write(unit, "TABLE_CUM", CUM=cum, BANK=bank, LAST=int(row == rows - 1))
    if place == 0:
        yield _write(unit, "BLOCK", block_values)
    if UNITS[unit] == "decompressor":
        yield _write(unit, "VALUES_LO", len(sent.values) & 0xFFFFFFFF)
        yield _write(unit, "VALUES_HI", len(sent.values) >> 32)
    yield _write(unit, "CONTROL", START=1, BANK=bank)


def _write(unit: int, name: str, data: int = 0, **fields: int) -> str:
    register = _register(name)
    word = register.word(**fields) if fields else data
    return f"{WRITE} {unit} {register.address:x} {word:x}\n"


def _read(unit: int, name: str) -> str:
    return f"{READ} {unit} {_register(name).address:x} 0\n"


def _poll(unit: int, tensors: int) -> str:
    """Wait until so many tensors are through."""
    return f"{POLL} {unit} {_register('TENSORS').address:x} {tensors:x}\n"


@cache
def _register(name: str) -> Register:
    return register_map()[name]


Differences = dict[str, tuple[int, str]]


def differences(sent: Sent, expected: EncodedBlocks, found: RoundTrip) -> Differences:
    """What differs of one tensor between the model and the hardware: kind -> (how many, a line).

    Kinds are MEMORY_WORD, DECODED_VALUE and a marked beat; absent is what agrees.
    """
    kinds = {}
    for name, want, got in (
        (MEMORY_WORD, _words(expected), found.words),
        (DECODED_VALUE, sent.values, found.decoded),
        ("beat marked as damaged", np.zeros(0, np.int64), np.array(found.marked, np.int64)),
    ):
        count, where = _differences(want, got)
        if count:
            shown = [f"{int(row[where]):#x}" if where < len(row) else "none" for row in (want, got)]
            line = f"{name} {where}: expected {shown[0]}, found {shown[1]} ({count} differ)"
            kinds[name] = (count, line)
    return kinds


def run_differences(sent: Sent, expected: EncodedBlocks, found: BulkRun) -> Differences:
    """What is wrong with a run as a whole, of which these were the last tensor and its model.

    Kinds are each counter, with EVENTS other than DONE, and a run that did not come to its end.
    """
    kinds = {}
    for unit, numbers in found.counters.items():
        for name, want in counters_of(sent, expected).items():
            if numbers.get(name) != want:
                kind = f"{name} of the {unit}"
                kinds[kind] = (1, f"{kind}: expected {want}, found {numbers.get(name)}")
    if found.end != "done":
        kinds["end"] = (1, f"the bench ended with {found.end}")
    return kinds


def counters_of(sent: Sent, expected: EncodedBlocks) -> dict[str, int]:
    """What the counters of both units must say after a sound tensor."""
    return {
        "VALUES_DONE": len(sent.values),
        "BITS": expected.bits,
        "WORDS": len(_words(expected)),
        "BLOCKS": len(expected),
        "RAW_BLOCKS": int(expected.raw.sum()),
        "BAD_BLOCKS": 0,
        "EVENTS": _register("EVENTS").word(DONE=1),
    }


def _words(expected: EncodedBlocks) -> np.ndarray:
    """The memory words as numbers on the bus: byte lane i is byte i in memory."""
    return expected.data.view(f"<u{expected.word_bytes}")


def _differences(want: np.ndarray, got: np.ndarray) -> tuple[int, int]:
    """How many entries differ, missing and surplus ones included, and the first index."""
    common = min(len(want), len(got))
    differ = np.flatnonzero(want[:common] != got[:common])
    count = len(differ) + max(len(want), len(got)) - common
    return count, int(differ[0]) if len(differ) else common


def _read_run(
    folder: Path, tensors: Sequence[Sent], shape: Shape, output: str, seconds: float
) -> BulkRun:
    report = dict(
        pair.split("=", 1)
        for line in output.splitlines()
        if line.startswith("bulk: ")
        for pair in line.split()[1:]
    )
    marks: dict[str, list[tuple[int, int]]] = {"memory": [], "values": [], "marked": []}
    for line in _lines(folder / "ends.txt"):
        kind, number, cycle = line.split()
        marks[kind].append((int(number), int(cycle)))
    words = _parts(_read_words(folder / "memory.bin", shape.word_w), marks["memory"], len(tensors))
    beats = _parts(
        _read_beats(folder / "decoded.bin", tensors, shape), marks["values"], len(tensors)
    )
    marked = [number for number, _ in marks["marked"]]
    end = report.get("end", "no report")
    for kind in ("memory", "values"):
        if end == "done" and len(marks[kind]) != len(tensors):
            end = f"{len(marks[kind])} tlast of {kind}, not {len(tensors)}"
    cycles = {
        unit: _spans(int(report.get(f"{unit}_begin", 0)), marks[kind], len(tensors))
        for unit, kind in zip(UNITS, ("memory", "values"), strict=True)
    }
    found, first = [], 0
    for place, sent in enumerate(tensors):
        own = range(first, first + len(beats[place]))
        found.append(
            RoundTrip(
                words[place],
                _cut(beats[place], len(sent.values)),
                [beat - first for beat in marked if beat in own],
                {unit: spans[place] for unit, spans in cycles.items()},
            )
        )
        first = own.stop
    numbers = _read_registers(folder / "reads.txt")
    return BulkRun(found, numbers, int(report.get("cycles", 0)), end, seconds)


def _parts(rows: np.ndarray, ends: list[tuple[int, int]], parts: int) -> list[np.ndarray]:
    """The rows of each tensor: those up to its end, and the last one's are all that is left."""
    places = [number for number, _ in ends[: parts - 1]]
    places += [len(rows)] * (parts - 1 - len(places))
    return np.split(rows, places)


def _spans(begin: int, ends: list[tuple[int, int]], parts: int) -> list[int]:
    """Cycles of each tensor; 0 for those that did not come to their end."""
    times = [begin - 1, *(cycle for _, cycle in ends[:parts])]
    spans = np.diff(times).tolist()
    return spans + [0] * (parts - len(spans))


def _cut(beats: np.ndarray, count: int) -> np.ndarray:
    """The values of a tensor in its beats (beats, lanes), whose last one has fewer than all.

    What is in beats beyond those of `count` values is surplus, and stays.
    """
    values = beats.reshape(-1)
    lanes = beats.shape[1]
    return values[:count] if len(values) < count + lanes else values


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines()


def _value_type(tensors: Sequence[Sent]) -> np.dtype:
    return np.dtype("<u2" if tensors[0].table.value_w > 8 else "u1")


def _read_words(path: Path, word_w: int) -> np.ndarray:
    quads = np.fromfile(path, "<u4")
    return quads.view("<u8") if word_w == 64 else quads.astype(np.uint64)


def _read_beats(path: Path, tensors: Sequence[Sent], shape: Shape) -> np.ndarray:
    dtype = _value_type(tensors)
    beat_bytes = shape.lanes * dtype.itemsize
    data = np.fromfile(path, np.uint8)
    beats = data.reshape(-1, max(beat_bytes, 4))[:, :beat_bytes]
    return np.ascontiguousarray(beats).view(dtype)


def _read_registers(path: Path) -> dict[str, dict[str, int]]:
    """The registers that were read at the end, by unit and name; counters of 48 bits whole."""
    names = {register.address: name for name, register in register_map().items()}
    found: dict[str, dict[str, int]] = {unit: {} for unit in UNITS}
    for line in _lines(path):
        unit, address, data = line.split()
        name = names[int(address, 16)]
        counter = name.removesuffix("_LO").removesuffix("_HI")
        shift = 32 if name.endswith("_HI") else 0
        numbers = found[UNITS[int(unit)]]
        numbers[counter] = numbers.get(counter, 0) | int(data, 16) << shift
    return found
