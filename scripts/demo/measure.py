# SPDX-License-Identifier: Apache-2.0
"""Sends the tensors through the hardware and adds up what it wrote to memory."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from model.tensors.statistics import entropy_bits, histogram
from scripts.demo.tensors import Subject
from tb.sim.builds import Build
from tb.sim.round_trip import WRONG_VALUES, Codec, Job, Run

Builds = Mapping[tuple, Build]

# Bytes of values in one simulation: long enough to hide its start, short enough to fit the memory
# between the units. The same for every simulator: streams run dry at the end of a run, so that its
# length shows in the cycles.
RUN_BYTES = 1 << 18


@dataclass
class Measured:
    """What the hardware made of one tensor; sizes in bits.

    figures: those of the codec, the cycles of all and of each unit, and how many values and other
    things differ from the model's. mismatches: of these and of all else that can go wrong.
    """

    subject: Subject
    codec: Codec
    figures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    mismatches: int = 0
    first_mismatch: str = ""
    first_bad_value: int | None = field(default=None, repr=False)

    @property
    def values(self) -> int:
        return self.subject.job.values.size

    @property
    def raw_bits(self) -> int:
        return self.values * self.subject.job.value_w

    @property
    def entropy(self) -> float:
        """Order-0 entropy of the tensor, bits in all."""
        job = self.subject.job
        return entropy_bits(histogram(job.values, job.value_w))

    @property
    def stored_bits(self) -> int:
        """All that was written to memory for the tensor."""
        return sum(self.figures[name] for name in self.codec.stored)

    @property
    def footprint(self) -> float:
        """Stored size over raw size."""
        return self.stored_bits / self.raw_bits

    def record(self) -> dict[str, object]:
        """The fields of the summary file."""
        job = self.subject.job
        return {
            "model": self.subject.model,
            "tensor": self.subject.name,
            "group": self.subject.group,
            "note": self.subject.note,
            "values": self.values,
            "value_w": job.value_w,
            "raw_bits": self.raw_bits,
            "entropy_bits": round(self.entropy, 1),
            "entropy": round(self.entropy / self.raw_bits, 6),
            "table_bits": job.table_bits,
            "stored_bits": self.stored_bits,
            "footprint": round(self.footprint, 6),
            **{name: self.figures[name] for name in figure_names(self.codec)},
            "values_per_cycle": rate(self.values, self.figures, self.codec),
            "mismatches": self.mismatches,
            "first_mismatch": self.first_mismatch,
            **job.record,
        }


def figure_names(codec: Codec) -> list[str]:
    """What is counted: figures of the codec, cycles of all and of each unit, what differs."""
    wrong = [WRONG_VALUES, *(kind.wrong for kind in codec.compared)]
    return [*codec.figures, "cycles", *(f"{unit}_cycles" for unit in codec.units), *wrong]


def rate(values: int, figures: Mapping[str, int], codec: Codec) -> float:
    """Values per cycle of the slowest unit."""
    return round(values / max(1, *(figures[f"{unit}_cycles"] for unit in codec.units)), 4)


def build_key(job: Job) -> tuple:
    """What jobs have in common that can run with the same build."""
    return (job.top, *job.parameters.items())


def measure(
    subjects: list[Subject],
    codec: Codec,
    builds: Builds,
    jobs: int,
    folder: Path,
    progress: Callable[[int], None],
) -> list[Measured]:
    """Run every tensor, cut into runs of whole blocks, `jobs` simulations at a time.

    builds: one for each `build_key` among the tensors. progress is told the values done.
    """
    results = [Measured(subject, codec) for subject in subjects]
    parts = [
        (index, start, _run_values(subject.job))
        for index, subject in enumerate(subjects)
        for start in range(0, subject.job.values.size, _run_values(subject.job))
    ]

    def run(part: tuple[int, int, int]) -> tuple[int, int, Run]:
        index, start, count = part
        job = subjects[index].job
        values = job.values[start : start + count]
        where = folder / f"{index}-{start}"
        found = job.run(builds[build_key(job)], values, where)
        if not found.mismatches:
            shutil.rmtree(where)
        progress(values.size)
        return index, start, found

    with ThreadPoolExecutor(jobs) as pool:
        for index, start, found in pool.map(run, parts):
            _add(results[index], start, found)
    return results


def _run_values(job: Job) -> int:
    """Values of one simulation: whole blocks."""
    return max(1, RUN_BYTES // job.values.itemsize // job.block) * job.block


def _add(total: Measured, start: int, run: Run) -> None:
    total.figures.update(run.figures)
    total.figures["cycles"] += run.cycles
    for unit in total.codec.units:
        total.figures[f"{unit}_cycles"] += run.units[unit]["cycles"]
    for kind, (count, _) in run.differences.items():
        total.figures[kind] += count
    total.seconds += run.seconds
    total.mismatches += run.mismatches
    if run.differences and not total.first_mismatch:
        line = next(line for _, line in run.differences.values())
        total.first_mismatch = f"from value {start}: {line}"
        total.first_bad_value = start
