# SPDX-License-Identifier: Apache-2.0
"""cell_onehot_mux: the word that a one-hot vector points to."""

from __future__ import annotations

import random

import cocotb

from tb.bus.combinational import outputs_for, parameter
from tb.bus.frames import packed

PARAMETERS = ("INPUTS", "DATA_W")
SETS = {
    "default": (16, 8),
    "one-word": (1, 3),
    "long-words": (11, 40),
    "many-words": (32, 60),
}


@cocotb.test()
async def gives_the_word_that_is_selected(dut):
    count, width = parameter("INPUTS"), parameter("DATA_W")
    for _ in range(20):
        words = [random.getrandbits(width) for _ in range(count)]
        for selected in range(count):
            inputs = {"data": packed(words, width), "select": 1 << selected}
            (found,) = await outputs_for(dut, inputs, "chosen")
            assert found == words[selected], f"word {selected} of {words}: {found}"


@cocotb.test()
async def gives_zero_for_none_and_the_or_of_two(dut):
    count, width = parameter("INPUTS"), parameter("DATA_W")
    for _ in range(100):
        words = [random.getrandbits(width) for _ in range(count)]
        first, second = random.randrange(count), random.randrange(count)
        for selected, wanted in ((0, 0), (1 << first | 1 << second, words[first] | words[second])):
            (found,) = await outputs_for(
                dut, {"data": packed(words, width), "select": selected}, "chosen"
            )
            assert found == wanted, f"selected {selected:b} of {words}: {found}, expected {wanted}"
