# SPDX-License-Identifier: Apache-2.0
"""cell_crc7: the remainder of a division by the polynomial, bit by bit."""

from __future__ import annotations

import random

import cocotb

from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("DATA_W",)
SETS = {
    "default": (25,),
    "smallest": (1,),
    "byte": (8,),
}
POLYNOMIAL = 0b1000_1001


def remainder(data: int) -> int:
    """The rest of data * x^7 by the polynomial."""
    rest = data << 7
    while rest.bit_length() > 7:
        rest ^= POLYNOMIAL << rest.bit_length() - 8
    return rest


@cocotb.test()
async def divides_by_the_polynomial(dut):
    width = parameter("DATA_W")
    for data in (
        0,
        *(1 << bit for bit in range(width)),
        *(random.getrandbits(width) for _ in range(40)),
    ):
        (crc,) = await outputs_for(dut, {"data": data}, "crc")
        assert crc == remainder(data), f"{data:#x}: {crc:#x}, not {remainder(data):#x}"
