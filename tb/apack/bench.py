"""The benches of the encoder and the decoder: streams on every port, checks against the model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Self

import numpy as np
from cocotb.handle import SimHandleBase
from cocotb.simtime import get_sim_time
from cocotb.triggers import Event, FallingEdge, RisingEdge

from model.apack import Bits, EncodedBlock, SymbolTable, encode_block
from model.apack.hostile import centred_table
from tb.apack.expected import FAULTS, decoder_outcome, word_frame
from tb.apack.illegal import Rows, illegal_tables
from tb.apack.stimulus import random_table
from tb.apack.streams import (
    PERIOD_NS,
    Beat,
    Frame,
    Pace,
    StreamDriver,
    StreamMonitor,
    any_pace,
    reset,
    start_clock,
    within,
)

ENCODER_OUTPUTS = ("code", "offset", "block")


@dataclass(frozen=True)
class Widths:
    """The parameters of an encoder or a decoder."""

    value_w: int
    symbols: int
    count_w: int
    code_w: int
    word_w: int
    block_w: int

    @classmethod
    def of(cls, dut: SimHandleBase) -> Widths:
        """Those that `dut` was built with."""
        names = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "BLOCK_W")
        return cls(*(int(getattr(dut, name).value) for name in names))

    def random_table(self) -> SymbolTable:
        """A legal table for these widths."""
        return random_table(self.value_w, self.symbols, self.count_w)

    def hostile_table(self) -> SymbolTable:
        """A table that makes the longest runs of pending bits, if these widths have one."""
        if self.symbols < 3 or self.count_w < 2:
            return SymbolTable.uniform(self.value_w, 1, self.count_w)
        return centred_table(self.value_w, self.count_w)

    def illegal_tables(self) -> list[tuple[Rows, int]]:
        """Tables that break each rule, with the row each is wrong in."""
        return illegal_tables(self.value_w, self.symbols, self.count_w)

    def longest(self, limit: int) -> int:
        """The longest legal block of at most `limit` values."""
        return min(limit, (1 << self.block_w) - 1)


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


def assert_frame(found: Frame, wanted: Frame, stream: str, story: str) -> None:
    """Compare two frames; the message names the first beat that differs.

    Args:
        stream: name of the stream, for the message.
        story: what was sent, for the message.
    """
    for index, (got, want) in enumerate(zip_longest(found, wanted)):
        if got != want:
            raise AssertionError(
                f"{stream}: beat {index} is {_shown(got)}, expected {_shown(want)} "
                f"({len(found)} beats, expected {len(wanted)}); {story}"
            )


def _shown(beat: Beat | None) -> str:
    """A beat for a message, data in hexadecimal."""
    if beat is None:
        return "missing"
    return " ".join(f"{k} {v:#x}" if k == "tdata" else f"{k} {v}" for k, v in beat.items())


def story_of(table: SymbolTable, values: Sequence[int], block: int) -> str:
    """What a block was made of, for a message."""
    shown = [int(value) for value in values[:64]]
    more = f" and {len(values) - 64} more" if len(values) > 64 else ""
    return f"block {block} of {len(values)} values {shown}{more}, table {table.to_json()}"


async def sampled(dut: SimHandleBase, name: str) -> int:
    """A status output in the middle of this clock cycle."""
    await FallingEdge(dut.clk)
    return int(getattr(dut, name).value)


async def cycles(dut: SimHandleBase, count: int) -> None:
    """Let some rising edges pass."""
    for _ in range(count):
        await RisingEdge(dut.clk)


async def until(dut: SimHandleBase, condition: Callable[[], bool], limit: int, what: str) -> None:
    """Let rising edges pass until something holds; raises AssertionError after `limit` of them."""
    for _ in range(limit):
        if condition():
            return
        await RisingEdge(dut.clk)
    raise AssertionError(f"hang: {what} did not come within {limit} cycles")


def now() -> int:
    """Number of the clock cycle."""
    return int(get_sim_time("ns")) // PERIOD_NS


async def pulse(signal: SimHandleBase, clk: SimHandleBase) -> None:
    """Hold a signal high for one rising edge."""
    await RisingEdge(clk)
    signal.value = 1
    await RisingEdge(clk)
    signal.value = 0


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
