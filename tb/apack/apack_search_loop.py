# SPDX-License-Identifier: Apache-2.0
"""apack_search_loop: the symbols of streams that take turns, each as if it were alone."""

from __future__ import annotations

import os
import random
from collections import deque
from dataclasses import dataclass

import cocotb
from cocotb.triggers import FallingEdge

from model.apack import Interval, SymbolTable
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import random_table
from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "SYMBOLS", "COUNT_W", "CODE_W", "TAG_W")
SETS = {
    "one-smallest": (1, 2, 1, 3, 12),
    "three-narrow": (3, 5, 6, 8, 12),
    "six": (6, 16, 10, 16, 12),
    "seven-one-row": (7, 1, 7, 10, 12),
    "eight-wide": (8, 32, 14, 16, 12),
}
ILLEGAL = {
    "STREAMS": (0, 9),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
}
MUTATED = "six"
ICARUS_ROUNDS = 2

ROUNDS = int(os.environ.get("ROUNDS") or 12)

VALUE_W = 8  # of the tables; the loop sees no values


@dataclass
class Stream:
    """A decoder after the definition, on a code stream of bits that are drawn as it goes."""

    interval: Interval
    code: int
    ahead: str  # the next code bits, as text

    def step(self, table: SymbolTable) -> tuple[int, int]:
        """Decode a symbol; returns it and its number of shifts."""
        interval, distance = self.interval, self.code - self.interval.low
        symbol = next(
            s for s in range(table.groups)
            if distance < interval.slice_start(table.cum[s + 1], table.count_w)
        )  # fmt: skip
        interval.narrow(table, symbol)
        shifts = list(interval.shifts())
        for taken in shifts:
            self.code = 2 * (self.code - taken) + int(self.draw(1))
        return symbol, len(shifts)

    def peek(self, count: int) -> str:
        """The next code bits."""
        while len(self.ahead) < count:
            plain = random.choice(("0" * 40, "1" * 40, "01" * 20))
            self.ahead += random.choice((plain, f"{random.getrandbits(40):040b}"))
        return self.ahead[:count]

    def draw(self, count: int) -> str:
        """Use up some code bits."""
        drawn, self.ahead = self.peek(count), self.ahead[count:]
        return drawn


@dataclass(frozen=True)
class Slot:
    """What a slot must bring out: None where that means nothing."""

    tag: int
    hit: int | None
    shift_count: int | None
    code_bits: str  # what the stream shows when the shift count leaves
    story: str


class SearchBench:
    """Sends slots; checks symbols and shift counts, each always equally many cycles later."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("STREAMS", "SYMBOLS", "COUNT_W", "CODE_W", "TAG_W")
        self.streams_w, self.symbols, self.count_w, self.code_w, self.tag_w = map(parameter, names)
        self.streams: list[Stream | None] = [None] * self.streams_w
        self.turn = 0
        self.table = SymbolTable.uniform(VALUE_W, 1, self.count_w)
        self.waiting = {"hit": deque(), "shift": deque()}
        self.delays: dict[str, int] = {}  # of each output, learnt from the first tag

    def show(self, table: SymbolTable) -> None:
        """Put a table on the row buses."""
        self.table = table
        for name, rows in row_buses(table, self.symbols).items():
            if hasattr(self.dut, name):
                getattr(self.dut, name).value = rows

    async def flush(self) -> None:
        """Push out the tags of before, which are anything, so that the first one is told apart."""
        for _ in range(2 * self.streams_w):
            await FallingEdge(self.dut.clk)
            inputs = {"s_active": 0, "s_first": 0, "s_tag": 0}
            await outputs_for(self.dut, {**inputs, "enable": 1})

    async def cycle(self, enable: float, first: float, idle: float) -> None:
        """One cycle, of enable or not."""
        await FallingEdge(self.dut.clk)
        if random.random() >= enable:
            noise = {"s_active": random.getrandbits(1), "s_first": 0}
            await outputs_for(self.dut, {**noise, "enable": 0})
            return
        inputs, slot = self._slot(first, idle)
        for waiting in self.waiting.values():
            waiting.append(slot)
        await outputs_for(self.dut, {**inputs, "enable": 1})
        self._check_hit()
        await self._check_shift()
        self.turn = (self.turn + 1) % self.streams_w

    def _slot(self, first: float, idle: float) -> tuple[dict[str, int], Slot]:
        stream, tag = self.streams[self.turn], random.randrange(1, 1 << self.tag_w)
        inputs = {"s_active": 0, "s_first": 0, "s_tag": tag}
        if stream is None or random.random() < first:
            stream = self.streams[self.turn] = Stream(Interval(self.code_w), 0, "")
            bits = stream.peek(self.code_w)
            stream.code = int(stream.draw(self.code_w), 2)
            story = f"stream {self.turn} starts with {bits}"
            return inputs | {"s_first": 1}, Slot(tag, None, self.code_w, bits, story)
        interval = stream.interval
        story = f"stream {self.turn}, {interval.low}..{interval.high}, code {stream.code}, "
        bits = stream.peek(self.code_w)
        if random.random() < idle:
            return inputs, Slot(tag, 1, 0, bits, story + "idle")
        symbol, shifts = stream.step(self.table)
        story += f"table {self.table.to_json()}"
        return inputs | {"s_active": 1}, Slot(tag, 1 << symbol, shifts, bits, story)

    def _next(self, output: str, tag: int) -> Slot | None:
        """The slot that an output is about in this cycle, if it is one that was sent."""
        waiting = self.waiting[output]
        if output not in self.delays:
            if len(waiting) <= self.streams_w and tag != waiting[0].tag:
                return None
            self.delays[output] = len(waiting) - 1
        if len(waiting) <= self.delays[output]:
            return None
        slot = waiting.popleft()
        assert tag == slot.tag, f"{slot.story}: {output} with tag {tag}, expected {slot.tag}"
        return slot

    def _check_hit(self) -> None:
        slot = self._next("hit", int(self.dut.m_hit_tag.value))
        if slot and slot.hit is not None:
            hit = int(self.dut.m_hit.value)
            assert hit == slot.hit, f"{slot.story}: hit {hit:b}, expected {slot.hit:b}"

    async def _check_shift(self) -> None:
        slot = self._next("shift", int(self.dut.m_shift_tag.value))
        if slot:
            inputs = {"s_code_bits": int(slot.code_bits, 2)}
            (count,) = await outputs_for(self.dut, inputs, "m_shift_count")
            wanted = slot.shift_count
            assert count == wanted, f"{slot.story}: {count} shifts, expected {wanted}"


@cocotb.test()
async def finds_the_symbols_of_each_stream(dut):
    start_clock(dut)
    bench = SearchBench(dut)
    await bench.flush()
    for _ in range(ROUNDS):
        for _ in range(2 * bench.streams_w):  # what is under way needs the old table
            await bench.cycle(enable=1.0, first=0.0, idle=1.0)
        bench.show(random_table(VALUE_W, bench.symbols, bench.count_w))
        enable, first = random.choice((1.0, 0.5)), random.choice((0.0, 0.05))
        idle = random.choice((0.0, 0.3))
        for _ in range(150):
            await bench.cycle(enable, first, idle)
