# SPDX-License-Identifier: Apache-2.0
"""The reference of make bench-sim: a cocotb test that touches the signals on each clock edge.

Not a test of the suite: it sends the values of a file through apack_loop the plain way, one cycle
at a time from Python, and writes down how long that took.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, RisingEdge

from model.apack import SymbolTable


@cocotb.test()
async def sends_a_file_of_values_one_cycle_at_a_time(dut: SimHandleBase) -> None:
    folder = Path(os.environ["BENCH_FOLDER"])
    values = np.load(folder / "values.npy").tolist()
    block_values = int(os.environ["BENCH_BLOCK"])
    await prepare(dut, SymbolTable.load(folder / "table.json"))
    begin = time.perf_counter()
    sender = cocotb.start_soon(send(dut, values, block_values))
    back = await receive(dut, len(values))
    seconds = time.perf_counter() - begin
    await sender
    assert back == values, "the values that came back are not those that were sent"
    record = {"values": len(values), "seconds": seconds}
    (folder / "signal_driven.json").write_text(json.dumps(record), encoding="utf-8")


async def prepare(dut: SimHandleBase, table: SymbolTable) -> None:
    """Clock, reset, and the table for both units."""
    Clock(dut.clk, 10, unit="ns", impl="gpi").start()
    dut.rst.value = 1
    dut.status_clear.value = 0
    dut.s_axis_value_tvalid.value = 0
    dut.m_axis_value_tready.value = 1
    for unit in ("encoder", "decoder"):
        getattr(dut, f"s_axis_{unit}_table_tvalid").value = 0
    for _ in range(3):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    for row, (base, cum) in enumerate(zip(table.base, table.cum[1:], strict=True)):
        for unit in ("encoder", "decoder"):
            getattr(dut, f"s_axis_{unit}_table_tdata").value = cum << table.value_w | base
            getattr(dut, f"s_axis_{unit}_table_tlast").value = int(row == table.groups - 1)
            getattr(dut, f"s_axis_{unit}_table_tvalid").value = 1
        await RisingEdge(dut.clk)
    for unit in ("encoder", "decoder"):
        getattr(dut, f"s_axis_{unit}_table_tvalid").value = 0


async def send(dut: SimHandleBase, values: list[int], block_values: int) -> None:
    """One value a cycle, as long as the encoder takes them."""
    rising, falling = RisingEdge(dut.clk), FallingEdge(dut.clk)
    data, last = dut.s_axis_value_tdata, dut.s_axis_value_tlast
    ready = dut.s_axis_value_tready
    await rising
    dut.s_axis_value_tkeep.value = 1
    dut.s_axis_value_tvalid.value = 1
    for index, value in enumerate(values, start=1):
        data.value = value
        last.value = int(index % block_values == 0 or index == len(values))
        taken = False
        while not taken:
            await falling
            taken = ready.value == 1
            await rising
    dut.s_axis_value_tvalid.value = 0


async def receive(dut: SimHandleBase, count: int) -> list[int]:
    """All values that come back, looked at in every cycle."""
    falling = FallingEdge(dut.clk)
    data, valid, keep = dut.m_axis_value_tdata, dut.m_axis_value_tvalid, dut.m_axis_value_tkeep
    back: list[int] = []
    while len(back) < count:
        await falling
        if valid.value == 1 and keep.value == 1:
            back.append(int(data.value))
    return back
