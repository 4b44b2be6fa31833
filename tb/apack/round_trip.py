# SPDX-License-Identifier: Apache-2.0
"""Tensors through the simulated compressor and decompressor, and through encoder and decoder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from model.apack import SymbolTable, histogram, solve
from model.apack.fast import encode_blocks
from model.errors import InputError
from model.tensors import Tensor
from tb.apack.bulk import round_trip, tops_round_trip
from tb.apack.bulk.tops_round_trip import DECODED_VALUE, INDEX_ENTRY, MEMORY_WORD, UNITS, Shape
from tb.apack.env.memory_image import MemoryImage
from tb.sim.bench import build_bench
from tb.sim.builds import Build
from tb.sim.cocotb_run import run_cocotb
from tb.sim.round_trip import WRONG_VALUES, Compared, Limit, Run, Signal, Sweep

MOST_BLOCK_VALUES = 1 << 16
WRONG = {DECODED_VALUE: WRONG_VALUES, MEMORY_WORD: "wrong_words", INDEX_ENTRY: "wrong_entries"}
COUNTERS = ("CYCLES", "STALL_INPUT", "STALL_OUTPUT", "STALL_ENGINE")
ENCODER = "compressor_inst.g_channel[0].channel_inst.engine_inst"
DECODER = "decompressor_inst.g_channel[0].channel_inst.engine_inst"


@dataclass(frozen=True)
class Job:
    """A tensor with its table, and the units that it goes through."""

    values: np.ndarray
    table: SymbolTable
    shape: Shape
    block: int
    top: str = tops_round_trip.TOP

    @property
    def value_w(self) -> int:
        """Bits of a value."""
        return self.table.value_w

    @property
    def table_bits(self) -> int:
        """Size of the symbol table as rows of base and cumulative count."""
        return self.table.groups * (self.table.value_w + self.table.count_w + 1)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The groups of the table: lowest value and number of values."""
        return list(zip(self.table.base, self.table.sizes, strict=True))

    @property
    def record(self) -> dict[str, object]:
        """The table, for the summary."""
        return {"table": {"base": self.table.base, "cum": self.table.cum}}

    @cached_property
    def parameters(self) -> dict[str, int]:
        """Those of the bench."""
        return tops_round_trip.parameters(self.table, self.shape)

    def build(self, sim: str, trace: bool = False) -> Build:
        """The bench with both units."""
        return build_bench(self.top, tops_round_trip.SOURCES, self.parameters, sim, trace)

    def run(self, build: Build, values: np.ndarray, folder: Path, wave_cycles: int = 0) -> Run:
        """Compress all of the values, then decompress them; compared with the model's container.

        In a waveform both units run at a time.
        """
        shape, table = self.shape, self.table
        expected = MemoryImage.of(values, table, self.block, shape.word_w, shape.code_w)
        found = tops_round_trip.run_tops_round_trip(
            build, shape, values, table, self.block, folder, overlap=bool(wave_cycles),
            wave_cycles=wave_cycles,
        )  # fmt: skip
        wrong = tops_round_trip.differences(values, expected, found)
        return Run(
            {
                "coded_bits": found.compressor.get("BITS", 0),
                "memory_bits": shape.word_w * len(found.words),
                "index_bits": 8 * sum(keep.bit_count() for keep, _ in found.entries),
                "words": len(expected.words),
                "blocks": len(expected.entries),
                "raw_blocks": found.compressor.get("RAW_BLOCKS", 0),
            },
            found.cycles,
            {
                unit: {name.lower(): getattr(found, unit).get(name, 0) for name in COUNTERS}
                for unit in UNITS
            },
            {WRONG.get(kind, kind): of_kind for kind, of_kind in wrong.items()},
            found.seconds,
        )

    def signal_groups(self) -> dict[str, list[Signal]]:
        """Registers, streams, and what one engine of each unit takes and gives."""
        value_w, piece, word = self.value_w, self.shape.piece_w, self.shape.word_w
        beat = self.shape.lanes * (2 if value_w > 8 else 1)
        return {
            "host": [("address", 8, "hex"), ("wdata", 32, "hex"), ("awvalid", 2, "bin"),
                     ("arvalid", 2, "bin"), ("irq", 2, "bin")],
            "values in": _stream("values", 8 * beat, beat),
            "compressor, engine 0": _engine(ENCODER, [
                ("s_valid", 1), ("s_ready", 1), ("s_value", value_w), ("s_end", 1),
                ("m_code_valid", 1), ("m_code_data", piece), ("m_code_last", 1),
                ("m_offset_valid", 1), ("m_offset_data", piece), ("m_offset_last", 1),
            ]),
            "memory, written": _stream("memory", word, word // 8),
            "index, written": _stream("index", 96, 12),
            "memory, read": _stream("memory_back", word, word // 8),
            "index, read": _stream("index_back", 96, 12),
            "decompressor, engine 0": _engine(DECODER, [
                ("s_ready", 1), ("s_kind", 3), ("s_code_valid", 1), ("s_code_data", piece),
                ("s_offset_valid", 1), ("s_offset_data", piece),
                ("m_valid", 1), ("m_value", value_w), ("m_illegal", 1),
            ]),
            "values out": [
                ("back_tvalid", 1, "hex"), ("back_tdata", 8 * beat, "hex"),
                ("back_tkeep", beat, "hex"), ("back_tlast", 1, "hex"), ("back_tuser", 1, "hex"),
            ],
        }  # fmt: skip


def _stream(name: str, data_w: int, keep_w: int) -> list[Signal]:
    signals = (("tvalid", 1), ("tready", 1), ("tdata", data_w), ("tkeep", keep_w), ("tlast", 1))
    return [(f"{name}_{signal}", bits, "hex") for signal, bits in signals]


def _engine(path: str, signals: list[tuple[str, int]]) -> list[Signal]:
    return [(f"{path}.{name}", bits, "hex") for name, bits in signals]


class Codec:
    """The compressor and the decompressor with the memory between them, as `make demo` has them."""

    units = UNITS
    figures = ("coded_bits", "memory_bits", "index_bits", "words", "blocks", "raw_blocks")
    stored = ("memory_bits", "index_bits")
    stored_text = "memory words and index entries that the compressor wrote"
    compared = (
        Compared("memory words", "words", "wrong_words"),
        Compared("index entries", "blocks", "wrong_entries"),
    )
    preparing = "solving their tables"
    default_block = 4096
    _shape = Shape()

    def block_values(self, text: str) -> int:
        """A multiple of the values that the units take a cycle."""
        lanes = self._shape.lanes
        sizes = range(lanes, MOST_BLOCK_VALUES + 1, lanes)
        if not (text.isascii() and text.isdigit()) or int(text) not in sizes:
            raise ValueError(
                f"{text!r} is not a multiple of {lanes}, the values that the units take a cycle, "
                f"from {lanes} to {MOST_BLOCK_VALUES}"
            )
        return int(text)

    def load_table(self, path: Path) -> SymbolTable:
        """A symbol table in JSON that the units have room for."""
        table, shape = SymbolTable.load(path), self._shape
        if table.groups > shape.symbols:
            raise InputError(
                f"{path}: {table.groups} groups; the hardware has SYMBOLS = {shape.symbols} rows"
            )
        if table.count_w > shape.code_w - 2:
            raise InputError(
                f"{path}: count_w is {table.count_w}; "
                f"the hardware's CODE_W = {shape.code_w} allows up to {shape.code_w - 2}"
            )
        return table

    def prepare(self, tensor: Tensor, block: int, table: SymbolTable | None = None) -> Job:
        """A tensor with a table, or with the one that fits it best."""
        values = tensor.values.reshape(-1)
        if table is None:
            counts = histogram(values, tensor.value_w)
            table = solve(counts, value_w=tensor.value_w, symbols=self._shape.symbols)
        return Job(values, table, self._built(block), block)

    def shape(self, block: int) -> dict[str, int]:
        """The parameters of the units, and log2 of the words in the memory between them."""
        return asdict(self._built(block))

    def _built(self, block: int) -> Shape:
        """The units with buffers that hold a block."""
        room = max(self._shape.block_values, 1 << (block - 1).bit_length())
        return replace(self._shape, block_values=room)


class Rates:
    """Both units with memory words narrow enough that their port is what limits many engines.

    Blocks are small enough that each engine has several, and the memory holds the whole tensor.
    """

    _shape = Shape(lanes=16, word_w=32, block_values=1024, fifo_w=19)
    units = UNITS
    shape: Mapping[str, int] = asdict(_shape)
    sweeps: Mapping[str, Sweep] = {
        "engines": Sweep((1, 2, 3, 4, 6, 8), 64, "one value an engine"),
        "streams": Sweep((1, 2, 3, 4, 6, 8), 8),
    }
    limit = Limit("memory_words", "words", "one memory word a cycle")
    text = (
        f"in blocks of {_shape.block_values:,}, {_shape.lanes} values a beat, memory words of "
        f"{_shape.word_w} bits"
    )

    def prepare(self, tensor: Tensor, shape: Mapping[str, int]) -> Job:
        """A tensor with its best table."""
        values = tensor.values.reshape(-1)
        table = solve(histogram(values, tensor.value_w), value_w=tensor.value_w)
        return Job(values, table, Shape(**shape), shape["block_values"])


@dataclass(frozen=True)
class LoopJob:
    """Values with their table."""

    table: SymbolTable
    block: int = 4096

    def build(self, sim: str) -> Build:
        """The bench with encoder and decoder."""
        return round_trip.build_round_trip(self.table, sim)

    def run(self, build: Build, values: np.ndarray, folder: Path) -> round_trip.RoundTrip:
        """Send values by files."""
        return round_trip.run_round_trip(build, values, self.table, self.block, folder)

    def mismatches(self, values: np.ndarray, found: round_trip.RoundTrip) -> Sequence[str]:
        """Differences to the model's blocks, a line each kind."""
        expected = encode_blocks(values, self.table, self.block)
        return round_trip.mismatches(values, expected, found)[1]

    def by_signals(self, sim: str, values: np.ndarray, folder: Path) -> float:
        """Send values with a cocotb test."""
        folder.mkdir(parents=True)
        np.save(folder / "values.npy", values)
        self.table.save(folder / "table.json")
        run_cocotb(
            "apack_loop",
            [*round_trip.SOURCES, Path(__file__).parent / "loop" / "apack_loop.v"],
            "tb.apack.bulk.signal_driven",
            {},
            sim,
            seed=0,
            build_name="bench-sim",
            extra_env={"BENCH_FOLDER": str(folder), "BENCH_BLOCK": str(self.block)},
        )
        record = json.loads((folder / "signal_driven.json").read_text(encoding="utf-8"))
        return record["seconds"]


class Loop:
    """Encoder and decoder with one value a cycle."""

    text = "encoder and decoder"

    def prepare(self, values: np.ndarray) -> LoopJob:
        """Solve a table for 8-bit values, and compile the model that results are compared with."""
        job = LoopJob(solve(histogram(values, 8)))
        encode_blocks(values[: job.block], job.table)
        return job


CODEC, RATES, LOOP = Codec(), Rates(), Loop()
