# SPDX-License-Identifier: Apache-2.0
"""apack_value_buffer: values leave as beats, and there is room for what is announced."""

from __future__ import annotations

import os
import random
from collections import deque

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("VALUE_W", "LANES", "DEPTH")
SETS = {
    "four-of-eight": (8, 8, 4),
    "three-of-four": (5, 4, 3),
    "nine-of-one": (2, 1, 9),
    "two-of-two": (16, 2, 2),
}
ILLEGAL = {"LANES": (0, 3), "DEPTH": (0, 1)}
MUTATED = "three-of-four"
MEANINGFUL = (("m_data", "m_valid"),)

ROUNDS = int(os.environ.get("ROUNDS") or 40)
BEHIND = 2  # beats that find room behind the RAM
LATENCY = 3  # cycles from a beat's last value to its showing


class BufferBench:
    """The definition, cycle by cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.value_w, self.lanes, self.depth = map(parameter, ("VALUE_W", "LANES", "DEPTH"))
        self.forget()

    def forget(self) -> None:
        """Nothing is announced."""
        self.block = 0  # values of the block that are to be announced
        self.opened = 0  # values of its latest beat
        self.beats = 0  # that are announced and have not left
        self.coming: deque[tuple[int, bool, int]] = deque()  # value, last, earliest cycle
        self.filling: list[int] = []
        self.whole: deque[tuple[list[int], int]] = deque()  # and the cycle of the last value
        self.shown = False

    async def cycle(self, number: int, opens: float, comes: float, ready: float, rst: int) -> None:
        """One cycle."""
        inputs = {"rst": rst, "m_ready": int(random.random() < ready)}
        room, valid = await outputs_for(self.dut, inputs, "m_room", "m_valid")
        self._check_beat(number, valid, inputs["m_ready"])
        inputs |= self._open(room, opens)
        inputs |= self._value(number, comes)
        if rst:
            self.forget()
        await outputs_for(self.dut, inputs)
        await FallingEdge(self.dut.clk)

    def _open(self, room: int, opens: float) -> dict[str, int]:
        middle = 0 < self.opened < self.lanes and self.block > 0
        assert room or not middle, "no room within a beat that is announced"
        assert room or self.beats >= self.depth, f"no room with {self.beats} beats under way"
        assert middle or not room or self.beats < self.depth + BEHIND, f"room with {self.beats}"
        if not room or random.random() >= opens:
            return {"s_open": 0, "s_open_last": random.getrandbits(1)}
        if self.block == 0:
            self.block, self.opened = random.choice((1, self.lanes, random.randint(1, 30))), 0
        if self.opened in (0, self.lanes):
            self.beats, self.opened = self.beats + 1, 0
        self.block, self.opened = self.block - 1, self.opened + 1
        last = self.block == 0
        self.coming.append((random.getrandbits(self.value_w), last, random.randint(1, 5)))
        return {"s_open": 1, "s_open_last": int(last)}

    def _value(self, number: int, comes: float) -> dict[str, int]:
        noise = {"s_value": random.getrandbits(self.value_w), "s_last": random.getrandbits(1)}
        if not self.coming or random.random() >= comes:
            return {"s_valid": 0} | noise
        value, last, wait = self.coming[0]
        if wait:
            self.coming[0] = (value, last, wait - 1)
            return {"s_valid": 0} | noise
        self.coming.popleft()
        self.filling.append(value)
        if last or len(self.filling) == self.lanes:
            self.whole.append((self.filling, number))
            self.filling = []
        return {"s_valid": 1, "s_value": value, "s_last": int(last)}

    def _check_beat(self, number: int, valid: int, ready: int) -> None:
        late = bool(self.whole) and number >= self.whole[0][1] + LATENCY
        assert valid or not (late or self.shown), f"cycle {number}: no beat shows"
        if valid:
            assert self.whole, f"cycle {number}: a beat that is not whole"
            text = str(self.dut.m_data.value)
            wanted = self.whole[0][0]
            found = [
                int(text[len(text) - (i + 1) * self.value_w : len(text) - i * self.value_w], 2)
                for i in range(len(wanted))
            ]
            assert found == wanted, f"cycle {number}: {found}, expected {wanted}"
        self.shown = bool(valid) and not ready
        if valid and ready:
            self.whole.popleft()
            self.beats -= 1


@cocotb.test()
async def makes_beats_of_the_values_of_any_blocks(dut):
    bench = BufferBench(dut)
    start_clock(dut)
    dut.rst.value, dut.s_open.value, dut.s_valid.value, dut.m_ready.value = 1, 0, 0, 0
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    for number in range(100 * ROUNDS):
        if number % 100 == 0:
            opens, comes, ready = (random.choice((1.0, 1.0, 0.5, 0.1)) for _ in range(3))
        await bench.cycle(number, opens, comes, ready, rst=int(random.random() < 0.003))


@cocotb.test()
async def has_room_for_all_its_beats(dut):
    bench = BufferBench(dut)
    start_clock(dut)
    dut.rst.value, dut.s_open.value, dut.s_valid.value, dut.m_ready.value = 1, 0, 0, 0
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    for number in range(20 * bench.depth * bench.lanes):
        await bench.cycle(number, 1.0, 1.0, 0.0, rst=0)
    assert bench.beats == bench.depth + BEHIND, f"{bench.beats} beats"


@cocotb.test()
async def takes_a_value_a_cycle(dut):
    """Once beats leave as soon as they show, and where DEPTH is enough for that."""
    bench = BufferBench(dut)
    start_clock(dut)
    dut.rst.value, dut.s_open.value, dut.s_valid.value, dut.m_ready.value = 1, 0, 0, 0
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    most = min(bench.lanes * (bench.depth - 1), 7)
    for number in range(200):
        room = await outputs_for(dut, {"m_ready": 1}, "m_room")
        assert room == [1] or most < 7, f"cycle {number}: no room"
        inputs = {"s_open": room[0], "s_open_last": 0, "s_valid": 0}
        bench.coming.append((0, False, 0))
        if len(bench.coming) == 3:
            bench.coming.popleft()
            inputs |= {"s_valid": 1, "s_last": 0}
        await outputs_for(dut, inputs)
        await FallingEdge(dut.clk)
