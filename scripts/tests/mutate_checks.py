# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of the toy module of test_mutate.py: they look at some of its outputs only."""

from __future__ import annotations

import os

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tb.bus.cycles import reset, start_clock


@cocotb.test()
async def counts_to_the_end(dut):
    start_clock(dut)
    await reset(dut)
    for count in range(20):
        await FallingEdge(dut.clk)
        assert int(dut.count.value) == count % 16
        assert int(dut.high.value) == (count % 16 >= 9)
        assert not int(dut.m_valid.value) or int(dut.m_data.value) == count % 16


@cocotb.test()
async def waits_for_the_end(dut):
    start_clock(dut)
    await reset(dut)
    patience = 10**9 if os.environ.get("MUTATE_TOY_WAITS") else 30
    while patience and not dut.over.value:
        await RisingEdge(dut.clk)
        patience -= 1
    assert patience, "the end did not come"
    assert not os.environ.get("MUTATE_TOY_FAILS"), "told to fail"


@cocotb.test()
async def looks_at_one_output(dut):
    if os.environ["COCOTB_RANDOM_SEED"] == "2":
        start_clock(dut)
        await reset(dut)
        await FallingEdge(dut.clk)
        assert int(dut.odd.value) == 0
