# SPDX-License-Identifier: Apache-2.0
"""The benches of the encoder and the decoder: streams on every port, checks against the model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Self

import numpy as np
from cocotb.handle import SimHandleBase
from cocotb.triggers import Event, FallingEdge, RisingEdge

from model.apack import Bits, EncodedBlock, SymbolTable, encode_block
from tb.apack.env.expected import FAULTS, decoder_outcome
from tb.apack.env.widths import Widths
from tb.bus.cycles import cycles, pulse, reset, sampled, start_clock, within
from tb.bus.frames import Beat, assert_frame, word_frame
from tb.bus.pace import Pace, any_pace
from tb.bus.streams import StreamDriver, StreamMonitor

ENCODER_OUTPUTS = ("code", "offset", "block")


def rows_of(table: SymbolTable) -> list[tuple[int, int]]:
    """The rows (base, cum at the group's end) that load a table."""
    return list(zip(table.base, table.cum[1:], strict=True))


def table_beats(rows: Iterable[tuple[int, int]], value_w: int) -> list[Beat]:
    """Beats of the table port."""
    beats = [{"tdata": cum << value_w | base, "tlast": 0} for base, cum in rows]
    beats[-1]["tlast"] = 1
    return beats


def value_beats(values: Sequence[int], nulls: float = 0.0) -> list[Beat]:
    """Beats of the value port for one block; `nulls` is the chance of a null beat at each place.

    An empty block ends in a null beat, as may any other when `nulls` is above 0.
    """
    beats = []
    for value in values:
        while random.random() < nulls:
            beats.append({"tdata": random.getrandbits(2), "tkeep": 0, "tlast": 0})
        beats.append({"tdata": int(value), "tkeep": 1, "tlast": 0})
    if not beats or random.random() < nulls:
        beats.append({"tdata": random.getrandbits(2), "tkeep": 0, "tlast": 0})
    beats[-1]["tlast"] = 1
    return beats


def story_of(table: SymbolTable, values: Sequence[int], block: int) -> str:
    """What a block was made of, for a message."""
    shown = [int(value) for value in values[:64]]
    more = f" and {len(values) - 64} more" if len(values) > 64 else ""
    return f"block {block} of {len(values)} values {shown}{more}, table {table.to_json()}"


class CoderBench:
    """What the encoder and the decoder have in common: a table port, status, a clock, a reset."""

    table_ports: tuple[str, ...] = ("s_axis_table",)
    table_status: tuple[str, ...] = ("table_valid",)

    def __init__(self, dut: SimHandleBase) -> None:
        self.dut = dut
        self.widths = Widths.of(dut)
        self.table_ins = [StreamDriver(dut, port) for port in self.table_ports]
        self.drivers = list(self.table_ins)
        self.monitors: list[StreamMonitor] = []
        self.checked = 0  # blocks compared
        dut.status_clear.value = 0

    @classmethod
    async def started(cls, dut: SimHandleBase) -> Self:
        """A bench with its clock running, after reset."""
        bench = cls(dut)
        start_clock(dut)
        await reset(dut)
        return bench

    async def restart(self) -> None:
        """Reset in the middle of whatever goes on, and forget it."""
        self.dut.rst.value = 1
        for driver in self.drivers:
            driver.abort()
        await reset(self.dut, 1)
        for monitor in self.monitors:
            monitor.abort()

    def pace(self, choose: Callable[[], Pace] = any_pace) -> None:
        """Choose a pattern for every stream."""
        for driver in self.drivers:
            driver.set_valid_generator(choose())
        for monitor in self.monitors:
            monitor.pace(choose())

    async def expect_busy(self, begun: Callable[[], bool], left: Callable[[], bool]) -> None:
        """Compare status_busy in every cycle from when a block has begun until it has left."""
        for _ in range(5000):
            await RisingEdge(self.dut.clk)
            over = left()
            busy = await sampled(self.dut, "status_busy")
            assert not begun() or busy == (not over), f"busy is {busy}, block left: {over}"
            if over:
                return
        raise AssertionError("hang: the block did not leave within 5000 cycles")

    async def expect_nothing_more(self) -> None:
        """The unit is idle a little later and has put out nothing that was not asked for."""
        await cycles(self.dut, 20)
        await self.expect_status(busy=0)
        left = {monitor.name: monitor.frames for monitor in self.monitors if monitor.frames}
        assert not left, f"more than was sent: {left}"

    def offer_table(self, table: SymbolTable, port: int = 0) -> Event:
        """Send a table to one port; returns the event of its last row being taken."""
        return self.offer_rows(rows_of(table), port)

    def offer_rows(self, rows: Iterable[tuple[int, int]], port: int = 0) -> Event:
        """Send table rows, legal or not; returns the event of the last one being taken."""
        taken = Event()
        self.table_ins[port].append(table_beats(rows, self.widths.value_w), event=taken)
        return taken

    async def load(self, table: SymbolTable) -> None:
        """Send a table to every port and wait until it is taken and valid."""
        for taken in [self.offer_table(table, port) for port in range(len(self.table_ins))]:
            await within(5000, taken.wait(), "the table's last row")
        await self.expect_status(**dict.fromkeys(self.table_status, 1))

    async def clear_status(self) -> None:
        """Pulse status_clear."""
        await pulse(self.dut.status_clear, self.dut.clk)

    async def expect_status(self, **wanted: int) -> None:
        """Compare status outputs, named without `status_`, in the middle of this cycle."""
        await FallingEdge(self.dut.clk)
        found = {name: int(getattr(self.dut, f"status_{name}").value) for name in wanted}
        assert found == wanted, f"status {found}, expected {wanted}"


class EncoderBench(CoderBench):
    """Drives an encoder and checks its three outputs against the model."""

    def __init__(self, dut: SimHandleBase) -> None:
        super().__init__(dut)
        self.values_in = StreamDriver(dut, "s_axis_value")
        self.code, self.offset, self.block = (
            StreamMonitor(dut, f"m_axis_{name}") for name in ENCODER_OUTPUTS
        )
        self.drivers.append(self.values_in)
        self.monitors += [self.code, self.offset, self.block]

    def send(self, values: Sequence[int], nulls: float = 0.0) -> Event:
        """Send a block; returns the event of its last beat being taken."""
        taken = Event()
        self.values_in.append(value_beats(values, nulls), event=taken)
        return taken

    async def expect(self, values: Sequence[int], table: SymbolTable, cut: bool = False) -> None:
        """Wait for the next block on all outputs and compare it with the model's."""
        values = np.asarray(values, dtype=np.uint16)
        wanted = encode_block(values, table, self.widths.code_w)
        story = story_of(table, values, self.checked)
        limit = 3000 + 60 * len(values) + 12 * wanted.bits
        descriptor = [{"tdata": len(values), "tuser": int(cut)}]
        for monitor, frame in (
            (self.code, word_frame(wanted.code, self.widths.word_w)),
            (self.offset, word_frame(wanted.offsets, self.widths.word_w)),
            (self.block, descriptor),
        ):
            assert_frame(await monitor.next_frame(limit), frame, monitor.name, story)
        self.checked += 1


def split_words(bits: Bits, word_w: int, ragged: bool = False) -> list[Beat]:
    """A bit stream as words for the decoder.

    What stands behind a word's valid bits is random. With `ragged`, words hold any number of
    bits and some hold none, also the last.
    """
    text, beats = str(bits), []
    while text or not beats:
        size = random.choice((0, word_w, random.randint(0, word_w))) if ragged else word_w
        piece, text = text[:size], text[size:]
        padding = random.getrandbits(word_w) & ((1 << (word_w - len(piece))) - 1)
        data = int(piece or "0", 2) << (word_w - len(piece)) | padding
        beats.append({"tdata": data, "tuser": len(piece), "tlast": 0})
    if ragged and random.random() < 0.5:
        beats.append({"tdata": random.getrandbits(word_w), "tuser": 0, "tlast": 0})
    beats[-1]["tlast"] = 1
    return beats


class DecoderBench(CoderBench):
    """Drives a decoder and checks its values and faults against the model."""

    def __init__(self, dut: SimHandleBase) -> None:
        super().__init__(dut)
        self.block_in, self.code_in, self.offset_in = (
            StreamDriver(dut, f"s_axis_{name}") for name in ("block", "code", "offset")
        )
        self.value = StreamMonitor(dut, "m_axis_value")
        self.drivers += [self.block_in, self.code_in, self.offset_in]
        self.monitors.append(self.value)

    def send(self, block: EncodedBlock, ragged: bool = False) -> Event:
        """Send a block's count and streams; returns the event of its count being taken."""
        taken = Event()
        self.block_in.append([{"tdata": block.count}], event=taken)
        for driver, bits in ((self.code_in, block.code), (self.offset_in, block.offsets)):
            driver.append(split_words(bits, self.widths.word_w, ragged))
        return taken

    async def expect(self, block: EncodedBlock, table: SymbolTable) -> frozenset[str]:
        """Wait for the next block of values and compare it with the model's; returns its faults."""
        outcome = decoder_outcome(block, table, self.widths.code_w)
        story = f"{story_of(table, outcome.values, self.checked)}, {describe(block)}"
        limit = 3000 + 60 * block.count + 12 * block.bits
        frame = await self.value.next_frame(limit)
        assert_frame(frame, outcome.frame(), self.value.name, story)
        self.checked += 1
        return outcome.faults

    async def expect_faults(self, faults: Iterable[str]) -> None:
        """Compare the sticky bits of the stream checks."""
        await self.expect_status(**{name: int(name in faults) for name in FAULTS})


def describe(block: EncodedBlock) -> str:
    """The streams of a block, for a message."""
    code, offsets = str(block.code), str(block.offsets)
    return (
        f"count {block.count}, code {block.code.bits} bits {code[:200]}, "
        f"offsets {block.offsets.bits} bits {offsets[:200]}"
    )
