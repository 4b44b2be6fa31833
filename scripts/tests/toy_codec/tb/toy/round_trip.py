# SPDX-License-Identifier: Apache-2.0
"""Tensors through the toy and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.errors import InputError
from model.tensors import Tensor
from model.toy import inverted
from tb.sim.bench import build_bench, run_bench
from tb.sim.builds import Build
from tb.sim.modules import rtl_sources
from tb.sim.round_trip import WRONG_VALUES, Compared, Run, Signal

TOP = "toy_loop"
UNITS = ("compressor", "decompressor")


@dataclass(frozen=True)
class Job:
    """Values and their width."""

    values: np.ndarray
    value_w: int
    block: int
    table_bits: int = 0
    spans: tuple[tuple[int, int], ...] = ()
    top: str = TOP

    @property
    def record(self) -> dict[str, object]:
        """Nothing beside the figures."""
        return {}

    @property
    def parameters(self) -> dict[str, int]:
        """Those of the bench."""
        return {"VALUE_W": self.value_w}

    def build(self, sim: str, trace: bool = False) -> Build:
        """The bench with two units."""
        sources = [Path(__file__).with_name(f"{TOP}.v"), *rtl_sources("toy_invert")]
        return build_bench(TOP, sources, self.parameters, sim, trace)

    def run(self, build: Build, values: np.ndarray, folder: Path, wave_cycles: int = 0) -> Run:
        """Send values by files."""
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{value:x}\n" for value in values)
        (folder / "values.txt").write_text(text, encoding="ascii")
        run = run_bench(build, {"wave_cycles": wave_cycles} if wave_cycles else {}, folder)
        expected = {"stored": inverted(values, self.value_w), "back": values}
        differ = {}
        for name, kind in (("stored", "wrong_words"), ("back", WRONG_VALUES)):
            found = [int(word, 16) for word in (folder / f"{name}.txt").read_text("ascii").split()]
            wanted = expected[name].tolist()
            count = sum(a != b for a, b in zip(found, wanted, strict=False))
            if count := count + abs(len(found) - len(wanted)):
                differ[kind] = (count, f"{name}: {count} differ")
        cycles = int(run.output.split("cycles=")[1].split()[0])
        units = {unit: {"cycles": len(values)} for unit in UNITS}
        figures = {"word_bits": self.value_w * len(values), "words": len(values)}
        return Run(figures, cycles, units, differ, run.seconds)

    def signal_groups(self) -> dict[str, list[Signal]]:
        """What enters and leaves."""
        names = ("value", "stored", "back")
        return {"values": [(name, self.value_w, "hex") for name in names]}


class Codec:
    """Two units without memory."""

    units = UNITS
    figures = ("word_bits", "words")
    stored = ("word_bits",)
    stored_text = "words that the compressor wrote"
    compared = (Compared("words", "words", "wrong_words"),)
    preparing = "leaving them as they are"
    default_block = 64

    def block_values(self, text: str) -> int:
        """Any number."""
        return int(text)

    def load_table(self, path: Path) -> Tensor:
        """There are none."""
        raise InputError(f"{path}: the toy has no tables")

    def prepare(self, tensor: Tensor, block: int, table: object = None) -> Job:
        """All there is to a tensor are its values."""
        return Job(tensor.values.reshape(-1), tensor.value_w, block)

    def run(self, build: Build, parts: Sequence[tuple[Job, np.ndarray]], folder: Path) -> list[Run]:
        """Nothing carries over from one to the next."""
        return [
            job.run(build, values, folder / str(place)) for place, (job, values) in enumerate(parts)
        ]

    def shape(self, block: int) -> Mapping[str, int]:
        """There is nothing to choose."""
        return {}


CODEC = Codec()
