"""Waveform of a few blocks, with a GTKWave save file whose groups make sense to a person."""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.demo.tensors import Subject
from scripts.waves.files import show_all
from tb.apack.bulk.tops_round_trip import TOP, Shape, build_tops, run_tops_round_trip
from tb.sim.waveform import Waveform

WAVE_VALUES = 4096  # a longer waveform is slow to open and shows nothing more
WAVE_SLACK = 4000  # cycles to load the tables and to let the last block out

ENCODER = "compressor_inst.g_channel[0].channel_inst.engine_inst"
DECODER = "decompressor_inst.g_channel[0].channel_inst.engine_inst"


def signal_groups(value_w: int, shape: Shape) -> dict[str, list[tuple[str, int, str]]]:
    """What the save file shows: group -> (path below the bench, bits, format)."""
    beat = shape.lanes * (2 if value_w > 8 else 1)
    piece, word = shape.piece_w, shape.word_w
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
            ("back_tvalid", 1, "hex"), ("back_tdata", 8 * beat, "hex"), ("back_tkeep", beat, "hex"),
            ("back_tlast", 1, "hex"), ("back_tuser", 1, "hex"),
        ],
    }  # fmt: skip


def _stream(name: str, data_w: int, keep_w: int) -> list[tuple[str, int, str]]:
    signals = (("tvalid", 1), ("tready", 1), ("tdata", data_w), ("tkeep", keep_w), ("tlast", 1))
    return [(f"{name}_{signal}", bits, "hex") for signal, bits in signals]


def _engine(path: str, signals: list[tuple[str, int]]) -> list[tuple[str, int, str]]:
    return [(f"{path}.{name}", bits, "hex") for name, bits in signals]


def record_waves(
    subject: Subject, start: int, sim: str, shape: Shape, block_values: int, folder: Path
) -> tuple[Path, Path]:
    """Simulate a few blocks from value `start` on with tracing; (waves.fst, waves.gtkw)."""
    values = subject.values[start : start + WAVE_VALUES]
    build = build_tops(subject.table, sim, shape, trace=True)
    run_folder = folder / "waves"
    cycles = 2 * len(values) + WAVE_SLACK
    run_tops_round_trip(
        build, shape, values, subject.table, block_values, run_folder, wave_cycles=cycles
    )
    waves = folder / "waves.fst"
    shutil.move(run_folder / "waves.fst", waves)
    shutil.rmtree(run_folder)
    save = folder / "waves.gtkw"
    write_save_file(save, waves, subject.table.value_w, shape)
    return waves, save


def write_save_file(path: Path, waves: Path, value_w: int, shape: Shape) -> None:
    """Write the GTKWave save file that goes with a waveform of the bench."""
    with path.open("w", encoding="utf-8") as file:
        save = show_all(file, waves, Waveform(waves).end)
        save.treeopen(TOP)
        save.trace(f"{TOP}.clk", datafmt="hex")
        save.trace(f"{TOP}.rst", datafmt="hex")
        for group, signals in signal_groups(value_w, shape).items():
            with save.group(group):
                for name, bits, form in signals:
                    suffix = f"[{bits - 1}:0]" if bits > 1 else ""
                    save.trace(f"{TOP}.{name}{suffix}", datafmt=form)
