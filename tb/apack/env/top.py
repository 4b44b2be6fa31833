# SPDX-License-Identifier: Apache-2.0
"""What the benches of the compressor and of the decompressor share."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import cocotb
import numpy as np
from cocotb.handle import SimHandleBase
from cocotb.triggers import Event

from model.apack import SymbolTable, histogram, solve
from model.tensors import pattern_dtype
from tb.apack.env.memory_image import MemoryImage
from tb.apack.env.stimulus import random_values
from tb.apack.env.unit import Unit
from tb.apack.env.widths import TopWidths
from tb.bus.cycles import cycles, reset, start_clock, until_settled
from tb.bus.frames import Beat, Frame, assert_frame
from tb.bus.pace import Pace, any_pace
from tb.bus.streams import StreamDriver, StreamMonitor

ROUNDS = int(os.environ.get("ROUNDS") or 4)
CLOSING = {"tkeep": 0, "tlast": 1}
CODED_DRAWS = 100
TABLE_LATENCY = 20  # cycles from the write of a table's last row to its verdict


@dataclass(frozen=True)
class Tensor:
    """A tensor with what goes with it: table, values in a block, what memory holds of it."""

    values: np.ndarray
    table: SymbolTable
    block: int
    image: MemoryImage

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return self.image.blocks

    def story(self) -> str:
        """What it was made of, for a message."""
        shown = self.values[:48].tolist()
        return (
            f"{len(self.values)} values {shown} in blocks of {self.block}, "
            f"table {self.table.to_json()}; test seed {cocotb.RANDOM_SEED}"
        )


def any_tensor(
    widths: TopWidths,
    most: int,
    table: SymbolTable | None = None,
    block: int | None = None,
    length: int | None = None,
) -> Tensor:
    """A tensor of at most about `most` values; what is not given is drawn at random."""
    table = table or widths.random_table()
    block = block or widths.any_block()
    length = widths.any_length(block, most) if length is None else length
    values = any_values(widths, table, length)
    return Tensor(values, table, block, widths.image(values, table, block))


def any_values(widths: TopWidths, table: SymbolTable, length: int) -> np.ndarray:
    """Values whose character changes on the way, so that coded and raw blocks follow each other."""
    parts = []
    while (left := length - sum(map(len, parts))) > 0:
        parts.append(random_values(table, random.randint(1, left)))
    dtype = pattern_dtype(widths.value_w)
    return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)


def value_beats(
    values: Sequence[int], widths: TopWidths, null_end: bool | None = None
) -> list[Beat]:
    """Beats of the value port for one tensor; lanes that are not kept hold anything.

    A tensor of whole beats ends with a beat that keeps no lane when `null_end` says so, or by
    chance; an empty one always does.
    """
    lanes, size = widths.lanes, widths.lane_bytes
    values = [int(value) for value in values]
    rows = [values[start : start + lanes] for start in range(0, len(values), lanes)]
    whole = len(values) % lanes == 0
    if not rows or (whole and (random.random() < 0.3 if null_end is None else null_end)):
        rows.append([])
    beats = [_value_beat(row, widths, size) for row in rows]
    beats[-1]["tlast"] = 1
    return beats


def _value_beat(row: list[int], widths: TopWidths, size: int) -> Beat:
    above = 8 * size - widths.value_w
    data = random.getrandbits(8 * size * widths.lanes)
    for lane, value in enumerate(row):
        low = 8 * size * lane
        data &= ~(((1 << 8 * size) - 1) << low)
        data |= (random.getrandbits(above) << widths.value_w | value) << low
    return {"tdata": data, "tkeep": (1 << size * len(row)) - 1, "tlast": 0}


def spoil(beats: list[dict[str, int]], lanes: int, size: int) -> None:
    """Give one beat of the value port, of values of `size` bytes, a tkeep not allowed there.

    A gap or half a value is allowed nowhere, less than all lanes not where further values follow.
    There is none for beats of one byte.
    """
    full = (1 << size * lanes) - 1
    whole = {(1 << size * count) - 1 for count in range(lanes + 1)}
    broken = {*random.choices(range(full), k=20)} | {full & ~(1 << b) for b in range(size * lanes)}
    broken -= whole
    short = whole - {0, full}
    last = max(place for place, beat in enumerate(beats) if beat["tkeep"])
    if broken and (random.random() < 0.5 or not short):
        beats[random.choice((random.randrange(len(beats)), -1))]["tkeep"] = random.choice(
            sorted(broken)
        )
    else:
        beats[random.randrange(last)]["tkeep"] = random.choice(sorted(short))


def load_codec() -> None:
    """Load the compiled codec and solver, for simulations that begin from one process."""
    values = np.zeros(4, np.uint8)
    table = solve(histogram(values, 8), value_w=8, symbols=2, count_w=4)
    assert not MemoryImage.of(values, table, 4, 16).values().any()


class TopBench:
    """A unit with its registers and its streams.

    `of_output` gives, for each output, the frame of a whole tensor.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __init__(self, dut: SimHandleBase) -> None:
        self.dut = dut
        self.widths = TopWidths.of(dut)
        self.unit = Unit(dut)
        self.ins = {name: StreamDriver(dut, f"s_axis_{name}") for name in self.inputs}
        self.outs = {name: StreamMonitor(dut, f"m_axis_{name}") for name in self.outputs}

    @classmethod
    async def started(cls, dut: SimHandleBase) -> Self:
        """A bench with its clock running, after reset."""
        bench = cls(dut)
        start_clock(dut)
        await reset(dut)
        return bench

    def input_of(self, tensor: Tensor) -> dict[str, list[Beat]]:
        """The beats of each input for a tensor; an input may have none."""
        raise NotImplementedError

    def beginning_of(self, tensor: Tensor) -> dict[str, list[Beat]]:
        """Beats of each input that the unit takes whatever follows, without the tensor's end."""
        raise NotImplementedError

    def output_of(self, tensor: Tensor) -> dict[str, Frame]:
        """The frame of each output for a tensor; empty when it has none."""
        raise NotImplementedError

    def counters_of(self, tensor: Tensor) -> dict[str, int]:
        """The counters that a sound tensor determines."""
        return {
            "VALUES_DONE": len(tensor.values),
            "BITS": tensor.image.bits,
            "WORDS": len(tensor.image.words),
            "BLOCKS": tensor.blocks,
            "RAW_BLOCKS": int(tensor.image.raw.sum()),
            "BAD_BLOCKS": 0,
            "BAD_BLOCK": 0,
            "BAD_CAUSE": 0,
        }

    def meaning(self, beat: Beat) -> dict[str, int]:
        """A beat of an output without what means nothing."""
        return dict(beat)

    async def set_up(self, tensor: Tensor) -> None:
        """Write what the registers must say of a tensor before its START, but for its table."""
        await self.unit.write("BLOCK", tensor.block)

    def tensor(self, most: int | None = None, **fixed) -> Tensor:
        """Any tensor of a few blocks, at most about `most` values."""
        return any_tensor(self.widths, most or 4 * self.widths.block_values, **fixed)

    def coded_tensor(self) -> Tensor:
        """A tensor of two beats in one block, coded if one is found, so that its table matters."""
        block = min(2 * self.widths.lanes, self.widths.block_values)
        for _ in range(CODED_DRAWS):
            tensor = self.tensor(block=block, length=block)
            if not tensor.image.raw.any():
                break
        return tensor

    def send(self, tensor: Tensor) -> list[Event]:
        """Queue a tensor on all inputs; returns the events of the last beats being taken."""
        beats = self.input_of(tensor)
        return [sent(self.ins[name], beats[name]) for name in self.inputs if beats[name]]

    async def expect(self, tensor: Tensor) -> None:
        """Compare the next frame of every output with the tensor's."""
        for name, wanted in self.output_of(tensor).items():
            if wanted:
                frame = await self.outs[name].next_frame(self.patience(tensor))
                found = [self.meaning(beat) for beat in frame]
                assert_frame(found, wanted, name, tensor.story())

    async def prepare(self, tensor: Tensor, bank: int = 0) -> None:
        """Load the tensor's table and say how it is cut."""
        await self.unit.load_table(bank, tensor.table)
        await self.set_up(tensor)

    async def run(self, tensor: Tensor, bank: int = 0) -> None:
        """Run one tensor and check all there is to it."""
        await self.prepare(tensor, bank)
        await self.unit.start(bank)
        self.send(tensor)
        await self.expect(tensor)
        await self.wait_event("DONE", self.patience(tensor))
        await self.expect_counters(**self.counters_of(tensor))
        await self.expect_quiet()

    async def restart(self) -> None:
        """Reset in the middle of whatever goes on, and forget it."""
        self.dut.rst.value = 1
        self.stop_input()
        self.unit.bus.abort()
        await reset(self.dut, 1)
        for monitor in self.outs.values():
            monitor.abort()

    def stop_input(self) -> None:
        """Forget what was to be sent."""
        for driver in self.ins.values():
            driver.abort()

    def pace(self, choose: Callable[[], Pace] = any_pace) -> None:
        """Choose a pattern for every stream."""
        for driver in self.ins.values():
            driver.set_valid_generator(choose())
        for monitor in self.outs.values():
            monitor.pace(choose())

    def hold(self, *names: str) -> None:
        """Take nothing from these outputs until further notice; from all when none is named."""
        for name in names or self.outputs:
            self.outs[name].pace(None)
            self.outs[name].ready.value = 0

    def release(self) -> None:
        """Take everything from all outputs."""
        for monitor in self.outs.values():
            monitor.pace(None)

    def room(self) -> int:
        """Values that fill every buffer between the inputs and outputs that take nothing."""
        widths = self.widths
        return widths.block_values * (6 * widths.engines + 12)

    def patience(self, tensor: Tensor) -> int:
        """Cycles within which a tensor must be through at any pace."""
        widths = self.widths
        value = 40 * widths.streams + 4 * tensor.table.count_w
        return 5000 + value * (len(tensor.values) + widths.block_values)

    async def wait_event(self, name: str, limit: int) -> None:
        """Wait for an event by its interrupt, for some cycles at most, and clear all events."""
        await self.unit.enable(name)
        await until_settled(self.dut, lambda: self.dut.irq.value == 1, limit, f"the event {name}")
        assert name in await self.unit.clear_events()
        await self.unit.enable()

    async def expect_counters(self, **wanted: int) -> dict[str, int]:
        """Compare some counters; returns all."""
        found = await self.unit.counters()
        compared = {name: found[name] for name in wanted}
        assert compared == wanted, f"counters {compared}, expected {wanted}"
        return found

    def check_cut_short(self, tensor: Tensor) -> None:
        """Each output gave all of the tensor, or a part of it and then a closing beat.

        Of a tensor without values that was dropped it is the closing beat alone.
        """
        for name, whole in self.output_of(tensor).items():
            monitor = self.outs[name]
            assert monitor.frames, f"{name}: no end after an abort"
            frame = [self.meaning(beat) for beat in monitor.frames.pop(0)]
            if frame != whole:
                assert frame[-1].items() >= CLOSING.items(), f"{name} ends with {frame[-1]}"
                assert_frame(frame[:-1], whole[: len(frame) - 1], name, tensor.story())

    async def expect_aborted(self, tensor: Tensor, events: set[str]) -> None:
        """Wait for the end of an aborted tensor and check what came out of it."""
        await self.unit.enable("ABORTED")
        limit = self.patience(tensor)
        await until_settled(self.dut, lambda: self.dut.irq.value == 1, limit, "an abort's end")
        await self.unit.enable()
        self.check_cut_short(tensor)
        await self.expect_quiet(events)

    async def expect_quiet(self, events: set[str] | frozenset[str] = frozenset()) -> None:
        """Nothing runs, nothing more comes out, and these events stand; clears them."""
        await cycles(self.dut, 30)
        status = await self.unit.status() & {"BUSY", "QUEUED", "DISCARD"}
        assert not status, f"{status} when all should be over"
        found = await self.unit.clear_events()
        assert found == events, f"events {found}, expected {set(events)}"
        for monitor in self.outs.values():
            left = monitor.frames, monitor.frame_so_far
            assert not any(left), f"{monitor.name}: more than was asked for: {left}"


def sent(driver: StreamDriver, beats: list[Beat]) -> Event:
    """Queue beats; returns the event of the last one being taken."""
    taken = Event()
    driver.append(beats, event=taken)
    return taken
