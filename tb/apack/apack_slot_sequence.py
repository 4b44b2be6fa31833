# SPDX-License-Identifier: Apache-2.0
"""apack_slot_sequence: what each slot of an engine is for, from block to block of each stream."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "BLOCK_W")
SETS = {
    "three": (3, 5),
    "smallest": (1, 1),
    "two": (2, 2),
    "eight": (8, 13),
}

LONGEST = 40  # values of a block, so that the blocks end within a run
STRETCH = 400  # cycles at one pace


class Slot(IntEnum):
    """The engine's kinds of slots."""

    IDLE = 0
    CLEAR = 1
    FIRST = 2
    VALUE = 3
    RAW = 4


@dataclass(frozen=True)
class Block:
    """A block that waits to be taken."""

    stream: int
    count: int
    raw: bool
    skip: bool

    @classmethod
    def any(cls) -> Block:
        """One of any kind, short or long."""
        longest = min(LONGEST, (1 << parameter("BLOCK_W")) - 1)
        count = random.choice((1, min(2, longest), longest, random.randint(1, longest)))
        raw, skip = random.random() < 0.4, random.random() < 0.2
        return cls(random.randrange(parameter("STREAMS")), count, raw, skip)

    @property
    def slots(self) -> list[Slot]:
        """What its stream's slots are, idle ones not counted."""
        if self.skip:
            return [Slot.CLEAR]
        values = [Slot.RAW] * self.count if self.raw else [Slot.FIRST, *[Slot.VALUE] * self.count]
        return [*values, Slot.CLEAR]

    @property
    def inputs(self) -> dict[str, int]:
        """The block on the ports."""
        return {
            "s_valid": 1,
            "s_stream": self.stream,
            "s_count": self.count,
            "s_raw": self.raw,
            "s_skip": self.skip,
        }


def no_block() -> dict[str, int]:
    """Ports on which no block waits."""
    return Block.any().inputs | {"s_valid": 0}


async def follow(dut, cycles: int, resets: float) -> None:
    """Blocks of any kind at any pace, compared in every cycle."""
    start_clock(dut)
    streams = parameter("STREAMS")
    due: list[deque[Slot]] = [deque() for _ in range(streams)]
    await outputs_for(dut, no_block() | {"rst": 1, "slot_stream": 0, "slot_ready": 0})
    await FallingEdge(dut.clk)
    turn, waiting, offers, ready = 0, None, 1.0, 1.0
    for cycle in range(cycles):
        await FallingEdge(dut.clk)
        if cycle % STRETCH == 0:
            offers, ready = random.choice((1.0, 0.5, 0.05)), random.choice((1.0, 0.7, 0.2))
        waiting = waiting or Block.any()
        shown = waiting if random.random() < offers else None
        inputs = (shown.inputs if shown else no_block()) | {
            "slot_stream": turn,
            "slot_ready": int(random.random() < ready),
            "rst": int(random.random() < resets),
        }
        take, kind = await outputs_for(dut, inputs, "s_take", "slot_kind")
        own = due[turn]
        story = f"cycle {cycle}, a slot of stream {turn} with {list(own)} to come, {inputs}"
        wanted = bool(shown and shown.stream == turn and not own)
        assert take == wanted, f"s_take {take}, expected {wanted}: {story}"
        at_work = bool(own) and (inputs["slot_ready"] or own[0] == Slot.CLEAR)
        slot = own[0] if at_work else Slot.IDLE
        assert kind == slot, f"slot_kind {kind}, expected {slot!r}: {story}"
        if at_work:
            own.popleft()
        if take:
            own.extend(waiting.slots)
            waiting = None
        turn = (turn + 1) % streams
        if inputs["rst"]:
            due, turn = [deque() for _ in due], random.randrange(streams)


@cocotb.test()
async def gives_each_block_its_slots(dut):
    await follow(dut, 3000, 0)


@cocotb.test()
async def forgets_all_blocks_in_a_reset(dut):
    await follow(dut, 1500, 0.03)
