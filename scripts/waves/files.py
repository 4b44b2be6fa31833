"""What a viewer opens: a VCD file with signals and texts, GTKWave save files, Surfer commands."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vcd import VCDWriter
from vcd.gtkw import GTKWSave

from scripts.waves.signals import BUS, Group, Waveform, number
from scripts.waves.transactions import Note

TEXTS = "transactions"  # scope of the texts
WINDOW, NAMES_WIDTH = (1500, 950), 320  # of GTKWave, in pixels
# A viewer takes a blank in a VCD string for its end, or shows an escape for it.
BLANK = str.maketrans(" ", "_")


def text_name(stream: str) -> str:
    """The name of the signal with a stream's texts."""
    return f"{'registers' if stream == BUS else stream}_text"


def write_vcd(
    path: Path, waveform: Waveform, groups: Sequence[Group], notes: Mapping[str, list[Note]]
) -> None:
    """Write the grouped signals of a waveform and the texts beside them."""
    names = list(dict.fromkeys(name for group in groups for name in group.signals))
    with path.open("w", encoding="utf-8") as file, VCDWriter(file, waveform.unit) as writer:
        variables = [_signal(writer, waveform, name) for name in names]
        sources = [_changes(waveform, name, place) for place, name in enumerate(names)]
        for stream, found in notes.items():
            variables.append(writer.register_var(TEXTS, text_name(stream), "string", init=""))
            sources.append(_texts(found, len(variables) - 1))
        for time, place, value in heapq.merge(*sources, key=lambda change: change[:2]):
            writer.change(variables[place], time, value)


def _signal(writer: VCDWriter, waveform: Waveform, name: str) -> object:
    scope, _, last = f"{waveform.top}.{name}".rpartition(".")
    return writer.register_var(scope, last, "wire", size=waveform.bits(name), init="x")


def _changes(waveform: Waveform, name: str, place: int) -> Iterator[tuple[int, int, int]]:
    for time, value in waveform.changes(name):
        yield time, place, number(value)


def _texts(notes: list[Note], place: int) -> Iterator[tuple[int, int, str]]:
    """The changes of a text: it ends with its cycle when no other follows at once."""
    begins = {note.begin for note in notes}
    for note in notes:
        yield note.begin, place, note.text.translate(BLANK)
        if note.end not in begins:
            yield note.end, place, ""


def write_gtkwave(
    path: Path, dump: Path, waveform: Waveform, groups: Sequence[Group], texts: bool
) -> None:
    """Write a GTKWave save file beside the waveform that it opens."""
    with path.open("w", encoding="utf-8") as file:
        save = GTKWSave(file)
        save.dumpfile(dump.name, abspath=False)
        save.size(*WINDOW)
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


def write_surfer(path: Path, waveform: Waveform, groups: Sequence[Group], texts: bool) -> None:
    """Write the Surfer commands that show the groups, each below a divider with its name."""
    lines = []
    for group in groups:
        lines.append(f"divider_add {group.name}")
        if texts and group.stream:
            lines.append(f"variable_add {TEXTS}.{text_name(group.stream)}")
        lines += [f"variable_add {waveform.top}.{name}" for name in group.signals]
    path.write_text("\n".join([*lines, "zoom_fit"]) + "\n", encoding="utf-8")
