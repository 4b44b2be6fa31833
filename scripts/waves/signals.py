"""The signals of a waveform file, in groups that follow the house's port names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pywellen

CLOCKS = ("clk", "rst")
VALID = re.compile(r"([sm](?:_\w+?)?)_t?valid")
BUS = "s_axil"
STATE = re.compile(r".*(engine|interval|search|pending|loop)\w*_inst")
STATE_GROUPS, STATE_SIGNALS, WIDEST = 6, 24, 64
NOT_A_BIT = re.compile("[^01]")
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


def groups_of(waveform: Waveform) -> list[Group]:
    """Clock and reset, each stream, register bus, status, and the state of engines or interval."""
    ports = [name for name in waveform.names if "." not in name]
    groups = [Group("clock and reset", tuple(name for name in CLOCKS if name in ports))]
    bus = tuple(name for name in ports if name.startswith(f"{BUS}_") or name == "irq")
    states = _state_groups(waveform, ports)
    inner = _registers(waveform, "registers_inst")
    prefixes = _stream_prefixes(ports)
    for prefix in prefixes:
        groups.append(Group(f"stream {prefix}", _members(prefix, prefixes, ports), prefix))
    groups += [Group("registers", bus + inner[:STATE_SIGNALS], BUS if bus else "")]
    groups += [Group("status", tuple(name for name in ports if name.startswith("status_")))]
    if not prefixes:
        rest = (name for name in ports if name not in CLOCKS and not name.endswith("_reg"))
        groups += [Group("signals", tuple(rest))]
    return [group for group in [*groups, *states] if group.signals]


def _stream_prefixes(ports: Sequence[str]) -> list[str]:
    found = (VALID.fullmatch(name) for name in ports if not name.startswith(BUS))
    return sorted({match[1] for match in found if match}, key=lambda name: (name[0] == "m", name))


def _members(prefix: str, prefixes: Sequence[str], ports: Sequence[str]) -> tuple[str, ...]:
    longer = tuple(f"{other}_" for other in prefixes if other.startswith(f"{prefix}_"))
    return tuple(
        name
        for name in ports
        if name.startswith(f"{prefix}_") and not (longer and name.startswith(longer))
    )


def _registers(waveform: Waveform, scope: str) -> tuple[str, ...]:
    """The registers of an instance, without those that are too wide to read."""
    start = f"{scope}." if scope else ""
    return tuple(
        name
        for name in waveform.names
        if name.startswith(start)
        and "." not in name[len(start) :]
        and name.endswith("_reg")
        and waveform.bits(name) <= WIDEST
    )


def _state_groups(waveform: Waveform, ports: Sequence[str]) -> list[Group]:
    """The registers of the engines, or of what keeps the interval, nearest to the top first."""
    scopes = {name.rpartition(".")[0] for name in waveform.names}
    inner = sorted(filter(STATE.fullmatch, scopes), key=lambda scope: (scope.count("."), scope))
    groups = [
        Group(f"state of {scope or waveform.top}", _registers(waveform, scope)[:STATE_SIGNALS])
        for scope in ["", *inner]
    ]
    return [group for group in groups if group.signals][:STATE_GROUPS]
