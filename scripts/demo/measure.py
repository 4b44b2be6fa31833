"""Sends the tensors through the hardware, block by block, and adds up what came of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.apack import entropy_bits, histogram
from model.apack.fast import encode_blocks
from scripts.demo.tensors import Subject
from scripts.simulators import Build
from tb.apack.bulk.round_trip import mismatches, run_round_trip

# Values of one simulation: long enough to hide its start, short enough for the bar to move.
RUN_VALUES = {"verilator": 1 << 18, "icarus": 1 << 13}


@dataclass
class Measured:
    """What the hardware made of one tensor; sizes in bits, of the streams of all blocks."""

    subject: Subject
    code_bits: int = 0
    offset_bits: int = 0
    stored_bits: int = 0  # as above, but the raw size for blocks that the streams would enlarge
    raw_blocks: int = 0
    blocks: int = 0
    cycles: int = 0
    encoder_cycles: int = 0
    decoder_cycles: int = 0
    seconds: float = 0.0
    mismatches: int = 0
    first_mismatch: str = ""
    first_bad_value: int | None = field(default=None, repr=False)

    @property
    def values(self) -> int:
        return self.subject.values.size

    @property
    def raw_bits(self) -> int:
        return self.values * self.subject.table.value_w

    @property
    def entropy(self) -> float:
        """Order-0 entropy of the tensor, bits in all."""
        table = self.subject.table
        return entropy_bits(histogram(self.subject.values, table.value_w))

    @property
    def footprint(self) -> float:
        """Stored size over raw size."""
        return self.stored_bits / self.raw_bits

    def record(self) -> dict[str, object]:
        """The fields of the summary file."""
        table = self.subject.table
        return {
            "model": self.subject.model,
            "tensor": self.subject.name,
            "note": self.subject.note,
            "values": self.values,
            "value_w": table.value_w,
            "raw_bits": self.raw_bits,
            "entropy_bits": round(self.entropy, 1),
            "entropy": round(self.entropy / self.raw_bits, 6),
            "code_bits": self.code_bits,
            "offset_bits": self.offset_bits,
            "coded_bits": self.code_bits + self.offset_bits,
            "stored_bits": self.stored_bits,
            "footprint": round(self.footprint, 6),
            "blocks": self.blocks,
            "raw_blocks": self.raw_blocks,
            "cycles": self.cycles,
            "encoder_cycles": self.encoder_cycles,
            "decoder_cycles": self.decoder_cycles,
            "values_per_cycle": round(
                self.values / max(self.encoder_cycles, self.decoder_cycles, 1), 4
            ),
            "mismatches": self.mismatches,
            "first_mismatch": self.first_mismatch,
            "table": {"base": table.base, "cum": table.cum},
        }


def measure(
    subjects: list[Subject],
    builds: dict[tuple[int, int], Build],
    sim: str,
    block_values: int,
    jobs: int,
    folder: Path,
    progress: Callable[[int], None],
) -> list[Measured]:
    """Run every tensor, cut into runs of whole blocks, `jobs` simulations at a time.

    builds: one for each (value_w, count_w) among the tables. progress is told the values done.
    """
    run_values = max(1, RUN_VALUES[sim] // block_values) * block_values
    results = [Measured(subject) for subject in subjects]
    parts = [
        (index, start)
        for index, subject in enumerate(subjects)
        for start in range(0, subject.values.size, run_values)
    ]

    def run(part: tuple[int, int]) -> tuple[int, Measured]:
        index, start = part
        subject = subjects[index]
        values = subject.values[start : start + run_values]
        build = builds[subject.table.value_w, subject.table.count_w]
        where = folder / f"{index}-{start}"
        measured = _measure_run(subject, values, start, build, block_values, where)
        progress(values.size)
        return index, measured

    with ThreadPoolExecutor(jobs) as pool:
        for index, measured in pool.map(run, parts):
            _add(results[index], measured)
    return results


def _measure_run(
    subject: Subject, values: np.ndarray, start: int, build: Build, block_values: int, folder: Path
) -> Measured:
    expected = encode_blocks(values, subject.table, block_values)
    found = run_round_trip(build, values, subject.table, block_values, folder)
    wrong, lines = mismatches(values, expected, found)
    measured = Measured(
        subject,
        cycles=found.cycles,
        encoder_cycles=found.encoder_cycles,
        decoder_cycles=found.decoder_cycles,
        seconds=found.seconds,
        mismatches=wrong,
    )
    blocks = min(len(expected), len(found.code_bits), len(found.offset_bits))
    sizes = found.code_bits[:blocks] + found.offset_bits[:blocks]
    counts = np.minimum(block_values, values.size - np.arange(blocks) * block_values)
    raw = counts * subject.table.value_w
    measured.code_bits = int(found.code_bits.sum())
    measured.offset_bits = int(found.offset_bits.sum())
    measured.stored_bits = int(np.minimum(sizes, raw).sum())
    measured.raw_blocks = int((sizes > raw).sum())
    measured.blocks = len(expected)
    if wrong:
        measured.first_mismatch = f"from value {start}: {lines[0]}"
        measured.first_bad_value = start
    else:
        shutil.rmtree(folder)
    return measured


def _add(total: Measured, part: Measured) -> None:
    for name in ("code_bits", "offset_bits", "stored_bits", "raw_blocks", "blocks", "cycles",
                 "encoder_cycles", "decoder_cycles", "seconds", "mismatches"):  # fmt: skip
        setattr(total, name, getattr(total, name) + getattr(part, name))
    if not total.first_mismatch:
        total.first_mismatch = part.first_mismatch
        total.first_bad_value = part.first_bad_value
