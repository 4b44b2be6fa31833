"""Sends the tensors through the hardware and adds up what it wrote to memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.apack import entropy_bits, histogram
from scripts.demo.tensors import Subject
from tb.apack.bulk.tops_round_trip import (
    DECODED_VALUE,
    INDEX_ENTRY,
    MEMORY_WORD,
    Shape,
    differences,
    run_tops_round_trip,
)
from tb.apack.env.memory_image import MemoryImage
from tb.sim.builds import Build

# Bytes of values in one simulation: long enough to hide its start, short enough to fit the memory
# between the units. The same for every simulator: streams run dry at the end of a run, so that its
# length shows in the cycles.
RUN_BYTES = 1 << 18


@dataclass
class Measured:
    """What the hardware made of one tensor; sizes in bits.

    memory_bits: of the words that were written; index_bits: of the index entries.
    coded_bits: of all streams without padding, of raw blocks their raw size.
    words, blocks: memory words and index entries of the model's container, which the hardware's
    are compared with. wrong_values, wrong_words, wrong_entries: how many differ; mismatches: of
    these and of counters, events and marks.
    """

    subject: Subject
    coded_bits: int = 0
    words: int = 0
    memory_bits: int = 0
    index_bits: int = 0
    raw_blocks: int = 0
    blocks: int = 0
    cycles: int = 0
    compressor_cycles: int = 0
    decompressor_cycles: int = 0
    seconds: float = 0.0
    wrong_values: int = 0
    wrong_words: int = 0
    wrong_entries: int = 0
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
    def stored_bits(self) -> int:
        """All that was written to memory for the tensor: words and index entries."""
        return self.memory_bits + self.index_bits

    @property
    def table_bits(self) -> int:
        """Size of the symbol table as rows of base and cumulative count."""
        table = self.subject.table
        return table.groups * (table.value_w + table.count_w + 1)

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
            "group": self.subject.group,
            "note": self.subject.note,
            "values": self.values,
            "value_w": table.value_w,
            "raw_bits": self.raw_bits,
            "entropy_bits": round(self.entropy, 1),
            "entropy": round(self.entropy / self.raw_bits, 6),
            "coded_bits": self.coded_bits,
            "memory_bits": self.memory_bits,
            "index_bits": self.index_bits,
            "table_bits": self.table_bits,
            "stored_bits": self.stored_bits,
            "footprint": round(self.footprint, 6),
            "words": self.words,
            "blocks": self.blocks,
            "raw_blocks": self.raw_blocks,
            "cycles": self.cycles,
            "compressor_cycles": self.compressor_cycles,
            "decompressor_cycles": self.decompressor_cycles,
            "values_per_cycle": round(
                self.values / max(self.compressor_cycles, self.decompressor_cycles, 1), 4
            ),
            "wrong_values": self.wrong_values,
            "wrong_words": self.wrong_words,
            "wrong_entries": self.wrong_entries,
            "mismatches": self.mismatches,
            "first_mismatch": self.first_mismatch,
            "table": {"base": table.base, "cum": table.cum},
        }


def measure(
    subjects: list[Subject],
    builds: dict[tuple[int, int], Build],
    shape: Shape,
    block_values: int,
    jobs: int,
    folder: Path,
    progress: Callable[[int], None],
) -> list[Measured]:
    """Run every tensor, cut into runs of whole blocks, `jobs` simulations at a time.

    builds: one for each (value_w, count_w) among the tables. progress is told the values done.
    """
    results = [Measured(subject) for subject in subjects]
    parts = [
        (index, start, _run_values(subject, block_values))
        for index, subject in enumerate(subjects)
        for start in range(0, subject.values.size, _run_values(subject, block_values))
    ]

    def run(part: tuple[int, int, int]) -> tuple[int, Measured]:
        index, start, count = part
        subject = subjects[index]
        values = subject.values[start : start + count]
        build = builds[subject.table.value_w, subject.table.count_w]
        where = folder / f"{index}-{start}"
        measured = _measure_run(subject, values, start, build, shape, block_values, where)
        progress(values.size)
        return index, measured

    with ThreadPoolExecutor(jobs) as pool:
        for index, measured in pool.map(run, parts):
            _add(results[index], measured)
    return results


def _run_values(subject: Subject, block_values: int) -> int:
    """Values of one simulation: whole blocks."""
    return max(1, RUN_BYTES // subject.values.itemsize // block_values) * block_values


def _measure_run(
    subject: Subject,
    values: np.ndarray,
    start: int,
    build: Build,
    shape: Shape,
    block_values: int,
    folder: Path,
) -> Measured:
    expected = MemoryImage.of(values, subject.table, block_values, shape.word_w, shape.code_w)
    found = run_tops_round_trip(
        build, shape, values, subject.table, block_values, folder, overlap=False
    )
    wrong = differences(values, expected, found)
    number = {kind: count for kind, (count, _) in wrong.items()}
    measured = Measured(
        subject,
        coded_bits=found.compressor.get("BITS", 0),
        words=len(expected.words),
        memory_bits=shape.word_w * len(found.words),
        index_bits=8 * sum(keep.bit_count() for keep, _ in found.entries),
        raw_blocks=found.compressor.get("RAW_BLOCKS", 0),
        blocks=len(expected.entries),
        cycles=found.cycles,
        compressor_cycles=found.compressor.get("CYCLES", 0),
        decompressor_cycles=found.decompressor.get("CYCLES", 0),
        seconds=found.seconds,
        wrong_values=number.get(DECODED_VALUE, 0),
        wrong_words=number.get(MEMORY_WORD, 0),
        wrong_entries=number.get(INDEX_ENTRY, 0),
        mismatches=sum(number.values()),
    )
    if wrong:
        line = next(line for _, line in wrong.values())
        measured.first_mismatch = f"from value {start}: {line}"
        measured.first_bad_value = start
    else:
        shutil.rmtree(folder)
    return measured


def _add(total: Measured, part: Measured) -> None:
    for name in ("coded_bits", "words", "memory_bits", "index_bits", "raw_blocks", "blocks",
                 "cycles", "compressor_cycles", "decompressor_cycles", "seconds", "wrong_values",
                 "wrong_words", "wrong_entries", "mismatches"):  # fmt: skip
        setattr(total, name, getattr(total, name) + getattr(part, name))
    if not total.first_mismatch:
        total.first_mismatch = part.first_mismatch
        total.first_bad_value = part.first_bad_value
