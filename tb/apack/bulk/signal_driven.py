# SPDX-License-Identifier: Apache-2.0
"""The reference of make bench-sim: a cocotb test that touches the signals on each clock edge.

Not a test of the suite: it sends the values of a file through apack_loop the plain way, one cycle
at a time from Python, and writes down how long that took.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, RisingEdge

from model.apack import SymbolTable
from tb.apack.bulk.round_trip import UNITS, WRITE, Sent, host_commands


@cocotb.test()
async def sends_a_file_of_values_one_cycle_at_a_time(dut: SimHandleBase) -> None:
    folder = Path(os.environ["BENCH_FOLDER"])
    sent = Sent(np.load(folder / "values.npy"), SymbolTable.load(folder / "table.json"))
    await prepare(dut, sent)
    beats = list(beats_of(sent.values, len(dut.s_axis_values_tkeep)))
    begin = time.perf_counter()
    sender = cocotb.start_soon(send(dut, beats))
    back = await receive(dut, len(beats))
    seconds = time.perf_counter() - begin
    await sender
    assert back == beats, "the values that came back are not those that were sent"
    record = {"values": len(sent.values), "seconds": seconds}
    (folder / "signal_driven.json").write_text(json.dumps(record), encoding="utf-8")


def beats_of(values: np.ndarray, lanes: int) -> Iterator[int]:
    """Values of one byte, whole beats of them, as the port has them."""
    assert len(values) % lanes == 0
    data = values.tobytes()
    for start in range(0, len(data), lanes):
        yield int.from_bytes(data[start : start + lanes], "little")


async def prepare(dut: SimHandleBase, sent: Sent) -> None:
    """Clock, reset, and the table and START of both units."""
    Clock(dut.clk, 10, unit="ns", impl="gpi").start()
    dut.rst.value = 1
    dut.s_axis_values_tvalid.value = 0
    dut.m_axis_values_tready.value = 1
    for unit in UNITS:
        for name, level in {
            "awvalid": 0,
            "wvalid": 0,
            "arvalid": 0,
            "bready": 1,
            "wstrb": 15,
        }.items():
            getattr(dut, f"s_axil_{unit}_{name}").value = level
    for _ in range(3):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    block = int(dut.BLOCK_VALUES.value)
    for line in host_commands([sent], block, overlap=True):
        operation, unit, address, data = line.split()
        if int(operation) != WRITE:
            break
        await write(dut, UNITS[int(unit)], int(address, 16), int(data, 16))


async def write(dut: SimHandleBase, unit: str, address: int, data: int) -> None:
    """One write to a unit's registers."""
    getattr(dut, f"s_axil_{unit}_awaddr").value = address
    getattr(dut, f"s_axil_{unit}_wdata").value = data
    waiting = {"aw", "w"}
    for channel in waiting:
        getattr(dut, f"s_axil_{unit}_{channel}valid").value = 1
    while waiting:
        await FallingEdge(dut.clk)
        taken = {c for c in waiting if getattr(dut, f"s_axil_{unit}_{c}ready").value == 1}
        await RisingEdge(dut.clk)
        for channel in taken:
            getattr(dut, f"s_axil_{unit}_{channel}valid").value = 0
        waiting -= taken


async def send(dut: SimHandleBase, beats: list[int]) -> None:
    """One beat after the other, as soon as the compressor takes them."""
    rising, falling = RisingEdge(dut.clk), FallingEdge(dut.clk)
    data, last = dut.s_axis_values_tdata, dut.s_axis_values_tlast
    ready = dut.s_axis_values_tready
    await rising
    dut.s_axis_values_tkeep.value = (1 << len(dut.s_axis_values_tkeep)) - 1
    dut.s_axis_values_tvalid.value = 1
    for index, beat in enumerate(beats, start=1):
        data.value = beat
        last.value = int(index == len(beats))
        taken = False
        while not taken:
            await falling
            taken = ready.value == 1
            await rising
    dut.s_axis_values_tvalid.value = 0


async def receive(dut: SimHandleBase, count: int) -> list[int]:
    """All beats that come back, looked at in every cycle."""
    falling = FallingEdge(dut.clk)
    data, valid = dut.m_axis_values_tdata, dut.m_axis_values_tvalid
    back: list[int] = []
    while len(back) < count:
        await falling
        if valid.value == 1:
            back.append(int(data.value))
    return back
