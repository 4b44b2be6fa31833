# SPDX-License-Identifier: Apache-2.0
"""Values through the simulated compressor and decompressor in bulk, by files, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.apack import SymbolTable
from tb.apack.env.memory_image import MemoryImage
from tb.apack.env.register_map import register_map
from tb.sim.bench import build_bench, run_bench
from tb.sim.builds import Build
from tb.sim.modules import all_sources

TOP = "apack_bulk_tops"
HERE = Path(__file__).parent
SOURCES = (
    HERE / f"{TOP}.v",
    *all_sources("apack_compressor", "apack_decompressor", "cell_fifo"),
)
UNITS = ("compressor", "decompressor")
WRITE, READ, WAIT = range(3)
MEMORY_WORD, INDEX_ENTRY, DECODED_VALUE = "memory word", "index entry", "decoded value"
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
    piece_w: int = 16
    fifo_w: int = 16


@dataclass(frozen=True)
class TopsRoundTrip:
    """What the two units put out for one run.

    words: memory words, uint64. entries: (tkeep, tdata) of each index entry.
    decoded: the decompressor's values, uint8 or uint16 (count,). marked: its beats with tuser.
    compressor, decompressor: their counters after the run, and EVENTS, by name.
    cycles: clock cycles of the run. end: "done", or what went wrong.
    """

    words: np.ndarray
    entries: list[tuple[int, int]]
    decoded: np.ndarray
    marked: list[int]
    compressor: dict[str, int]
    decompressor: dict[str, int]
    cycles: int
    end: str
    seconds: float


def build_tops(table: SymbolTable, sim: str, shape: Shape, trace: bool = False) -> Build:
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
        "PIECE_W": shape.piece_w,
        "WORD_W": shape.word_w,
        "LANES": shape.lanes,
        "BLOCK_VALUES": shape.block_values,
        "FIFO_W": shape.fifo_w,
    }


def run_tops_round_trip(
    build: Build,
    shape: Shape,
    values: np.ndarray,
    table: SymbolTable,
    block_values: int,
    folder: Path,
    overlap: bool = True,
    wave_cycles: int = 0,
) -> TopsRoundTrip:
    """Send values (count,) through compressor and decompressor in blocks of block_values.

    overlap: let both run at a time; otherwise the decompressor starts when all is in memory,
    which must be large enough then. `folder` takes the files of the run; with wave_cycles > 0 and
    a tracing build, also waves.fst. Raises BenchFailure when the simulation dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = host_commands(table, block_values, len(values), overlap)
    (folder / "commands.txt").write_text("".join(lines), encoding="ascii")
    values.astype("<u2" if table.value_w > 8 else "u1").tofile(folder / "values.bin")
    plusargs = {"count": len(values)} | ({"wave_cycles": wave_cycles} if wave_cycles else {})
    run = run_bench(build, plusargs, folder)
    return _read_run(folder, len(values), table, shape, run.output, run.seconds)


def host_commands(
    table: SymbolTable, block_values: int, count: int, overlap: bool
) -> Iterator[str]:
    """What a host does at the registers, as lines for the bench."""
    registers = register_map()

    def write(unit: int, name: str, data: int) -> str:
        return f"{WRITE} {unit} {registers[name].address:x} {data:x}\n"

    def read(unit: int, name: str) -> str:
        return f"{READ} {unit} {registers[name].address:x} 0\n"

    compressor, decompressor = range(len(UNITS))
    for unit in (compressor, decompressor):
        for row, (base, cum) in enumerate(zip(table.base, table.cum[1:], strict=True)):
            last = int(row == table.groups - 1)
            yield write(unit, "TABLE_BASE", base)
            yield write(unit, "TABLE_CUM", registers["TABLE_CUM"].word(CUM=cum, LAST=last))
        yield write(unit, "BLOCK", block_values)
        yield write(unit, "IRQ_ENABLE", registers["EVENTS"].word(DONE=1))
    yield write(decompressor, "VALUES_LO", count & 0xFFFFFFFF)
    yield write(decompressor, "VALUES_HI", count >> 32)
    start = registers["CONTROL"].word(START=1)
    done = [f"{WAIT} {unit} 0 0\n" for unit in (compressor, decompressor)]
    begin = [write(unit, "CONTROL", start) for unit in (compressor, decompressor)]
    yield from [*begin, *done] if overlap else [begin[0], done[0], begin[1], done[1]]
    for unit in (compressor, decompressor):
        for name in COUNTERS:
            yield read(unit, f"{name}_LO")
            yield read(unit, f"{name}_HI")
        for name in NUMBERS:
            yield read(unit, name)


def mismatches(
    values: np.ndarray, image: MemoryImage, found: TopsRoundTrip
) -> tuple[int, list[str]]:
    """How much differs between the model's container and the hardware, and a line on each kind.

    See `differences`.
    """
    kinds = differences(values, image, found)
    return sum(count for count, _ in kinds.values()), [line for _, line in kinds.values()]


def differences(
    values: np.ndarray, image: MemoryImage, found: TopsRoundTrip
) -> dict[str, tuple[int, str]]:
    """What differs between the model's container and the hardware: kind -> (how many, a line).

    Kinds are MEMORY_WORD, INDEX_ENTRY, DECODED_VALUE, a marked beat, each counter with EVENTS
    other than DONE, and a run that did not come to its end; absent is what agrees.
    """
    kinds = {}
    entries = [(beat["tkeep"], beat["tdata"]) for beat in image.index_frame()]
    for name, want, got in (
        (MEMORY_WORD, image.words, found.words.tolist()),
        (INDEX_ENTRY, entries, found.entries),
        (DECODED_VALUE, values.tolist(), found.decoded.tolist()),
        ("beat marked as damaged", [], found.marked),
    ):
        count, where = _differences(want, got)
        if count:
            shown = [_shown(row, where) for row in (want, got)]
            line = f"{name} {where}: expected {shown[0]}, found {shown[1]} ({count} differ)"
            kinds[name] = (count, line)
    wanted = counters_of(values, image)
    for unit in UNITS:
        numbers = getattr(found, unit)
        for name, want in wanted.items():
            if numbers.get(name) != want:
                kind = f"{name} of the {unit}"
                kinds[kind] = (1, f"{kind}: expected {want}, found {numbers.get(name)}")
    if found.end != "done":
        kinds["end"] = (1, f"the bench ended with {found.end}")
    return kinds


def counters_of(values: np.ndarray, image: MemoryImage) -> dict[str, int]:
    """What the counters of both units must say after a sound run."""
    return {
        "VALUES_DONE": len(values),
        "BITS": image.bits,
        "WORDS": len(image.words),
        "BLOCKS": len(image.entries),
        "RAW_BLOCKS": int(image.raw.sum()),
        "BAD_BLOCKS": 0,
        "EVENTS": register_map()["EVENTS"].word(DONE=1),
    }


def _shown(row: list | tuple, place: int) -> str:
    if place >= len(row):
        return "none"
    return " ".join(f"{part:#x}" for part in np.atleast_1d(np.array(row[place], dtype=object)))


def _differences(want: list | tuple, got: list | tuple) -> tuple[int, int]:
    """How many entries differ, missing and surplus ones included, and the first index."""
    places = [
        place for place, pair in enumerate(zip(want, got, strict=False)) if pair[0] != pair[1]
    ]
    common = min(len(want), len(got))
    count = len(places) + max(len(want), len(got)) - common
    return count, places[0] if places else common


def _read_run(
    folder: Path, count: int, table: SymbolTable, shape: Shape, output: str, seconds: float
) -> TopsRoundTrip:
    report = dict(
        pair.split("=", 1)
        for line in output.splitlines()
        if line.startswith("bulk: ")
        for pair in line.split()[1:]
    )
    numbers = _read_registers(folder / "reads.txt")
    return TopsRoundTrip(
        words=_read_words(folder / "memory.bin", shape.word_w),
        entries=[
            (int(keep, 16), int(data, 16))
            for keep, data in map(str.split, _lines(folder / "index.txt"))
        ],
        decoded=_read_values(folder / "decoded.bin", count, table, shape),
        marked=[int(line) for line in _lines(folder / "marked.txt")],
        compressor=numbers[0],
        decompressor=numbers[1],
        cycles=int(report.get("cycles", 0)),
        end=report.get("end", "no report"),
        seconds=seconds,
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines()


def _read_words(path: Path, word_w: int) -> np.ndarray:
    quads = np.fromfile(path, "<u4")
    return quads.view("<u8") if word_w == 64 else quads.astype(np.uint64)


def _read_values(path: Path, count: int, table: SymbolTable, shape: Shape) -> np.ndarray:
    dtype = np.dtype("<u2" if table.value_w > 8 else "u1")
    beat_bytes = shape.lanes * dtype.itemsize
    data = np.fromfile(path, np.uint8)
    beats = data.reshape(-1, max(beat_bytes, 4))[:, :beat_bytes]
    return np.ascontiguousarray(beats).reshape(-1).view(dtype)[:count]


def _read_registers(path: Path) -> tuple[dict[str, int], dict[str, int]]:
    """The registers that were read at the end, by name; counters of 48 bits whole."""
    names = {register.address: name for name, register in register_map().items()}
    found: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for line in _lines(path):
        unit, address, data = line.split()
        name = names[int(address, 16)]
        counter = name.removesuffix("_LO").removesuffix("_HI")
        shift = 32 if name.endswith("_HI") else 0
        numbers = found[int(unit)]
        numbers[counter] = numbers.get(counter, 0) | int(data, 16) << shift
    return found
