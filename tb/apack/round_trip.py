# SPDX-License-Identifier: Apache-2.0
"""Tensors through the simulated compressor and decompressor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from model.apack import SymbolTable, histogram, solve
from model.apack.coder import piece_width
from model.errors import InputError
from model.tensors import Tensor
from tb.apack.bulk import round_trip
from tb.apack.bulk.round_trip import DECODED_VALUE, MEMORY_WORD, UNITS, BulkRun, Sent, Shape
from tb.sim.bench import build_bench
from tb.sim.builds import Build
from tb.sim.cocotb_run import run_cocotb
from tb.sim.round_trip import WRONG_VALUES, Compared, Limit, Run, Signal, Sweep

MOST_BLOCK_VALUES = 1 << 16
WRONG = {DECODED_VALUE: WRONG_VALUES, MEMORY_WORD: "wrong_words"}
LOOP_SHAPE = Shape()
STALLS = ("STALL_INPUT", "STALL_OUTPUT", "STALL_ENGINE")
ENCODER = "loop_inst.compressor_inst.g_channel[0].channel_inst.engine_inst"
DECODER = "loop_inst.decompressor_inst.g_channel[0].channel_inst.engine_inst"


@dataclass(frozen=True)
class Job:
    """A tensor with its table, and the units that it goes through."""

    values: np.ndarray
    table: SymbolTable
    shape: Shape
    block: int
    top: str = round_trip.TOP

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
        return round_trip.parameters(self.table, self.shape)

    def build(self, sim: str, trace: bool = False) -> Build:
        """The bench with both units."""
        return build_bench(self.top, round_trip.SOURCES, self.parameters, sim, trace)

    def run(self, build: Build, values: np.ndarray, folder: Path, wave_cycles: int = 0) -> Run:
        """Compress all of the values, then decompress them; compared with the model's blocks.

        In a waveform both units run at a time.
        """
        return run_parts(build, [(self, values)], folder, wave_cycles)[0]

    def signal_groups(self) -> dict[str, list[Signal]]:
        """Registers, streams, and what one engine of each unit takes and gives."""
        value_w, word = self.value_w, self.shape.word_w
        piece_w = piece_width(self.table)
        beat = self.shape.lanes * (2 if value_w > 8 else 1)
        return {
            "host": [("address", 8, "hex"), ("wdata", 32, "hex"), ("awvalid", 2, "bin"),
                     ("arvalid", 2, "bin")],
            "values in": _stream("values", 8 * beat, beat),
            "compressor, engine 0": _engine(ENCODER, [
                ("s_valid", 1), ("s_ready", 1), ("s_value", value_w), ("s_end", 1),
                ("m_code_take", 1), ("m_offset_take", 1), ("m_code_valid", 1),
                ("m_code_data", piece_w), ("m_offset_valid", 1), ("m_offset_data", piece_w),
                ("m_far", 1), ("m_end", 1),
            ]),
            "memory, written": _stream("memory", word),
            "memory, read": _stream("loop_inst.back", word, word // 8),
            "decompressor, engine 0": _engine(DECODER, [
                ("s_kind", 2), ("s_last", 1), ("m_take", 2), ("s_pieces", 2 * piece_w),
                ("m_valid", 1), ("m_value", value_w), ("m_illegal", 1),
            ]),
            "values out": [
                ("back_tvalid", 1, "hex"), ("back_tdata", 8 * beat, "hex"),
                ("back_tkeep", beat, "hex"), ("back_tlast", 1, "hex"), ("back_tuser", 1, "hex"),
            ],
        }  # fmt: skip


def run_parts(
    build: Build, parts: Sequence[tuple[Job, np.ndarray]], folder: Path, wave_cycles: int = 0
) -> list[Run]:
    """Send parts of tensors through both units, each right behind the one before.

    All are compressed, then all decompressed; in a waveform both units run at a time. What is wrong
    with the run as a whole, such as a counter after the last part, counts as the last one's.
    """
    shape, block = parts[0][0].shape, parts[0][0].block
    tensors = [Sent(values, job.table) for job, values in parts]
    found = round_trip.run_bulk(
        build, shape, tensors, block, folder, overlap=bool(wave_cycles), wave_cycles=wave_cycles
    )
    total, runs = sum(len(sent.values) for sent in tensors), []
    for sent, back in zip(tensors, found.tensors, strict=True):
        expected = sent.expected(shape, block)
        wrong = round_trip.differences(sent, expected, back)
        units = {unit: {"cycles": back.cycles[unit]} for unit in UNITS}
        if sent is tensors[-1]:
            wrong |= round_trip.run_differences(sent, expected, found)
            for unit, counters in found.counters.items():
                units[unit] |= {name.lower(): counters.get(name, 0) for name in STALLS}
        figures = {
            "coded_bits": expected.bits,
            "memory_bits": shape.word_w * len(back.words),
            "words": len(expected.data) * 8 // shape.word_w,
            "blocks": len(expected),
            "raw_blocks": int(expected.raw.sum()),
        }
        share = found.seconds * len(sent.values) / total
        differ = {WRONG.get(kind, kind): of_kind for kind, of_kind in wrong.items()}
        runs.append(Run(figures, sum(back.cycles.values()), units, differ, share))
    return runs


def _stream(name: str, data_w: int, keep_w: int = 0) -> list[Signal]:
    signals = (("tvalid", 1), ("tready", 1), ("tdata", data_w), ("tkeep", keep_w), ("tlast", 1))
    return [(f"{name}_{signal}", bits, "hex") for signal, bits in signals if bits]


def _engine(path: str, signals: list[tuple[str, int]]) -> list[Signal]:
    return [(f"{path}.{name}", bits, "hex") for name, bits in signals]


class Codec:
    """The compressor and the decompressor with the memory between them, as `make demo` has them."""

    units = UNITS
    figures = ("coded_bits", "memory_bits", "words", "blocks", "raw_blocks")
    stored = ("memory_bits",)
    stored_text = "memory words that the compressor wrote"
    compared = (Compared("memory words", "words", "wrong_words"),)
    preparing = "solving their tables"
    default_block = 4096
    run = staticmethod(run_parts)
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
        "engines": Sweep((1, 2, 3, 4, 6, 8), range(1, 65), "one value an engine"),
        "streams": Sweep((1, 2, 4, 8), (1, 2, 4, 8)),
        "block_values": Sweep((1024, 4096, 16384), tuple(1 << n for n in range(6, 17))),
    }
    limit = Limit("memory_words", "words", "one memory word a cycle")
    text = f"{_shape.lanes} values a beat, memory words of {_shape.word_w} bits"
    run = staticmethod(run_parts)

    def prepare(self, tensor: Tensor, shape: Mapping[str, int]) -> Job:
        """A tensor with its best table."""
        values = tensor.values.reshape(-1)
        table = solve(histogram(values, tensor.value_w), value_w=tensor.value_w)
        return Job(values, table, Shape(**shape), shape["block_values"])


@dataclass(frozen=True)
class LoopJob:
    """Values with their table."""

    table: SymbolTable

    def build(self, sim: str) -> Build:
        """The bench with both units."""
        return round_trip.build_bulk(self.table, sim, LOOP_SHAPE)

    def run(self, build: Build, values: np.ndarray, folder: Path) -> BulkRun:
        """Send values by files, through both units at a time."""
        sent = Sent(values, self.table)
        return round_trip.run_bulk(build, LOOP_SHAPE, [sent], LOOP_SHAPE.block_values, folder)

    def mismatches(self, values: np.ndarray, found: BulkRun) -> Sequence[str]:
        """Differences to the model's blocks, a line each kind."""
        sent = Sent(values, self.table)
        expected = sent.expected(LOOP_SHAPE, LOOP_SHAPE.block_values)
        wrong = round_trip.differences(sent, expected, found.tensors[0])
        wrong |= round_trip.run_differences(sent, expected, found)
        return [line for _, line in wrong.values()]

    def by_signals(self, sim: str, values: np.ndarray, folder: Path) -> float:
        """Send values with a cocotb test."""
        folder.mkdir(parents=True)
        np.save(folder / "values.npy", values)
        self.table.save(folder / "table.json")
        run_cocotb(
            "apack_loop",
            round_trip.SOURCES[1:],
            "tb.apack.bulk.signal_driven",
            {},
            sim,
            seed=0,
            build_name="bench-sim",
            extra_env={"BENCH_FOLDER": str(folder)},
        )
        record = json.loads((folder / "signal_driven.json").read_text(encoding="utf-8"))
        return record["seconds"]


class Loop:
    """Compressor and decompressor as they are by default."""

    text = "compressor and decompressor"

    def prepare(self, values: np.ndarray) -> LoopJob:
        """Solve a table for 8-bit values, and compile the model that results are compared with."""
        job = LoopJob(solve(histogram(values, 8)))
        Sent(values[:64], job.table).expected(LOOP_SHAPE, 64)
        return job


CODEC, RATES, LOOP = Codec(), Rates(), Loop()
