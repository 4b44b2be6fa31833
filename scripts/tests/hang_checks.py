# SPDX-License-Identifier: Apache-2.0
"""A cocotb test that hangs on the toy counter, for the tests of the regression."""

from __future__ import annotations

import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Event, RisingEdge


@cocotb.test()
async def waits_for_what_never_comes(dut) -> None:
    """Hangs with a running clock, in the way that it is told to."""
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    while os.environ["HANG"] == "at each edge":
        await RisingEdge(dut.clk)
    while os.environ["HANG"] == "in Python":
        pass
    await Event().wait()
