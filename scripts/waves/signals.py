# SPDX-License-Identifier: Apache-2.0
"""The signals of a waveform file, in groups that follow the house's port names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tb.sim.systems import system_module
from tb.sim.waveform import BUS, Group, Waveform

CLOCKS = ("clk", "rst")
VALID = re.compile(r"([sm](?:_\w+?)?)_t?valid")
INSTANCES = r".*_inst"  # what has the state of a system that does not say so
STATE_GROUPS, STATE_SIGNALS, WIDEST = 6, 24, 64


def groups_of(waveform: Waveform) -> list[Group]:
    """Clock and reset, each stream, register bus, status, and what has the state."""
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
    """Registers of the instances that the system calls its state, nearest to the top first."""
    own = system_module(waveform.top.partition("_")[0], "transactions")
    state = re.compile(getattr(own, "STATE", INSTANCES))
    scopes = {name.rpartition(".")[0] for name in waveform.names}
    inner = sorted(filter(state.fullmatch, scopes), key=lambda scope: (scope.count("."), scope))
    groups = [
        Group(f"state of {scope or waveform.top}", _registers(waveform, scope)[:STATE_SIGNALS])
        for scope in ["", *inner]
    ]
    return [group for group in groups if group.signals][:STATE_GROUPS]
