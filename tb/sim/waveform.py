# SPDX-License-Identifier: Apache-2.0
"""Waveform files: their signals by name, at any time or once a cycle, and groups of signals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import pywellen

BUS = "s_axil"  # start of the names of a register bus
NOT_A_BIT = re.compile("[^01]")
LEAST_GAP = 4  # cycles that are worth a gap
NANOSECONDS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0, "ps": 1e-3, "fs": 1e-6}


@dataclass(frozen=True)
class Group:
    """Signals that belong together, by their names below the top module."""

    name: str
    signals: tuple[str, ...]
    stream: str = ""  # start of the names of a stream's ports


class Waveform:
    """A waveform file of one design.

    Names are those below the top module; `top` is its own. A bit that is unknown counts as 0.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        waveform = pywellen.Waveform(str(path))
        variables = [one for one in waveform.all_vars() if not one.full_name.startswith("$")]
        self.top = variables[0].full_name.split(".")[0]
        self._factor, self._unit = waveform.timescale.factor, str(waveform.timescale.unit)
        self.unit = f"{self._factor} {self._unit}"
        start = f"{self.top}."
        self._variables = {
            one.full_name.removeprefix(start): one
            for one in variables
            if one.full_name.startswith(start) and one.bitwidth
        }
        self.parameters = {
            name: self.at(name, 0)
            for name, one in self._variables.items()
            if one.var_type == "Parameter" and "." not in name
        }
        self.names = [name for name, one in self._variables.items() if one.var_type != "Parameter"]

    def __contains__(self, name: str) -> bool:
        return name in self._variables

    def bits(self, name: str) -> int:
        """Width of a signal."""
        return self._variables[name].bitwidth

    def at(self, name: str, time: int) -> int:
        """What a signal holds at a time."""
        return number(self._variables[name].signal.value_at(time))

    def changes(self, name: str) -> Iterable[tuple[int, int | str]]:
        """Times and values of a signal."""
        return self._variables[name].signal

    @cached_property
    def end(self) -> int:
        """Time of the last change that is seen at the clock, or else at any signal."""
        names = ["clk"] if "clk" in self else self.names
        return max((time for name in names for time, _ in self.changes(name)), default=0)

    def time_of(self, nanoseconds: float) -> int:
        """A time of the simulation in units of the waveform."""
        return round(nanoseconds / (self._factor * NANOSECONDS[self._unit]))

    def cycles(self) -> list[tuple[int, int]]:
        """Begin and end of each clock cycle: from a rising edge to the next."""
        if "clk" not in self:
            return []
        rises = [time for time, level in self.changes("clk") if str(level) == "1"]
        return list(zip([0, *rises], rises, strict=False))


def number(value: int | str | None) -> int:
    """A value of a waveform as a number."""
    if isinstance(value, str):
        return int(NOT_A_BIT.sub("0", value) or "0", 2)
    return value or 0


class Sample:
    """What the signals hold in one cycle, by name: `sample("m_axis_values_tvalid")`.

    A bit that the simulator calls unknown counts as 0.
    """

    def __init__(self, waveform: Waveform, cycle: int, time: int) -> None:
        self._waveform, self.cycle, self._time = waveform, cycle, time

    def __call__(self, name: str) -> int:
        return self._waveform.at(name, self._time)


Condition = Callable[[Sample], bool]


class Wave:
    """The signals of a waveform file, sampled once a cycle of `clk` from the end of `rst` on.

    A sample raises KeyError for a signal that the file does not have.
    """

    def __init__(self, path: Path) -> None:
        self._waveform = Waveform(path)
        changes = self._waveform.changes("rst")
        reset = max(time for time, level in changes if number(level) == 0)
        self._ends = [rise - 1 for _, rise in self._waveform.cycles() if rise > reset]

    @property
    def cycles(self) -> int:
        """Number of cycles."""
        return len(self._ends)

    def sample(self, cycle: int) -> Sample:
        """The signals in this cycle."""
        return Sample(self._waveform, cycle, self._ends[cycle])

    def first(self, condition: Condition, start: int = 0) -> int:
        """The first cycle from `start` on in which this holds; ValueError if there is none."""
        for cycle in range(start, self.cycles):
            if condition(self.sample(cycle)):
                return cycle
        raise ValueError("what the diagram begins or ends with never happens")

    def active(self, span: range, condition: Condition) -> list[int]:
        """The cycles of `span` in which this holds, the ones around them, and short pauses."""
        found = [cycle for cycle in span if condition(self.sample(cycle))]
        shown = {cycle + side for cycle in found for side in (-1, 0, 1)}
        for before, after in pairwise(found):
            if after - before - 1 < LEAST_GAP:
                shown.update(range(before, after))
        return sorted(shown & set(range(self.cycles)))
