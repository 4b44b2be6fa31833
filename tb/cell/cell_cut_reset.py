# SPDX-License-Identifier: Apache-2.0
"""cell_cut_reset: a register that a reset clears, or a wire."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("CUT", "DATA_W")
SETS = {
    "register": (1, 9),
    "wire": (0, 9),
}
ILLEGAL = {
    "CUT": (2,),
}


@cocotb.test()
async def passes_what_the_last_edge_saw_or_what_is_there(dut):
    start_clock(dut)
    cut, data_w = parameter("CUT"), parameter("DATA_W")
    dut.rst.value, kept = 1, 0
    await FallingEdge(dut.clk)
    for _ in range(500):
        await FallingEdge(dut.clk)
        data, rst = random.getrandbits(data_w), int(random.random() < 0.2)
        inputs = {"d": data, "rst": rst}
        (found,) = await outputs_for(dut, inputs, "q")
        wanted = kept if cut else data
        assert found == wanted, f"{inputs}: {found}, expected {wanted}"
        kept = 0 if rst else data
