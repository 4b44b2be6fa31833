# SPDX-License-Identifier: Apache-2.0
"""What a viewer opens: a VCD file with signals and texts, GTKWave save files, Surfer commands."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from vcd import VCDWriter
from vcd.gtkw import GTKWSave

from tb.sim.transactions import Note
from tb.sim.waveform import BUS, Group, Waveform, number

TEXTS = "transactions"  # scope of the texts
WINDOW, NAMES_WIDTH = (1500, 950), 320  # of GTKWave, in pixels
WAVES_WIDTH = 880  # what names, values and scroll bars leave of that to the waves
FRAME = 200  # pixels that the zoom of a save file is for
MARKER = "failure"
# A viewer takes a blank in a VCD string for its end, or shows an escape for it.
BLANK = str.maketrans(" ", "_")


def text_name(stream: str) -> str:
    """The name of the signal with a stream's texts."""
    return f"{'registers' if stream == BUS else stream}_text"


def write_vcd(
    path: Path, waveform: Waveform, groups: Sequence[Group], notes: Mapping[str, list[Note]]
) -> None:
    """Write the grouped signals of a waveform and the texts beside them, up to its end."""
    names = list(dict.fromkeys(name for group in groups for name in group.signals))
    with path.open("w", encoding="utf-8") as file, VCDWriter(file, waveform.unit) as writer:
        variables = [_signal(writer, waveform, name) for name in names]
        sources = [_changes(waveform, name, place) for place, name in enumerate(names)]
        for stream, found in notes.items():
            variables.append(writer.register_var(TEXTS, text_name(stream), "string", init=""))
            sources.append(_texts(found, len(variables) - 1))
        for time, place, value in heapq.merge(*sources, key=lambda change: change[:2]):
            writer.change(variables[place], time, value)
        writer.close(waveform.end)


def _signal(writer: VCDWriter, waveform: Waveform, name: str) -> object:
    scope, _, last = f"{waveform.top}.{name}".rpartition(".")
    return writer.register_var(scope, last, "wire", size=waveform.bits(name), init="x")


def _changes(waveform: Waveform, name: str, place: int) -> Iterator[tuple[int, int, int]]:
    for time, value in waveform.changes(name):
        yield time, place, number(value)


def _texts(notes: list[Note], place: int) -> Iterator[tuple[int, int, str]]:
    """The changes of a text, which stands until the next one: repeated ones are numbered."""
    before, times = "", 1
    for note in notes:
        times = times + 1 if note.text == before else 1
        before = note.text
        text = f"{note.text} #{times}" if times > 1 else note.text
        yield note.begin, place, text.translate(BLANK)


def show_all(file: TextIO, dump: Path, end: int, marker: int | None = None) -> GTKWSave:
    """Begin a GTKWave save file that opens on the whole waveform.

    Args:
        file: the save file.
        dump: the waveform, beside it.
        end: last time of the waveform, in its units.
        marker: time of the primary marker and of one that is named.
    """
    save = GTKWSave(file)
    save.dumpfile(dump.name, abspath=False)
    save.dumpfile_mtime(dump_path=str(dump))
    save.dumpfile_size(dump_path=str(dump))
    save.timestart(0)
    save.size(*WINDOW)
    # The zoom is minus the binary logarithm of the units of time in a frame.
    zoom = -math.log2(max(end, marker or 0, 1) * FRAME / WAVES_WIDTH)
    named = {} if marker is None else {"a": marker}
    save.zoom_markers(zoom, -1 if marker is None else marker, **named)
    if marker is not None:
        file.write(f"[markername] A{MARKER}\n")  # which the library does not know
    return save


def write_gtkwave(
    path: Path,
    dump: Path,
    waveform: Waveform,
    groups: Sequence[Group],
    texts: bool,
    marker: int | None = None,
) -> None:
    """Write a GTKWave save file beside the waveform that it opens, with a marker at a time."""
    with path.open("w", encoding="utf-8") as file:
        save = show_all(file, dump, waveform.end, marker)
        save.sst_expanded(False)
        save.signals_width(NAMES_WIDTH)
        save.treeopen(waveform.top)
        for group in groups:
            with save.group(group.name):
                if texts and group.stream:
                    save.trace(f"{TEXTS}.{text_name(group.stream)}", datafmt="ascii")
                for name in group.signals:
                    bits = waveform.bits(name)
                    extent = f"[{bits - 1}:0]" if bits > 1 else ""
                    save.trace(f"{waveform.top}.{name}{extent}", datafmt="hex")


def write_surfer(
    path: Path, waveform: Waveform, groups: Sequence[Group], texts: bool, marker: int | None = None
) -> None:
    """Write the Surfer commands that show the groups, each below a divider with its name."""
    lines = []
    for group in groups:
        lines.append(f"divider_add {group.name}")
        if texts and group.stream:
            lines.append(f"variable_add {TEXTS}.{text_name(group.stream)}")
        lines += [f"variable_add {waveform.top}.{name}" for name in group.signals]
    if marker is not None:
        lines += [f"marker_set {MARKER} {marker}", f"cursor_set {marker}"]
    path.write_text("\n".join([*lines, "zoom_fit"]) + "\n", encoding="utf-8")
