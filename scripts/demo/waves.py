# SPDX-License-Identifier: Apache-2.0
"""Waveform of a few blocks, with a GTKWave save file whose groups make sense to a person."""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.waves.files import show_all
from tb.sim.round_trip import Job
from tb.sim.waveform import Waveform

WAVE_VALUES = 4096  # a longer waveform is slow to open and shows nothing more
WAVE_SLACK = 4000  # cycles to load the tables and to let the last block out


def record_waves(job: Job, start: int, sim: str, folder: Path) -> tuple[Path, Path]:
    """Simulate a few blocks from value `start` on with tracing; (waves.fst, waves.gtkw)."""
    values = job.values[start : start + WAVE_VALUES]
    run_folder = folder / "waves"
    job.run(job.build(sim, trace=True), values, run_folder, 2 * len(values) + WAVE_SLACK)
    waves = folder / "waves.fst"
    shutil.move(run_folder / "waves.fst", waves)
    shutil.rmtree(run_folder)
    save = folder / "waves.gtkw"
    write_save_file(save, waves, job)
    return waves, save


def write_save_file(path: Path, waves: Path, job: Job) -> None:
    """Write the GTKWave save file that goes with a waveform of the bench."""
    with path.open("w", encoding="utf-8") as file:
        save = show_all(file, waves, Waveform(waves).end)
        save.treeopen(job.top)
        save.trace(f"{job.top}.clk", datafmt="hex")
        save.trace(f"{job.top}.rst", datafmt="hex")
        for group, signals in job.signal_groups().items():
            with save.group(group):
                for name, bits, form in signals:
                    suffix = f"[{bits - 1}:0]" if bits > 1 else ""
                    save.trace(f"{job.top}.{name}{suffix}", datafmt=form)
