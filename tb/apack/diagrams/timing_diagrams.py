# SPDX-License-Identifier: Apache-2.0
"""Short runs of the tops for the timing diagrams and the latencies of docs/apack/architecture.md.

`make docs` records them as waveforms; they are no tests of their own, but check what comes out.
"""

from __future__ import annotations

import json
from pathlib import Path

import cocotb
import numpy as np
from cocotb.handle import SimHandleBase
from cocotb.triggers import Event, FallingEdge, RisingEdge

from model.apack import SymbolTable, histogram, solve
from tb.apack.env.compressor import CompressorBench
from tb.apack.env.damage import flipped_bit
from tb.apack.env.decompressor import DecompressorBench
from tb.apack.env.top import Tensor, TopBench
from tb.bus.cycles import now

LATENCIES = Path("latencies.json")  # in the folder of the run
LATENCY_BLOCKS = (64, 256, 1024, 4096)
LATENCY_LARGEST = 4  # blocks of the largest size that are timed, an engine
SLOTS_BLOCK = 64  # values of a block in the diagrams of slots: enough that coding it pays
SEED = 1


def small_values(count: int) -> np.ndarray:
    """Values around zero, as weights are: unsigned patterns (count,)."""
    draw = np.random.default_rng(SEED).laplace(0, 5, count)
    return np.round(draw).astype(np.int8).view(np.uint8)


def tensor_of(bench: TopBench, count: int, block: int, table: SymbolTable | None = None) -> Tensor:
    """A tensor of small values with the table that suits it best, or with this one."""
    values, widths = small_values(count), bench.widths
    table = table or solve(
        histogram(values, widths.value_w), widths.value_w, widths.symbols, widths.count_w
    )
    return Tensor(values, table, block, widths.image(values, table, block))


async def started(kind: type[TopBench], dut: SimHandleBase) -> TopBench:
    """A bench after reset, whose register bus makes no pauses."""
    bench = await kind.started(dut)
    bench.unit.bus.longest_delay = 0
    return bench


async def run_at_full_pace(bench: TopBench, tensor: Tensor) -> None:
    """Run one tensor with no pause on any side, and check what comes out."""
    await bench.prepare(tensor)
    await bench.unit.start()
    bench.send(tensor)
    await bench.expect(tensor)
    await bench.unit.wait_idle(bench.patience(tensor))


@cocotb.test()
async def loads_a_table_and_starts(dut):
    bench = await started(CompressorBench, dut)
    widths = bench.widths
    table = SymbolTable(widths.value_w, widths.count_w, (0, 128), (0, 512, 1024))
    tensor = tensor_of(bench, widths.lanes, widths.lanes, table)
    await bench.unit.load_table(0, table)
    await bench.unit.start()
    await bench.unit.status()
    bench.send(tensor)
    await bench.unit.wait_idle(bench.patience(tensor))
    await bench.unit.enable("DONE")


@cocotb.test()
async def compresses_two_blocks_and_a_rest(dut):
    bench = await started(CompressorBench, dut)
    block = bench.widths.block_values
    await run_at_full_pace(bench, tensor_of(bench, 2 * block + 6, block))


@cocotb.test()
async def marks_a_damaged_block(dut):
    bench = await started(DecompressorBench, dut)
    block, bad = bench.widths.block_values, 1
    sound = tensor_of(bench, 2 * block + 6, block)
    await bench.run_damaged(sound, flipped_bit(sound.image, bad, 3))


@cocotb.test()
async def encodes_streams_in_turn(dut):
    bench = await started(CompressorBench, dut)
    await run_at_full_pace(bench, tensor_of(bench, 2 * SLOTS_BLOCK, SLOTS_BLOCK))


@cocotb.test()
async def decodes_streams_in_turn(dut):
    bench = await started(DecompressorBench, dut)
    await run_at_full_pace(bench, tensor_of(bench, 2 * SLOTS_BLOCK, SLOTS_BLOCK))


@cocotb.test()
async def measures_the_compressor(dut):
    await measure(await started(CompressorBench, dut), "values", ("memory",))


@cocotb.test()
async def measures_the_decompressor(dut):
    await measure(await started(DecompressorBench, dut), "memory", ("values",))


async def first_beat(dut: SimHandleBase, port: str) -> int:
    """The cycle in which the next beat of a stream port passes."""
    valid, ready = getattr(dut, f"{port}_tvalid"), getattr(dut, f"{port}_tready")
    falling = FallingEdge(dut.clk)
    await falling
    while not (valid.value == 1 and ready.value == 1):
        await falling
    return now()


async def time_of(event: Event) -> int:
    """The cycle in which an event happens."""
    await event.wait()
    return now()


async def measure(bench: TopBench, source: str, outputs: tuple[str, ...]) -> None:
    """Time a tensor of a few of the largest blocks an engine, cut in several ways, at full pace.

    Writes LATENCIES, a list of rows: values of a block; cycles from the first beat taken on
    `source` to the first one on each output, from the last to DONE, and of the whole tensor.
    """
    widths, rows = bench.widths, []
    count = LATENCY_LARGEST * widths.engines * widths.block_max
    for block in LATENCY_BLOCKS:
        tensor = tensor_of(bench, count, block)
        await bench.prepare(tensor)
        firsts = [
            cocotb.start_soon(first_beat(bench.dut, port))
            for port in (f"s_axis_{source}", *(f"m_axis_{name}" for name in outputs))
        ]
        await bench.unit.enable("DONE")
        await bench.unit.start()
        taken = dict(zip(bench.inputs, bench.send(tensor), strict=True))
        last = cocotb.start_soon(time_of(taken[source]))
        await bench.expect(tensor)
        if bench.dut.irq.value != 1:
            await RisingEdge(bench.dut.irq)
        end = now()
        begin, *outs = [await first for first in firsts]
        row = {f"first_{name}": cycle - begin for name, cycle in zip(outputs, outs, strict=True)}
        cycles = await bench.unit.counter("CYCLES")
        row |= {"block": block, "last": end - await last, "cycles": cycles}
        rows.append(row | {"values": len(tensor.values)})
        await bench.unit.clear_events()
    LATENCIES.write_text(json.dumps(rows), encoding="utf-8")
