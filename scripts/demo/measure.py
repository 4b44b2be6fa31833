# SPDX-License-Identifier: Apache-2.0
"""Sends the tensors through the hardware and adds up what it wrote to memory."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.tensors.statistics import entropy_bits, histogram
from scripts.demo.tensors import Subject
from tb.sim.builds import Build
from tb.sim.round_trip import WRONG_VALUES, Codec, Job, Run

Builds = Mapping[tuple, Build]

# Bytes of values in one simulation: long enough to hide its start, short enough to fit the memory
# between the units. The same for every simulator: what begins a run shows in the cycles.
RUN_BYTES = 1 << 18
LEAST_BYTES = 64  # that a tensor counts as: a short one is not shorter in memory


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
    """Run every tensor, each right behind the one before, `jobs` simulations at a time.

    builds: one for each `build_key` among the tensors. progress is told the values done.
    """
    results = [Measured(subject, codec) for subject in subjects]

    def run(parts: list[_Part]) -> list[tuple[_Part, Run]]:
        where = folder / f"{parts[0].index}-{parts[0].start}"
        job = parts[0].job
        found = codec.run(
            builds[build_key(job)], [(part.job, part.values) for part in parts], where
        )
        if not any(one.mismatches for one in found):
            shutil.rmtree(where)
        progress(sum(part.values.size for part in parts))
        return list(zip(parts, found, strict=True))

    with ThreadPoolExecutor(jobs) as pool:
        for of_run in pool.map(run, _runs(subjects)):
            for part, found in of_run:
                _add(results[part.index], part.start, found)
    return results


@dataclass(frozen=True)
class _Part:
    """Whole blocks of a tensor, from value `start` on."""

    index: int
    start: int
    job: Job

    @property
    def values(self) -> np.ndarray:
        return self.job.values[self.start : self.start + _most_values(self.job)]


def _runs(subjects: list[Subject]) -> list[list[_Part]]:
    """What goes through in one simulation: parts in their order, of one group and one build."""
    runs: list[list[_Part]] = []
    last, room = None, 0
    for index, subject in enumerate(subjects):
        job = subject.job
        for start in range(0, job.values.size, _most_values(job)):
            part = _Part(index, start, job)
            key = (subject.group, build_key(job))
            size = max(part.values.nbytes, LEAST_BYTES)
            if key != last or size > room:
                runs.append([])
                last, room = key, RUN_BYTES
            runs[-1].append(part)
            room -= size
    return runs


def _most_values(job: Job) -> int:
    """Values of a tensor in one simulation: whole blocks."""
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
