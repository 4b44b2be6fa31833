# SPDX-License-Identifier: Apache-2.0
"""apack_block_check: what is wrong with each block, whenever its words and its values end."""

from __future__ import annotations

import os
import random

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from model.tensors import pattern_dtype
from tb.apack.env.decoded import Cause
from tb.apack.env.memory_image import crc_of
from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("VALUE_W",)
SETS = {
    "eight": (8,),
    "two": (2,),
    "sixteen": (16,),
}
MEANINGFUL = (("m_cause", "m_valid"),)

ROUNDS = int(os.environ.get("ROUNDS") or 60)
GIVEN = (0, 0, 0, *range(16))


class CheckBench:
    """Sends blocks and compares what leaves in every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.value_w = parameter("VALUE_W")
        self.due: list[int] = []  # the cause that must be said in this cycle

    async def cycle(self, inputs: dict[str, int] | None = None, rst: int = 0) -> None:
        """One cycle; what is not given is noise."""
        width = self.value_w
        noise = {
            "s_value": width,
            "s_value_illegal": 1,
            "s_value_last": 1,
            "s_cause": 4,
            "s_crc": 32,
        }
        idle = {name: random.getrandbits(bits) for name, bits in noise.items()}
        idle |= {"s_value_valid": 0, "s_over": 0, "rst": rst}
        (valid,) = await outputs_for(self.dut, idle | (inputs or {}), "m_valid")
        assert valid == len(self.due), f"m_valid {valid}, expected {self.due}"
        if valid:
            (cause,) = await outputs_for(self.dut, {}, "m_cause")
            assert cause == self.due[0], f"{Cause(cause)!r}, expected {Cause(self.due[0])!r}"
        self.due = []
        await FallingEdge(self.dut.clk)

    async def block(self, back_to_back: bool) -> None:
        """One block, its end before, with or after its last value."""
        width, length = self.value_w, random.choice((1, 2, random.randint(1, 20)))
        values = [random.choice((0, random.getrandbits(width))) for _ in range(length)]
        illegal = random.random() < 0.3
        illegals = {random.randrange(length)} if illegal else set()
        crc = crc_of(np.array(values, pattern_dtype(width)))
        given, sound = random.choice(GIVEN), random.random() < 0.6
        wanted = crc if sound else crc ^ 1 << random.randrange(32)
        cause = Cause(given)
        if not cause & Cause.HEADER:
            cause |= Cause.OFFSET if illegal else Cause(0)
            cause |= Cause(0) if sound else Cause.CRC
        else:
            cause = Cause.HEADER
        over_at = random.randint(max(length - 4, 0), length + 5)
        for at in range(max(length, over_at + 1)):
            inputs = {}
            while random.random() < 0.2 and not back_to_back:
                await self.cycle()
            if at < length:
                inputs |= {"s_value_valid": 1, "s_value": values[at]}
                inputs |= {
                    "s_value_illegal": int(at in illegals),
                    "s_value_last": int(at == length - 1),
                }
            if at == over_at:
                inputs |= {"s_over": 1, "s_cause": given, "s_crc": wanted}
            await self.cycle(inputs)
        self.due = [int(cause)]


@cocotb.test()
async def tells_what_is_wrong_with_any_block(dut):
    bench = CheckBench(dut)
    start_clock(dut)
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    for _ in range(5 * ROUNDS):
        await bench.block(back_to_back=random.random() < 0.5)
        if random.random() < 0.1:
            await bench.cycle()
            part = ({"s_over": 1}, {"s_value_valid": 1, "s_value_last": random.getrandbits(1)})
            await bench.cycle(random.choice(part))
            await bench.cycle({"s_value_valid": 1, "s_value_last": 1, "s_over": 1}, rst=1)
