# SPDX-License-Identifier: Apache-2.0
"""apack_loop: what enters the compressor leaves the decompressor, at any pace."""

from __future__ import annotations

import random
from typing import Self

import cocotb
from cocotb.handle import SimHandleBase

from tb.apack.env.compressor import CompressorBench
from tb.apack.env.decompressor import DecompressorBench
from tb.apack.env.register_map import register_map
from tb.apack.env.stimulus import hostile_values
from tb.apack.env.top import ROUNDS, Tensor
from tb.apack.env.unit import Unit
from tb.apack.env.widths import TopWidths
from tb.bus.axi_lite import RegisterBus
from tb.bus.cycles import cycles, reset
from tb.bus.streams import StreamDriver, StreamMonitor

SOURCES = ("apack_loop.v",)
PARAMETERS = (
    "ENGINES", "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "LANES",
    "BLOCK_VALUES", "HOLD",
)  # fmt: skip
SETS = {
    "default": (1, 4, 8, 16, 10, 16, 64, 8, 256, 0),
    "three-engines": (3, 2, 8, 11, 9, 16, 32, 4, 64, 1),
    "wide-values": (1, 8, 16, 16, 12, 16, 64, 2, 64, 0),
    "one-stream": (1, 1, 5, 7, 6, 9, 16, 1, 32, 0),
    "long-count": (2, 4, 12, 20, 16, 20, 32, 2, 64, 1),
}
ICARUS_ROUNDS = 2
POLLS = 100_000
BANKS = 2


class LoopUnit(Unit):
    """One of the units, by the bus that it has in the loop."""

    def __init__(self, dut: SimHandleBase, name: str) -> None:
        self.dut = dut
        self.map = register_map()
        self.bus = RegisterBus(dut, f"s_axil_{name}")

    async def wait_tensors(self, count: int) -> None:
        """Read TENSORS until so many are through."""
        for _ in range(POLLS):
            if await self.read("TENSORS") >= count:
                return
        raise AssertionError(f"hang: fewer than {count} tensors after {POLLS} reads")


class LoopBench(CompressorBench):
    """Drives the compressor's values and both register buses, and expects the same values back."""

    outputs = ("values",)
    output_of = DecompressorBench.output_of
    frame_of = DecompressorBench.frame_of
    meaning = DecompressorBench.meaning

    def __init__(self, dut: SimHandleBase) -> None:
        self.dut = dut
        self.widths = TopWidths.of(dut)
        self.units = [LoopUnit(dut, name) for name in ("compressor", "decompressor")]
        self.ins = {"values": StreamDriver(dut, "s_axis_values")}
        self.outs = {"values": StreamMonitor(dut, "m_axis_values")}
        self.begun = 0

    async def begin(self, unit: LoopUnit, tensor: Tensor, number: int) -> None:
        """Load the table of the unit's n-th tensor as soon as its bank is free, and start it."""
        bank = number % BANKS
        await unit.wait_tensors(number - BANKS + 1)
        await unit.load_table(bank, tensor.table)
        await unit.write("BLOCK", tensor.block)
        await unit.set_values(len(tensor.values))
        await unit.start(bank)

    async def run_all(self, tensors: list[Tensor]) -> None:
        """Send tensors, each right behind the one before, and check what comes back."""

        async def host(unit: LoopUnit) -> None:
            for number, tensor in enumerate(tensors, start=self.begun):
                await self.begin(unit, tensor, number)

        hosts = [cocotb.start_soon(host(unit)) for unit in self.units]
        for tensor in tensors:
            self.send(tensor)
        for tensor in tensors:
            await self.expect(tensor)
        for one in hosts:
            await one
        self.begun += len(tensors)
        for unit in self.units:
            await unit.wait_tensors(self.begun)
            events = await unit.clear_events()
            assert events <= {"DONE"}, events

    async def restart(self) -> Self:
        """The bench after a reset in the middle of whatever goes on."""
        self.dut.rst.value = 1
        self.stop_input()
        for unit in self.units:
            unit.bus.abort()
        await reset(self.dut, 1)
        self.outs["values"].abort()
        self.begun = 0
        return self


@cocotb.test()
async def returns_any_tensors_with_any_tables_at_any_pace(dut):
    bench = await LoopBench.started(dut)
    for _ in range(ROUNDS):
        bench.pace()
        await bench.run_all([bench.tensor() for _ in range(random.randint(1, 4))])


@cocotb.test()
async def returns_hostile_values(dut):
    bench = await LoopBench.started(dut)
    widths = bench.widths
    for _ in range(ROUNDS):
        table = widths.random_table()
        values = hostile_values(table, widths.block_values, widths.code_w)
        block = widths.any_block()
        await bench.run_all([Tensor(values, table, block, widths.image(values, table, block))])


@cocotb.test()
async def starts_again_after_a_reset_at_any_time(dut):
    bench = await LoopBench.started(dut)
    for cycle in range(0, 40 * ROUNDS, 40):
        bench.pace()
        tensor = bench.tensor()
        for unit in bench.units:
            await bench.begin(unit, tensor, bench.begun)
        bench.send(tensor)
        await cycles(dut, cycle)
        await bench.restart()
        await bench.run_all([bench.tensor()])
