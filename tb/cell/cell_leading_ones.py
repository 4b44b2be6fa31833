# SPDX-License-Identifier: Apache-2.0
"""cell_leading_ones: how many ones a word begins with."""

from __future__ import annotations

import random

import cocotb

from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("IN_W",)
SETS = {
    "default": (16,),
    "smallest": (1,),
    "narrow": (7,),
    "long-code": (20,),
    "wide": (32,),
}


@cocotb.test()
async def counts_the_ones_before_the_first_zero(dut):
    width = parameter("IN_W")
    words = [(1 << width) - 1 ^ ((1 << end) - 1) for end in range(width + 1)]
    words += range(1 << width) if width <= 8 else []
    for ones in range(width):
        words.append((1 << width) - 1 ^ (1 << ones))
        words.append((1 << width) - 1 ^ (1 << ones) ^ random.getrandbits(ones))
    for word in words:
        (found,) = await outputs_for(dut, {"bits": word}, "count")
        text = f"{word:0{width}b}"
        wanted = len(text) - len(text.lstrip("1"))
        assert found == wanted, f"{text}: {found}, expected {wanted}"
