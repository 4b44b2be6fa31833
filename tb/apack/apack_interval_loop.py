# SPDX-License-Identifier: Apache-2.0
"""apack_interval_loop: the intervals of streams that take turns, each as if it were alone."""

from __future__ import annotations

import os
import random
from collections import deque
from dataclasses import dataclass

import cocotb
from cocotb.triggers import FallingEdge
from cocotb.types import LogicArray

from model.apack import Interval
from tb.apack.env.intervals import any_slice
from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "COUNT_W", "CODE_W", "TAG_W")
SETS = {
    "one-smallest": (1, 1, 3, 12),
    "two-narrow": (2, 6, 8, 12),
    "four": (4, 10, 16, 12),
    "four-long-code": (4, 6, 32, 12),
    "eight-narrow": (8, 6, 8, 12),
    "eight-long-code": (8, 16, 20, 12),
}
ILLEGAL = {
    "STREAMS": (0, 3, 16),
    "COUNT_W": (0, 15),
}
MUTATED = "eight-narrow"

ROUNDS = int(os.environ.get("ROUNDS") or 12)


@dataclass(frozen=True)
class Slot:
    """What a slot must bring out, and how to name it."""

    tag: int
    low: int
    lead_count: int
    shift_count: int
    story: str


class IntervalBench:
    """Sends slots and checks what each brings out, always equally many cycles of enable later."""

    outputs = ("m_low", "m_lead_count", "m_shift_count", "m_tag")

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("STREAMS", "COUNT_W", "CODE_W", "TAG_W")
        self.streams, self.count_w, self.code_w, self.tag_w = map(parameter, names)
        self.intervals: list[Interval | None] = [None] * self.streams
        self.turn = 0
        self.slots: deque[Slot] = deque()
        self.delay: int | None = None  # learnt from the first tag that comes back

    async def flush(self) -> None:
        """Push out the tags of before, which are anything, so that the first one is told apart."""
        inputs = {"s_first": 1, "s_cum_lo": 0, "s_cum_hi": 1 << self.count_w, "s_tag": 0}
        for _ in range(2 * self.streams):
            await FallingEdge(self.dut.clk)
            await outputs_for(self.dut, {**inputs, "enable": 1})

    async def cycle(self, enable: float, first: float, idle: float) -> None:
        """One cycle, of enable or not."""
        await FallingEdge(self.dut.clk)
        if random.random() >= enable:
            noise = {n: random.getrandbits(w) for n, w in self._inputs().items()}
            await outputs_for(self.dut, {**noise, "enable": 0})
            return
        starts = self.intervals[self.turn] is None or random.random() < first
        if starts:
            self.intervals[self.turn] = Interval(self.code_w)
        inputs, slot = self._slot(random.random() < idle, starts)
        self.slots.append(slot)
        await outputs_for(self.dut, {**inputs, "enable": 1})
        self._check(self.dut.m_tag.value)
        self.turn = (self.turn + 1) % self.streams

    def _inputs(self) -> dict[str, int]:
        cum_w = self.count_w + 1
        return {"s_first": 1, "s_cum_lo": cum_w, "s_cum_hi": cum_w, "s_tag": self.tag_w}

    def _slot(self, idle: bool, starts: bool) -> tuple[dict[str, int], Slot]:
        interval = self.intervals[self.turn]
        before = f"stream {self.turn}, {interval.low}..{interval.high}"
        cum_lo, cum_hi = 0, 1 << self.count_w
        if not idle:
            table, symbol = any_slice(self.count_w)
            cum_lo, cum_hi = table.cum[symbol : symbol + 2]
            interval.narrow(table, symbol)
        low = interval.low
        taken = list(interval.shifts())
        leads = sum(bit != interval.quarter for bit in taken)
        tag = random.randrange(1, 1 << self.tag_w)
        inputs = {"s_first": int(starts), "s_cum_lo": cum_lo, "s_cum_hi": cum_hi, "s_tag": tag}
        return inputs, Slot(tag, low, leads, len(taken), f"{before}, slice {cum_lo}..{cum_hi}")

    def _check(self, tag: LogicArray) -> None:
        if self.delay is None:
            if len(self.slots) <= self.streams and tag != self.slots[0].tag:
                return
            self.delay = len(self.slots) - 1
        if len(self.slots) <= self.delay:
            return
        slot = self.slots.popleft()
        found = [int(getattr(self.dut, name).value) for name in self.outputs]
        wanted = [slot.low, slot.lead_count, slot.shift_count, slot.tag]
        assert found == wanted, f"{slot.story}: {found}, expected {wanted}"


@cocotb.test()
async def follows_the_interval_of_each_stream(dut):
    start_clock(dut)
    bench = IntervalBench(dut)
    await bench.flush()
    for _ in range(ROUNDS):
        enable, first = random.choice((1.0, 0.5)), random.choice((0.0, 0.05))
        idle = random.choice((0.0, 0.3))
        for _ in range(400):
            await bench.cycle(enable, first, idle)
