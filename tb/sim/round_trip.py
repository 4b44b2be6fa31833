# SPDX-License-Identifier: Apache-2.0
"""What a codec offers to the commands that send tensors through its hardware and back.

`tb/<system>/round_trip.py` has `CODEC`, a `Codec`, for `make demo`. Where it also has `RATES`, a
`Rates`, and `LOOP`, a `Loop`, there are `make throughput` and `make bench-sim` as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from model.tensors import Tensor
from tb.sim.builds import Build
from tb.sim.systems import system_module, systems_with

MODULE = "round_trip"
DEFAULT = "apack"  # whose hardware is meant where nobody says
WRONG_VALUES = "wrong_values"

Signal = tuple[str, int, str]  # path below the bench, bits, format of GTKWave


class NoSuchCodec(ValueError):
    """A name that is no codec's, or of one that lacks what a command needs; one line."""


@dataclass(frozen=True)
class Compared:
    """What is compared between hardware and model, beside the values that come back.

    name: for people, of several, such as "memory words".
    number, wrong: the figures that count all of them, and those that differ.
    """

    name: str
    number: str
    wrong: str


@dataclass(frozen=True)
class Run:
    """What the hardware made of the values of one run.

    figures: what `Codec.figures` names, counts and sizes in bits; they add up over runs.
    cycles: clock cycles of all units, one after another.
    units: counters of each unit by name; its "cycles" begin where those of the run before end.
    differences: how many things differ from the model's, and a line on the first of them, by kind:
        WRONG_VALUES, a `Compared.wrong`, or anything else that can go wrong.
    seconds: that the simulation took.
    """

    figures: Mapping[str, int]
    cycles: int
    units: Mapping[str, Mapping[str, int]]
    differences: Mapping[str, tuple[int, str]]
    seconds: float

    @property
    def mismatches(self) -> int:
        """How many things differ in all."""
        return sum(count for count, _ in self.differences.values())


class Table(Protocol):
    """What the user says of the coding of tensors, checked against the hardware."""

    @property
    def value_w(self) -> int:
        """Bits of the values it is for."""


class Job(Protocol):
    """A tensor that is ready to go through the hardware.

    values: unsigned patterns in C order, (count,).
    value_w: bits of each.
    block: values in a block; a run begins at one.
    table_bits: size of what decoding takes beside the memory that the hardware writes.
    spans: first value and number of values of each part of the range that the codec tells apart.
    record: what the summary keeps of it beside the figures.
    top: the bench, a Verilog module.
    parameters: those of `top`; jobs with the same ones share a build.
    """

    values: np.ndarray
    value_w: int
    block: int
    table_bits: int
    spans: Sequence[tuple[int, int]]
    record: Mapping[str, object]
    top: str
    parameters: Mapping[str, int]

    def build(self, sim: str, trace: bool = False) -> Build:
        """The bench; trace: for waveforms. Raises ToolMissing and BuildError."""

    def run(self, build: Build, values: np.ndarray, folder: Path, wave_cycles: int = 0) -> Run:
        """Send some of the values, from the begin of a block on, and compare all that comes out.

        `folder` takes the files of the run; with wave_cycles > 0 and a tracing build, also
        waves.fst. Raises BenchFailure when the simulation dies.
        """

    def signal_groups(self) -> Mapping[str, Sequence[Signal]]:
        """What a viewer shows of a waveform, by the name of the group."""


Part = tuple[Job, np.ndarray]  # some of its values, from the begin of a block on


class Codec(Protocol):
    """A codec with hardware that tensors can be sent through.

    units: parts of the hardware whose cycles are counted; the slowest one sets the rate.
    figures: names of what is counted in a run.
    stored: those of them that are sizes of what the hardware leaves in memory.
    stored_text: the same for people.
    compared: what is compared beside values.
    preparing: what `prepare` does with tensors, for people.
    default_block: values in a block unless the user chooses.
    """

    units: Sequence[str]
    figures: Sequence[str]
    stored: Sequence[str]
    stored_text: str
    compared: Sequence[Compared]
    preparing: str
    default_block: int

    def block_values(self, text: str) -> int:
        """The user's choice of values in a block. Raises ValueError, whose message is one line."""

    def load_table(self, path: Path) -> Table:
        """The user's table. Raises InputError for one that is illegal or unfit for the hardware."""

    def prepare(self, tensor: Tensor, block: int, table: Table | None = None) -> Job:
        """Get a tensor ready, with the table that fits it best or with the user's.

        Raises InputError for a tensor that the hardware cannot take.
        """

    def run(self, build: Build, parts: Sequence[Part], folder: Path) -> list[Run]:
        """Send parts of jobs that share a build and a block, each right behind the one before.

        Otherwise as `Job.run`.
        """

    def shape(self, block: int) -> Mapping[str, int]:
        """How the hardware is built for blocks of that many values, for the summary."""


@dataclass(frozen=True)
class Sweep:
    """Values of a parameter that rates are measured over.

    chosen: unless the user says others, which are all `legal`.
    ideal: what it would mean that the rate equals the parameter, for people; empty if nothing.
    """

    chosen: tuple[int, ...]
    legal: Sequence[int]
    ideal: str = ""


@dataclass(frozen=True)
class Limit:
    """What passes a port once a cycle at most, so that it limits the rate.

    name: in the results. figure: the one of `Run.figures` that counts it. text: for people.
    """

    name: str
    figure: str
    text: str


class Rates(Protocol):
    """How fast the hardware is, over its parameters.

    units: those whose rate is measured, one at a time, as keys of `Run.units`.
    shape: parameters of the design that is varied, by name.
    sweeps: which of them are varied, one at a time; at least one.
    limit: what sets a limit that no parameter of `sweeps` changes; None for nothing.
    text: what holds for all of the measurement, for people, to follow "values".
    """

    units: Sequence[str]
    shape: Mapping[str, int]
    sweeps: Mapping[str, Sweep]
    limit: Limit | None
    text: str

    def prepare(self, tensor: Tensor, shape: Mapping[str, int]) -> Job:
        """Get a tensor ready for hardware of this shape, whose units run one after another."""

    def run(self, build: Build, parts: Sequence[Part], folder: Path) -> list[Run]:
        """As `Codec.run`."""


class LoopJob(Protocol):
    """Values that are ready to go through the bare units.

    Other values of the same kind may go through as well.
    """

    def build(self, sim: str) -> Build:
        """The bench that reads and writes files. Raises ToolMissing and BuildError."""

    def run(self, build: Build, values: np.ndarray, folder: Path) -> object:
        """Send values (count,) by files: what is timed. Raises BenchFailure."""

    def mismatches(self, values: np.ndarray, found: object) -> Sequence[str]:
        """A line on each kind of difference between the model and what a run has found."""

    def by_signals(self, sim: str, values: np.ndarray, folder: Path) -> float:
        """Send values with Python on each clock edge, check them, and return the seconds it took.

        Raises BuildError and CocotbFailure.
        """


class Loop(Protocol):
    """The bare units, one behind the other, for the speed of simulations."""

    text: str  # what they are called

    def prepare(self, values: np.ndarray) -> LoopJob:
        """Get 8-bit values (count,) ready, so that nothing of it is timed."""


def codecs() -> list[str]:
    """The codecs with hardware that tensors can be sent through."""
    return systems_with(MODULE)


def find_codec(name: str) -> Codec:
    """The codec of that name. Raises NoSuchCodec."""
    return _find(name, "CODEC")


def find_rates(name: str) -> Rates:
    """How rates of that codec are measured. Raises NoSuchCodec."""
    return _find(name, "RATES")


def find_loop(name: str) -> Loop:
    """The bare units of that codec. Raises NoSuchCodec."""
    return _find(name, "LOOP")


def _find(name: str, part: str) -> object:
    module = system_module(name, MODULE)
    if module is None:
        raise NoSuchCodec(f"there is no codec {name!r} with hardware, but {', '.join(codecs())}")
    if not hasattr(module, part):
        raise NoSuchCodec(f"{name!r} has no {part} in tb/{name}/{MODULE}.py")
    return getattr(module, part)
