# SPDX-License-Identifier: Apache-2.0
"""Values through the simulated encoder and decoder in bulk, by files, and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.apack import SymbolTable
from model.apack.fast import EncodedBlocks
from tb.sim.bench import build_bench, run_bench
from tb.sim.builds import Build
from tb.sim.modules import all_sources

TOP = "apack_bulk"
SOURCES = (
    Path(__file__).with_name(f"{TOP}.v"),
    *all_sources("apack_encoder", "apack_decoder", "cell_fifo"),
)
WORD_W = 32
CODE_W = 16
SYMBOLS = 16
FIFO_W = 16
MOST_BLOCK_VALUES = 1 << FIFO_W  # either stream of a block then fits 2**FIFO_W words


@dataclass(frozen=True)
class RoundTrip:
    """What the two units put out for one run.

    code, offsets: words of the two streams as they left the encoder, uint32.
    code_bits, offset_bits: bits of each block, int64 (blocks,).
    decoded: the decoder's values, uint8 or uint16 (count,).
    failed: whether the decoder marked a block as wrong, bool (blocks,).
    cycles: clock cycles of the run; encoder_cycles and decoder_cycles those each unit was busy.
    report: name -> value of the bench's closing lines: "end" and the status bits of both units.
    """

    code: np.ndarray
    offsets: np.ndarray
    code_bits: np.ndarray
    offset_bits: np.ndarray
    decoded: np.ndarray
    failed: np.ndarray
    cycles: int
    encoder_cycles: int
    decoder_cycles: int
    report: dict[str, str]
    seconds: float


def build_round_trip(
    table: SymbolTable, sim: str, trace: bool = False, fifo_w: int = FIFO_W
) -> Build:
    """The bench for tables of this width, with memories of 2**fifo_w words between the units.

    Both streams of a block must fit. Raises what build_bench raises.
    """
    parameters = {
        "VALUE_W": table.value_w,
        "SYMBOLS": SYMBOLS,
        "COUNT_W": table.count_w,
        "CODE_W": CODE_W,
        "WORD_W": WORD_W,
        "FIFO_W": fifo_w,
    }
    return build_bench(TOP, SOURCES, parameters, sim, trace)


def run_round_trip(
    build: Build,
    values: np.ndarray,
    table: SymbolTable,
    block_values: int,
    folder: Path,
    wave_cycles: int = 0,
) -> RoundTrip:
    """Send values (count,) through encoder and decoder in blocks of block_values.

    `folder` takes the files of the run; with wave_cycles > 0 and a tracing build, also waves.fst.
    Raises BenchFailure when the simulation dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = zip(table.base, table.cum[1:], strict=True)
    text = "".join(f"{cum << table.value_w | base:x}\n" for base, cum in rows)
    (folder / "table.hex").write_text(text, encoding="ascii")
    values.astype(">u2" if table.value_w > 8 else "u1").tofile(folder / "values.bin")
    plusargs = {"rows": table.groups, "count": len(values), "block": block_values}
    if wave_cycles:
        plusargs["wave_cycles"] = wave_cycles
    run = run_bench(build, plusargs, folder)
    return _read_round_trip(folder, len(values), table, run.output, run.seconds)


def _read_round_trip(
    folder: Path, count: int, table: SymbolTable, output: str, seconds: float
) -> RoundTrip:
    ends: dict[str, list[int]] = {"code": [], "offset": [], "block": [], "value": []}
    for line in (folder / "ends.txt").read_text(encoding="ascii").splitlines():
        stream, first, *_ = line.split()
        ends[stream].append(int(first))
    report = dict(
        pair.split("=", 1)
        for line in output.splitlines()
        if line.startswith("bulk: ")
        for pair in line.split()[1:]
    )
    decoded = np.fromfile(folder / "decoded.bin", "<u2" if table.value_w > 8 else "u1")
    return RoundTrip(
        code=np.fromfile(folder / "code.bin", "<u4"),
        offsets=np.fromfile(folder / "offset.bin", "<u4"),
        code_bits=np.array(ends["code"], dtype=np.int64),
        offset_bits=np.array(ends["offset"], dtype=np.int64),
        decoded=decoded[:count],
        failed=np.array(ends["value"], dtype=bool),
        cycles=int(report.get("cycles", 0)),
        encoder_cycles=int(report.get("encoder_cycles", 0)),
        decoder_cycles=int(report.get("decoder_cycles", 0)),
        report=report,
        seconds=seconds,
    )


def mismatches(
    values: np.ndarray, expected: EncodedBlocks, found: RoundTrip
) -> tuple[int, list[str]]:
    """Differences between the model's blocks and the hardware's, and a line on each kind.

    Counted are words of both streams, bits of each block, decoded values, blocks the decoder
    marked, status bits that are set, and a run that did not come to its end.
    """
    total, lines = 0, []
    for name, want, got in (
        ("bits of code stream", expected.code_bits, found.code_bits),
        ("bits of offset stream", expected.offset_bits, found.offset_bits),
        ("code word", expected.code.view(">u4"), found.code),
        ("offset word", expected.offsets.view(">u4"), found.offsets),
        ("decoded value", values, found.decoded),
        ("block marked as wrong", np.zeros(len(expected), dtype=bool), found.failed),
    ):
        count, where = _differences(want, got)
        total += count
        if count:
            shown = [f"{int(row[where]):#x}" if where < len(row) else "none" for row in (want, got)]
            lines.append(f"{name} {where}: expected {shown[0]}, found {shown[1]} ({count} differ)")
    for name, value in found.report.items():
        wrong = value != "done" if name == "end" else "cycles" not in name and value != "0"
        if wrong:
            total += 1
            lines.append(f"{name} = {value}")
    if "end" not in found.report:
        total += 1
        lines.append("the bench stopped before its end")
    return total, lines


def _differences(want: np.ndarray, got: np.ndarray) -> tuple[int, int]:
    """How many entries differ, missing and surplus ones included, and the first index."""
    common = min(len(want), len(got))
    differ = np.flatnonzero(want[:common] != got[:common])
    count = len(differ) + max(len(want), len(got)) - common
    return count, int(differ[0]) if len(differ) else common
