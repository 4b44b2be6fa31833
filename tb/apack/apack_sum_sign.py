"""apack_sum_sign: the top bit of a sum."""

from __future__ import annotations

import random

import cocotb

from tb.apack.combinational import outputs_for, parameter
from tb.apack.rows import packed

EXHAUSTIVE = 6  # bits of a row up to which every pair is tried


@cocotb.test()
async def is_the_top_bit_of_any_sum(dut):
    row_w = parameter("ROW_W")
    total = 1 << row_w
    pairs = [(a, b) for a in range(total) for b in range(total)] if row_w <= EXHAUSTIVE else []
    for _ in range(0 if pairs else 1000):
        first, place = random.randrange(total), random.choice((0, total // 2))
        near = (place - first + random.randint(-2, 2)) % total  # the sum is close to a change
        pairs += [(first, near), (first, random.randrange(total))]
    for pair in pairs:
        (sign,) = await outputs_for(dut, {"pair": packed(pair, row_w)}, "sign")
        wanted = sum(pair) >> (row_w - 1) & 1
        assert sign == wanted, f"{pair[0]:0{row_w}b} + {pair[1]:0{row_w}b}: {sign}"
