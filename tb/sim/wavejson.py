# SPDX-License-Identifier: Apache-2.0
"""Timing diagrams from waveforms: samples of an FST file become WaveJSON, the input of WaveDrom.

A column of a diagram is a clock cycle, sampled just before the rising edge that ends it. Cycles in
which nothing of interest happens are left out, with a gap in their place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import wavedrom

from tb.sim.waveform import Condition, Sample, Wave

GAP, SAME, UNKNOWN, PLAIN = "|", ".", "x", "="


def always(sample: Sample) -> bool:
    """The condition that holds in every cycle."""
    return True


def never(sample: Sample) -> bool:
    """The condition that holds in no cycle."""
    return False


@dataclass(frozen=True)
class Box:
    """What a row of boxes shows in a cycle; `colour` is a box of WaveDrom, = or 2 to 9."""

    text: str
    colour: str = PLAIN


LEFT_OUT = Box("…", "2")  # boxes of the cycles in a gap


@dataclass(frozen=True)
class Row:
    """A row of a diagram: a level (0 or 1), a box, or None where it means nothing.

    ends: says that a box ends with the cycle, even if the next one has the same text.
    """

    name: str
    of: Callable[[Sample], int | Box | None]
    ends: Condition = never


def bit(name: str, signal: str, place: int = 0) -> Row:
    """A row that shows one bit of a signal as a level."""
    return Row(name, lambda sample: sample(signal) >> place & 1)


Group = tuple[str, Sequence[Row]]


def wave_json(title: str, wave: Wave, cycles: Sequence[int], groups: Sequence[Group]) -> dict:
    """The WaveJSON of a diagram with these cycles, numbered from the first one."""
    number = Row("cycle", lambda sample: Box(str(sample.cycle - cycles[0]), "2"), always)
    signals: list = [_lane(number, wave, cycles)]
    for name, rows in groups:
        signals += [{}, [name, *(_lane(row, wave, cycles) for row in rows)]]
    return {"signal": signals, "head": {"text": title}, "config": {"hscale": 1}}


def write_diagram(diagram: dict, path: Path) -> None:
    """Write WaveJSON to `path`.json and its picture to `path`.svg."""
    text = json.dumps(diagram, indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")
    path.with_suffix(".svg").write_text(picture(text), encoding="utf-8")


def picture(text: str) -> str:
    """The SVG of a WaveJSON text, on white."""
    drawing = wavedrom.render(text)
    drawing.elements.insert(0, drawing.rect(size=("100%", "100%"), fill="white"))
    return f"{drawing.tostring()}\n"


def _lane(row: Row, wave: Wave, cycles: Sequence[int]) -> dict:
    """One row as a lane of WaveJSON."""
    lane: dict = {"name": row.name, "wave": "", "data": []}

    def put(box: Box) -> None:
        lane["wave"] += box.colour
        lane["data"].append(box.text)

    before: int | Box | None = None
    ended = True
    for place, cycle in enumerate(cycles):
        sample = wave.sample(cycle)
        shown = row.of(sample)
        if place and cycle != cycles[place - 1] + 1:
            if isinstance(before, Box) and ended:
                put(LEFT_OUT)
            else:
                lane["wave"] += GAP
        if place and shown == before and not (isinstance(shown, Box) and ended):
            lane["wave"] += SAME
        elif isinstance(shown, Box):
            put(shown)
        else:
            lane["wave"] += UNKNOWN if shown is None else str(shown)
        before, ended = shown, row.ends(sample)
    return lane
