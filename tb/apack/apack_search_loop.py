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

PARAMETERS = ("STREAMS", "SYMBOLS", "COUNT_W", "CODE_W")
SETS = {
    "one-smallest": (1, 2, 1, 3),
    "two-narrow": (2, 5, 6, 8),
    "four": (4, 16, 10, 16),
    "four-one-row": (4, 1, 7, 10),
    "eight-wide": (8, 32, 14, 16),
}
ILLEGAL = {
    "STREAMS": (0, 3, 16),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
}
MUTATED = "four"
ICARUS_ROUNDS = 2

ROUNDS = int(os.environ.get("ROUNDS") or 30)

VALUE_W = 8  # of the tables; the loop sees no values
HIT_DELAYS = {1: 0, 2: 1, 4: 2, 8: 4}  # cycles from a slot to its symbol, by STREAMS
COUNT_DELAYS = {1: 0, 2: 1, 4: 3, 8: 6}  # and to its shift count


@dataclass
class Stream:
    """A decoder after the definition, on a code stream of bits that are drawn as it goes."""

    interval: Interval
    code: int = 0

    def draw(self, table: SymbolTable, first: int, count: int) -> str:
        """Choose the code from `first` on by its last bits, which are returned.

        It is that of any symbol, the rare as often as others, or its bits are plain.
        """
        self.code = first + random.choice((0, (1 << count) - 1, random.getrandbits(count)))
        if random.random() < 0.7:
            symbol, interval = random.randrange(table.groups), self.interval
            low, end = (
                interval.low + interval.slice_start(cum, table.count_w)
                for cum in table.cum[symbol : symbol + 2]
            )
            low, high = max(low, first), min(end - 1, first + (1 << count) - 1)
            if low <= high:
                self.code = random.choice((low, high, random.randint(low, high)))
        return f"{self.code - first:0{count}b}" if count else ""

    def step(self, table: SymbolTable) -> tuple[int, str]:
        """Decode a symbol; returns it and the code bits that come in then, one a shift."""
        interval, distance = self.interval, self.code - self.interval.low
        symbol = next(
            s for s in range(table.groups)
            if distance < interval.slice_start(table.cum[s + 1], table.count_w)
        )  # fmt: skip
        interval.narrow(table, symbol)
        taken = list(interval.shifts())
        shifted = self.code
        for less in taken:
            shifted = 2 * (shifted - less)
        return symbol, self.draw(table, shifted, len(taken))


@dataclass(frozen=True)
class Slot:
    """What a slot must bring out: None where that means nothing.

    code_bits: what the stream shows when the shift count leaves.
    """

    hit: int | None
    count: int | None
    code_bits: str
    story: str


UNKNOWN = Slot(None, None, "", "not known")


class SearchBench:
    """Sends slots; checks symbols and shift counts as many cycles later as the contract says."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("STREAMS", "SYMBOLS", "COUNT_W", "CODE_W")
        self.streams_w, self.symbols, self.count_w, self.code_w = map(parameter, names)
        self.streams: list[Stream | None] = [None] * self.streams_w
        self.turn = 0
        self.table = SymbolTable.uniform(VALUE_W, 1, self.count_w)
        self.sent = deque([UNKNOWN] * 8, maxlen=8)  # the newest at the end

    def show(self, table: SymbolTable) -> None:
        """Put a table on the row buses."""
        self.table = table
        for name, rows in row_buses(table, self.symbols).items():
            if hasattr(self.dut, name):
                getattr(self.dut, name).value = rows

    async def cycle(self, first: float, idle: float) -> None:
        """One cycle."""
        await FallingEdge(self.dut.clk)
        inputs, slot = self._slot(first, idle)
        self.sent.append(slot)
        await outputs_for(self.dut, inputs)
        self._check_hit(self.sent[-1 - HIT_DELAYS[self.streams_w]])
        await self._check_count(self.sent[-1 - COUNT_DELAYS[self.streams_w]])
        self.turn = (self.turn + 1) % self.streams_w

    def _slot(self, first: float, idle: float) -> tuple[dict[str, int], Slot]:
        stream = self.streams[self.turn]
        inputs = {"s_active": 0, "s_first": 0}
        if stream is None or random.random() < first:
            stream = self.streams[self.turn] = Stream(Interval(self.code_w))
            bits = stream.draw(self.table, 0, self.code_w)
            story = f"stream {self.turn} starts with {bits}"
            return inputs | {"s_first": 1}, Slot(None, self.code_w, bits, story)
        interval = stream.interval
        story = f"stream {self.turn}, {interval.low}..{interval.high}, code {stream.code}, "
        if random.random() < idle:
            return inputs, Slot(1, 0, "", story + "idle")
        symbol, bits = stream.step(self.table)
        story += f"table {self.table.to_json()}"
        return inputs | {"s_active": 1}, Slot(1 << symbol, len(bits), bits, story)

    def _check_hit(self, slot: Slot) -> None:
        if slot.hit is not None:
            hit = int(self.dut.m_hit.value)
            assert hit == slot.hit, f"{slot.story}: hit {hit:b}, expected {slot.hit:b}"

    async def _check_count(self, slot: Slot) -> None:
        """Show the stream's next bits, and noise behind those that it uses up."""
        text = slot.code_bits
        noise = random.getrandbits(self.code_w) & (1 << self.code_w - len(text)) - 1
        bits = int(text or "0", 2) << self.code_w - len(text) | noise
        await outputs_for(self.dut, {"s_code_bits": bits})
        if slot.count is not None:
            count, ends = int(self.dut.m_count.value), str(self.dut.m_ends.value)
            assert count == slot.count, f"{slot.story}: {count} shifts, expected {slot.count}"
            zeros = len(ends) - len(ends.lstrip("0"))
            assert zeros == slot.count, f"{slot.story}: ends {ends}, expected {slot.count} shifts"


@cocotb.test()
async def finds_the_symbols_of_each_stream(dut):
    start_clock(dut)
    bench = SearchBench(dut)
    for _ in range(ROUNDS):
        for _ in range(2 * bench.streams_w):  # what is under way needs the old table
            await bench.cycle(first=0.0, idle=1.0)
        bench.show(random_table(VALUE_W, bench.symbols, bench.count_w))
        first, idle = random.choice((0.0, 0.05, 0.3)), random.choice((0.0, 0.0, 0.3))
        for _ in range(300):
            await bench.cycle(first, idle)
