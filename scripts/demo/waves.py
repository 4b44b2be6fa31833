"""Waveform of a few blocks, with a GTKWave save file whose groups make sense to a person."""

from __future__ import annotations

import shutil
from pathlib import Path

from vcd.gtkw import GTKWSave

from scripts.demo.tensors import Subject
from tb.apack.bulk.round_trip import CODE_W, TOP, WORD_W, build_round_trip, run_round_trip

WAVE_VALUES = 4096  # a longer waveform is slow to open and shows nothing more
WAVE_SLACK = 2000  # cycles to load the table and to let the last block out

# Group, then signals: path below the bench, bits, display format.
E = "encoder_inst"
D = "decoder_inst"


def signal_groups(value_w: int) -> dict[str, list[tuple[str, int, str]]]:
    """What the save file shows: group -> (path below apack_bulk, bits, format)."""
    return {
        "values in": [
            ("value_tvalid", 1, "hex"),
            ("value_tready", 1, "hex"),
            ("value_tdata", value_w, "hex"),
            ("value_tlast", 1, "hex"),
        ],
        "encoder symbol": [
            (f"{E}.symbol", 4, "dec"),
            (f"{E}.offset", value_w, "hex"),
            (f"{E}.offset_w", value_w.bit_length(), "dec"),
        ],
        "encoder interval": [
            (f"{E}.low_reg", CODE_W, "hex"),
            (f"{E}.high_reg", CODE_W, "hex"),
            (f"{E}.lead_count", CODE_W.bit_length(), "dec"),
            (f"{E}.under_count", CODE_W.bit_length(), "dec"),
            (f"{E}.pending_inst.pending_reg", 28, "dec"),
        ],
        "code stream": _stream("code"),
        "offset stream": _stream("offset"),
        "blocks": [
            ("block_tvalid", 1, "hex"),
            ("block_tdata", 24, "dec"),
        ],
        "decoder interval": [
            (f"{D}.state_reg", 2, "dec"),
            (f"{D}.low_reg", CODE_W, "hex"),
            (f"{D}.high_reg", CODE_W, "hex"),
            (f"{D}.code_reg", CODE_W, "hex"),
            (f"{D}.code_available", WORD_W.bit_length() + 1, "dec"),
        ],
        "decoder symbol": [
            (f"{D}.symbol", 4, "dec"),
            (f"{D}.base", value_w, "hex"),
            (f"{D}.offset", value_w, "hex"),
        ],
        "values out": [
            ("back_tvalid", 1, "hex"),
            ("back_tdata", value_w, "hex"),
            ("back_tlast", 1, "hex"),
            ("back_tuser", 1, "hex"),
        ],
    }


def _stream(name: str) -> list[tuple[str, int, str]]:
    return [
        (f"{name}_tvalid", 1, "hex"),
        (f"{name}_tready", 1, "hex"),
        (f"{name}_tdata", WORD_W, "hex"),
        (f"{name}_tuser", WORD_W.bit_length(), "dec"),
        (f"{name}_tlast", 1, "hex"),
    ]


def record_waves(
    subject: Subject, start: int, sim: str, block_values: int, folder: Path
) -> tuple[Path, Path]:
    """Simulate a few blocks from value `start` on with tracing; (waves.fst, waves.gtkw)."""
    values = subject.values[start : start + WAVE_VALUES]
    build = build_round_trip(subject.table, sim, trace=True)
    run_folder = folder / "waves"
    cycles = 2 * len(values) + WAVE_SLACK
    run_round_trip(build, values, subject.table, block_values, run_folder, cycles)
    waves = folder / "waves.fst"
    shutil.move(run_folder / "waves.fst", waves)
    shutil.rmtree(run_folder)
    save = folder / "waves.gtkw"
    write_save_file(save, waves, subject.table.value_w)
    return waves, save


def write_save_file(path: Path, waves: Path, value_w: int) -> None:
    """Write the GTKWave save file that goes with a waveform of the bench."""
    with path.open("w", encoding="utf-8") as file:
        save = GTKWSave(file)
        save.dumpfile(waves.name, abspath=False)
        save.treeopen(TOP)
        save.trace(f"{TOP}.clk", datafmt="hex")
        save.trace(f"{TOP}.rst", datafmt="hex")
        for group, signals in signal_groups(value_w).items():
            with save.group(group):
                for name, bits, form in signals:
                    suffix = f"[{bits - 1}:0]" if bits > 1 else ""
                    save.trace(f"{TOP}.{name}{suffix}", datafmt=form)
