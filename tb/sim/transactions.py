# SPDX-License-Identifier: Apache-2.0
"""What passes the ports of a design as text: beats of streams, writes and reads of registers.

A system's `tb/<system>/transactions.py` says more of its own ports. It has one function,
`readers(waveform, groups)`, which makes a `Reader` of each of these groups, by its stream, and may
have `STATE`, a regular expression of the instances whose registers a viewer shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tb.sim.systems import system_module
from tb.sim.waveform import BUS, Group, Waveform

Sampled = Callable[[str], int]  # what a signal holds in a cycle, by its name


@dataclass(frozen=True)
class Note:
    """A text beside the signals from `begin` to `end`, in units of the waveform's time."""

    begin: int
    end: int
    text: str


class Reader(Protocol):
    """Reads what passes a port, cycle by cycle."""

    def reset(self) -> None:
        """Forget what is not complete."""

    def read(self, sample: Sampled) -> str:
        """The text of a cycle; empty when nothing passes."""


def transactions(waveform: Waveform, groups: Sequence[Group]) -> dict[str, list[Note]]:
    """The texts of each stream and of the register bus, by the start of its ports' names."""
    own = system_module(waveform.top.partition("_")[0], "transactions")
    ports = [group for group in groups if group.stream]
    readers = (own.readers if own else plain_readers)(waveform, ports)
    notes: dict[str, list[Note]] = {name: [] for name in readers}
    for begin, end in waveform.cycles():

        def sample(name: str, time: int = max(end - 1, 0)) -> int:
            return waveform.at(name, time)

        if "rst" in waveform and sample("rst"):
            for reader in readers.values():
                reader.reset()
            continue
        for name, reader in readers.items():
            if text := reader.read(sample):
                notes[name].append(Note(begin, end, text))
    return notes


def plain_readers(waveform: Waveform, groups: Sequence[Group]) -> dict[str, Reader]:
    """The readers of ports of which nothing is known but their names."""
    return {group.stream: Bus() if group.stream == BUS else Stream(group) for group in groups}


class Bus:
    """Writes and reads of a register bus, in the cycle that completes them."""

    def __init__(self) -> None:
        self._write: list[int | None] = [None, None]  # address, data
        self._read_address = 0

    def reset(self) -> None:
        """Forget what is not complete."""
        self._write = [None, None]

    def read(self, sample: Sampled) -> str:
        """The text of this cycle; empty when nothing is complete."""
        texts = [*self._written(sample), *self._was_read(sample)]
        return "; ".join(texts)

    def described(self, what: str, address: int, word: int) -> str:
        """The text of one access; `what` is "write" or "read"."""
        return f"{what} 0x{address:02X} = 0x{word:X}"

    def follow(self, address: int, word: int) -> None:
        """Take note of a write."""

    def _written(self, sample: Sampled) -> Iterator[str]:
        for place, (channel, data) in enumerate((("aw", "awaddr"), ("w", "wdata"))):
            if _passes(sample, f"{BUS}_{channel}"):
                self._write[place] = sample(f"{BUS}_{data}")
        address, word = self._write
        if address is not None and word is not None:
            self._write = [None, None]
            yield self.described("write", address, word)
            self.follow(address, word)

    def _was_read(self, sample: Sampled) -> Iterator[str]:
        if _passes(sample, f"{BUS}_r"):
            yield self.described("read", self._read_address, sample(f"{BUS}_rdata"))
        if _passes(sample, f"{BUS}_ar"):
            self._read_address = sample(f"{BUS}_araddr")


class Stream:
    """The beats of one stream, numbered within each packet."""

    def __init__(self, group: Group) -> None:
        self.name = group.stream
        self.kind = group.stream.rsplit("_", 1)[-1]
        self.members = {name.removeprefix(f"{group.stream}_") for name in group.signals}
        self._count = 0  # of what has passed in this packet

    def reset(self) -> None:
        """Begin a new packet."""
        self._count = 0

    def read(self, sample: Sampled) -> str:
        """The text of this cycle; empty when no beat is taken."""
        if not self._passes(sample):
            return ""
        beat = {name: sample(f"{self.name}_{name}") for name in self.members}
        data = beat.get("tdata", beat.get("data", beat.get("value", 0)))
        text = self.described(sample, beat, data)
        extra = [f"stream {beat['stream']}"] if "stream" in beat else []
        extra += [name.lstrip("t") for name in ("tlast", "last", "end") if beat.get(name)]
        if beat.get("tlast") or ("stream" not in beat and beat.get("last")):
            self._count = 0
        return ", ".join([text, *extra])

    def described(self, sample: Sampled, beat: dict[str, int], data: int) -> str:
        """The text of one beat, by the names of its signals; `data` is its content."""
        return f"{self.kind} {self.next(1)}: 0x{data:X}"

    def next(self, count: int) -> int:
        """The number of the first of `count` things that pass."""
        first = self._count
        self._count += count
        return first

    def _passes(self, sample: Sampled) -> bool:
        valid = "tvalid" if "tvalid" in self.members else "valid"
        ready = valid.replace("valid", "ready")
        taken = sample(f"{self.name}_{ready}") if ready in self.members else 1
        return bool(sample(f"{self.name}_{valid}") and taken)


def _passes(sample: Sampled, channel: str) -> bool:
    return bool(sample(f"{channel}valid") and sample(f"{channel}ready"))
