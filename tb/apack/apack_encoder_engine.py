# SPDX-License-Identifier: Apache-2.0
"""apack_encoder_engine: every bit of every stream against the model, whatever the others do."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from model.apack import Interval, SymbolTable, encode_block
from model.apack.hostile import longest_pending_run, pending_run
from tb.apack.env.coder import story_of
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import edge_values, tables_of_every_size
from tb.apack.env.widths import EngineWidths
from tb.bus.cycles import cycles, now, reset, start_clock, until
from tb.bus.frames import Frame, assert_frame
from tb.bus.pace import Pace, always, any_pace
from tb.bus.turns import TurnMonitor, turn_frame

PARAMETERS = ("STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W")
SETS = {
    "one": (1, 8, 16, 10, 16, 16),
    "two-smallest": (2, 2, 2, 1, 3, 3),
    "three-wide": (3, 16, 32, 14, 16, 32),
    "four": (4, 8, 16, 10, 16, 16),
    "five-narrow": (5, 4, 5, 6, 8, 8),
    "six-one-row": (6, 12, 1, 4, 10, 13),
    "seven-long-code": (7, 7, 11, 16, 20, 24),
    "eight": (8, 8, 16, 10, 16, 16),
}
ILLEGAL = {
    "STREAMS": (0, 9),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "PIECE_W": (15,),
    "short-piece": {"VALUE_W": 14, "CODE_W": 12, "PIECE_W": 13},
}
MUTATED = "five-narrow"
ICARUS_ROUNDS = 2

ROUNDS = int(os.environ.get("ROUNDS") or 12)

LENGTHS = (0, 1, 2, 12, 50)
LONG_RUN, SHORTER_RUN = 16_000, 2_000  # pending bits that a hostile block must reach
INPUTS = ("s_valid", "s_value", "s_end")


@dataclass(frozen=True)
class Sent:
    """A block that was queued: its words on both outputs, and how to name it."""

    code: Frame
    offset: Frame
    story: str
    bits: int


class EncoderEngineBench:
    """A queue of blocks for each stream, and a check of both outputs of each."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.widths = EngineWidths.of(dut)
        streams = self.widths.streams
        self.table = self.widths.random_table()
        self.code = TurnMonitor(dut, "m_code", streams)
        self.offset = TurnMonitor(dut, "m_offset", streams)
        self.queues: list[deque[dict[str, int]]] = [deque() for _ in range(streams)]
        self.sent: list[list[Sent]] = [[] for _ in range(streams)]
        self.idle = [0.0] * streams  # of each stream, the part of its slots left unused
        self.taken = 0  # beats that the engine has taken

    @classmethod
    async def started(cls, dut) -> EncoderEngineBench:
        """A bench after reset."""
        bench = cls(dut)
        bench.show(bench.table)
        start_clock(dut)
        bench._drive({"s_valid": 0})
        cocotb.start_soon(bench._feed())
        await reset(dut)
        return bench

    def show(self, table: SymbolTable) -> None:
        """Put a table on the row buses."""
        self.table = table
        for name, rows in row_buses(table, self.widths.symbols).items():
            if hasattr(self.dut, name):
                getattr(self.dut, name).value = rows

    async def restart(self) -> None:
        """Reset in the middle of whatever goes on, and forget it."""
        self.dut.rst.value = 1
        for items in (*self.queues, *self.sent):
            items.clear()
        await reset(self.dut, 1)
        self.code.abort()
        self.offset.abort()

    def pace(self, choose: Callable[[], Pace] = any_pace) -> None:
        """Choose a pattern for each output."""
        self.code.pace(choose())
        self.offset.pace(choose())

    def send(self, stream: int, values: Iterable[int]) -> None:
        """Queue a block for a stream."""
        values = [int(value) for value in values]
        beats = [{"s_valid": 1, "s_value": value, "s_end": 0} for value in values]
        noise = random.getrandbits(self.widths.value_w)
        self.queues[stream] += [*beats, {"s_valid": 1, "s_value": noise, "s_end": 1}]
        self.sent[stream].append(self._wanted(stream, values))

    def send_any(self, stream: int, blocks: int) -> None:
        """Queue some random blocks for a stream."""
        for _ in range(blocks):
            self.send(stream, self.widths.any_values(self.table, random.choice(LENGTHS)))

    def _wanted(self, stream: int, values: list[int]) -> Sent:
        block = encode_block(np.array(values, np.uint16), self.table, self.widths.code_w)
        story = story_of(self.table, values, len(self.sent[stream]))
        return Sent(
            turn_frame(block.code, self.widths.word_w),
            turn_frame(block.offsets, self.widths.word_w),
            f"stream {stream}, {story}",
            block.code.bits + block.offsets.bits,
        )

    async def expect_all(self) -> None:
        """Wait until all queued blocks have left, compare them, and see that nothing follows."""
        beats = sum(map(len, self.queues))
        bits = sum(block.bits for blocks in self.sent for block in blocks)
        limit = 3000 + 40 * self.widths.streams * beats + 20 * bits
        await until(self.dut, self._all_ended, limit, f"the end of {list(map(len, self.sent))}")
        await cycles(self.dut, 4 * self.widths.streams + 4)
        for monitor, part in ((self.code, "code"), (self.offset, "offset")):
            for stream, blocks in enumerate(self.sent):
                frames = monitor.of_stream[stream]
                assert len(frames) == len(blocks), f"{monitor.name}: too much of stream {stream}"
                for frame, block in zip(frames, blocks, strict=True):
                    assert_frame(frame, getattr(block, part), monitor.name, block.story)
            assert not any(monitor._under_way), f"{monitor.name}: {monitor._under_way}"
            monitor.abort()
        for blocks in self.sent:
            blocks.clear()

    def _all_ended(self) -> bool:
        return all(
            len(frames) >= len(blocks)
            for monitor in (self.code, self.offset)
            for frames, blocks in zip(monitor.of_stream, self.sent, strict=True)
        )

    async def _feed(self) -> None:
        dut, falling = self.dut, FallingEdge(self.dut.clk)
        while True:
            await falling
            if dut.rst.value == 1 or dut.s_ready.value == 0:
                self._drive({})
                continue
            stream = int(dut.s_stream.value)
            queue = self.queues[stream]
            if queue and random.random() >= self.idle[stream]:
                self._drive(queue.popleft())
                self.taken += 1
            else:
                self._drive({"s_valid": 0})

    def _drive(self, beat: dict[str, int]) -> None:
        """Show a beat; what it does not say is random."""
        for name in INPUTS:
            handle = getattr(self.dut, name)
            handle.value = beat.get(name, random.getrandbits(len(handle)))


def any_idleness(streams: int) -> list[float]:
    """How idle each stream is: all as fast as they can, or each on its own."""
    if random.random() < 0.4:
        return [0.0] * streams
    return [random.choice((0.0, 0.3, 0.8)) for _ in range(streams)]


@cocotb.test()
async def codes_any_blocks_of_any_streams(dut):
    bench = await EncoderEngineBench.started(dut)
    streams = bench.widths.streams
    for _ in range(ROUNDS):
        bench.show(bench.widths.random_table())
        bench.idle = any_idleness(streams)
        bench.pace()
        for stream in range(streams):
            bench.send_any(stream, random.choice((0, 1, 3)))
        await bench.expect_all()


@cocotb.test()
async def codes_the_edges_of_each_group_of_tables_of_every_size(dut):
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    tables = list(tables_of_every_size(widths.value_w, widths.symbols, widths.count_w))
    for table in tables if ROUNDS >= 12 else tables[::4]:
        bench.show(table)
        values = edge_values(table)
        for stream in range(widths.streams):
            bench.send(stream, values[stream :: widths.streams])
        await bench.expect_all()


@cocotb.test()
async def ends_offset_streams_of_every_length(dut):
    """Also with one group of all values, so that offsets are as wide as values."""
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    most_groups = min(widths.symbols, 1 << widths.count_w, 1 << widths.value_w)
    for groups in (1, most_groups):
        bench.show(SymbolTable.uniform(widths.value_w, groups, widths.count_w))
        for length in range(2 * widths.word_w // widths.value_w + 2):
            for stream in range(widths.streams):
                bench.send(stream, widths.any_values(bench.table, length))
        await bench.expect_all()


@cocotb.test()
async def counts_a_long_pending_run_of_one_stream_while_the_others_go_on(dut):
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    bench.show(widths.hostile_table())
    run = LONG_RUN if widths.count_w >= 10 else SHORTER_RUN
    most = 1 if bench.table.groups == 1 else -(-run // (bench.table.count_w - 1)) + 20
    values = pending_run(bench.table, most, widths.code_w)
    if widths.count_w >= 10 and most > 1:
        assert longest_pending_run(values, bench.table, widths.code_w) > run
    hostile = random.randrange(widths.streams)
    for stream in range(widths.streams):
        if stream == hostile:
            bench.send(stream, values)
        bench.send_any(stream, 3)
    await bench.expect_all()


@cocotb.test()
async def takes_a_slot_a_cycle(dut):
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    for _ in range(max(ROUNDS // 3, 1)):
        bench.show(widths.random_table())
        bench.pace(always)
        blocks = [widths.any_values(bench.table, 60) for _ in range(widths.streams)]
        allowed = sum(stalls(values, bench.table, widths) for values in blocks)
        beats = sum(len(values) + 1 for values in blocks)
        target = bench.taken + beats
        begin = now()
        for stream, values in enumerate(blocks):
            bench.send(stream, values)
        await until(dut, lambda end=target: bench.taken == end, 5 * beats + allowed + 9, "the end")
        spent = now() - begin
        assert spent <= beats + allowed + widths.streams + 2, (
            f"{spent} cycles for {beats} beats, {allowed} more allowed for long runs; "
            f"{story_of(bench.table, blocks[0], 0)}; test seed {cocotb.RANDOM_SEED}"
        )
        await bench.expect_all()


def stalls(values: np.ndarray, table: SymbolTable, widths: EngineWidths) -> int:
    """Cycles above one a beat that a block may take: its end, and values of more than a word."""
    interval = Interval(widths.code_w)
    pending = total = 0
    for value in values.tolist():
        interval.narrow(table, table.symbol_of(value))
        taken = list(interval.shifts())
        leads = sum(bit != interval.quarter for bit in taken)
        total += words_above_one(pending + leads, widths.word_w) if leads else 0
        pending = len(taken) - leads + (0 if leads else pending)
    return total + 1 + words_above_one(pending + 2, widths.word_w)


def words_above_one(bits: int, word_w: int) -> int:
    """0 if the bits fit a word; else their first bit has one of its own, as may what ends them."""
    return -(-bits // word_w) if bits > word_w else 0


@cocotb.test()
async def a_stall_of_one_output_stops_all_and_loses_nothing(dut):
    bench = await EncoderEngineBench.started(dut)
    widths = bench.widths
    for stalled in (bench.code, bench.offset):
        bench.show(SymbolTable.uniform(widths.value_w, 1, widths.count_w))
        bench.pace(always)
        for stream in range(widths.streams):
            for _ in range(40 + 3 * widths.word_w):
                bench.send(stream, [1])
        await cycles(dut, random.randint(0, 60))
        stalled.pace(None)
        stalled.ready.value = 0
        await cycles(dut, 8 * widths.streams + 40)
        taken = bench.taken
        for _ in range(50):
            await cycles(dut, 1)
            assert bench.taken == taken, f"{stalled.name} waits and a slot was taken"
        stalled.ready.value = 1
        await bench.expect_all()


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    bench = await EncoderEngineBench.started(dut)
    streams = bench.widths.streams
    for _ in range(4 * ROUNDS):
        bench.show(random.choice((bench.widths.random_table, bench.widths.hostile_table))())
        bench.idle = any_idleness(streams)
        bench.pace()
        for stream in random.sample(range(streams), random.randint(1, streams)):
            bench.send_any(stream, 3)
        await cycles(dut, random.choice((random.randint(0, 20), random.randint(0, 80))))
        await bench.restart()
        bench.idle = [0.0] * streams
        bench.pace(always)
        await cycles(dut, random.choice((0, 0, random.randint(1, 2 * streams))))
        for stream in random.sample(range(streams), random.randint(1, streams)):
            for length in random.choices((0, 1, 5), k=2):
                bench.send(stream, bench.widths.any_values(bench.table, length))
        await bench.expect_all()
