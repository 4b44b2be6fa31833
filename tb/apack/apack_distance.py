# SPDX-License-Identifier: Apache-2.0
"""apack_distance: how far a slice begins from the code, and on which side."""

from __future__ import annotations

import random
from collections.abc import Iterator

import cocotb

from model.apack import Interval
from tb.bus.combinational import outputs_for, parameter
from tb.bus.frames import unpacked

PARAMETERS = ("COUNT_W", "CODE_W")
SETS = {
    "default": (10, 16),
    "smallest": (1, 3),
    "exhaustive": (3, 5),
    "long-code": (7, 20),
    "wide": (14, 16),
}

EXHAUSTIVE = 5  # CODE_W up to which every input is tried


def cases(count_w: int, code_w: int) -> Iterator[tuple[int, int, int]]:
    """Range, count and position: all, or random and such that slice and position are close."""
    full, total = 1 << code_w, 1 << count_w
    if code_w <= EXHAUSTIVE:
        for size in range(1, full + 1):
            yield from ((size, cum, at) for cum in range(total) for at in range(size))
        return
    for _ in range(3000):
        size = random.choice((1, full, random.randint(1, full)))
        cum = random.choice((0, total - 1, 1 << random.randrange(count_w), random.randrange(total)))
        near = ((size * cum) >> count_w) + random.randint(-2, 2)
        yield size, cum, min(max(random.choice((near, random.randrange(size))), 0), size - 1)


@cocotb.test()
async def is_negative_if_the_slice_begins_at_or_below_the_code(dut):
    count_w, code_w, row_w = (parameter(name) for name in ("COUNT_W", "CODE_W", "SUM_W"))
    for size, cum, position in cases(count_w, code_w):
        interval = Interval(code_w)
        interval.high = size - 1
        inputs = {"range": size, "range_3": 3 * size, "cum": cum, "position": position}
        (pair,) = await outputs_for(dut, inputs, "pair")
        found = sum(unpacked(pair, row_w, 2)) % (1 << row_w)
        distance = size * cum - ((position + 1) << count_w)
        assert found == distance % (1 << row_w), f"{inputs}: {found}, expected {distance}"
        begun = interval.slice_start(cum, count_w) <= position
        assert found >> (row_w - 1) == begun, f"{inputs}: {found}, slice begun: {begun}"
        less_one = (interval.slice_start(cum, count_w) - position - 1) % (2 << code_w)
        assert found >> count_w == less_one, (
            f"{inputs}: {found}, expected {less_one} before the point"
        )
