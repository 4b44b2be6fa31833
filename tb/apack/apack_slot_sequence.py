# SPDX-License-Identifier: Apache-2.0
"""apack_slot_sequence: each block's slots in their order and at their streams' turns."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from enum import IntEnum

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "BLOCK_VALUES")
SETS = {
    "one": (1, 4),
    "two": (2, 1),
    "four": (4, 64),
    "eight": (8, 16),
}
MUTATED = "four"
MEANINGFUL = (("m_last", "m_valued"),)

ROUNDS = int(os.environ.get("ROUNDS") or 40)


class Kind(IntEnum):
    """What a slot does."""

    IDLE = 0
    FIRST = 1
    VALUE = 2
    RAW = 3


@dataclass
class Sequence:
    """The definition: what may begin, and when."""

    streams: int
    firsts: int = 0  # slots that are to begin
    values: int = 0
    raw: bool = False
    turn: int | None = None  # cycle in which the next slot begins, or so many rounds later

    def begin(self, count: int, raw: bool) -> None:
        """A new block."""
        self.firsts, self.values = 0 if raw else self.streams, count
        self.raw, self.turn = raw, None

    def step(self, cycle: int, full: bool, room: bool) -> tuple[Kind, bool]:
        """The kind of this cycle's slot, and whether it is its block's last."""
        at_turn = self.turn is None or (cycle - self.turn) % self.streams == 0
        if not (self.values and at_turn and full and (self.firsts or room)):
            return Kind.IDLE, False
        self.turn = None if self.raw else cycle + 1
        if self.firsts:
            self.firsts -= 1
            return Kind.FIRST, False
        self.values -= 1
        return Kind.RAW if self.raw else Kind.VALUE, self.values == 0


@cocotb.test()
async def brings_the_slots_of_any_blocks(dut):
    sequence, most = Sequence(parameter("STREAMS")), parameter("BLOCK_VALUES")
    start_clock(dut)
    dut.rst.value, dut.s_begin.value, dut.s_full.value, dut.s_room.value = 1, 0, 1, 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    full, room, begins = 1.0, 1.0, 1.0
    for cycle in range(50 * ROUNDS):
        if cycle % 50 == 0:
            full, room, begins = (random.choice((1.0, 0.9, 0.4)) for _ in range(3))
        begin = sequence.values == 0 and random.random() < begins
        inputs = {
            "rst": int(random.random() < 0.005),
            "s_begin": int(begin),
            "s_count": random.choice((1, 2, most, random.randint(1, most))),
            "s_raw": random.getrandbits(1),
            "s_full": int(random.random() < full),
            "s_room": int(random.random() < room),
        }
        inputs["s_count"] = min(inputs["s_count"], most)
        names = ("m_kind", "m_valued", "m_last")
        kind, valued, last = await outputs_for(dut, inputs, *names)
        wanted, is_last = sequence.step(cycle, bool(inputs["s_full"]), bool(inputs["s_room"]))
        assert kind == wanted, f"cycle {cycle}: {Kind(kind)!r}, expected {wanted!r}, {sequence}"
        assert valued == (wanted in (Kind.VALUE, Kind.RAW)), f"cycle {cycle}: valued {valued}"
        assert not valued or last == is_last, f"cycle {cycle}: last {last}, {sequence}"
        if begin:
            sequence.begin(inputs["s_count"], bool(inputs["s_raw"]))
        if inputs["rst"]:
            sequence.begin(0, raw=False)
        await FallingEdge(dut.clk)
