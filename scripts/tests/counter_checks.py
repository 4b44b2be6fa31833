# SPDX-License-Identifier: Apache-2.0
"""A toy counter and its cocotb tests, for the tests of what runs simulations."""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Timer

COUNTER = """
`timescale 1ns / 1ps
module counter #(parameter STEP = 1) (input wire clk, input wire rst, output reg [7:0] count);
    always @(posedge clk) count <= rst ? 8'd0 : count + STEP[7:0];
endmodule
"""


@cocotb.test(timeout_time=10, timeout_unit="us")
async def counts_in_its_step(dut) -> None:
    """Two clocks after reset the count is two steps."""
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 3)
    assert int(dut.count.value) == 2 * int(os.environ["STEP"])


@cocotb.test(timeout_time=10, timeout_unit="us")
async def draws_the_seed(dut) -> None:
    """Prints what the seed gives; fails when told to, or for a limit that it must not have."""
    await Timer(1, "ns")
    cocotb.log.info("drawn %d", random.randrange(2**32))
    assert "FAIL" not in os.environ, "told to fail"
    assert {"UNLIMITED", "SIM_CMD_PREFIX"} - set(os.environ), "has a limit of its own"
