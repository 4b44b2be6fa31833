# SPDX-License-Identifier: Apache-2.0
"""When a stream is on and off: patterns of back-pressure, and of gaps between beats.

A ready that falls while a beat waits holds its source back: that is back-pressure. A pace says for
how many cycles ready (of a monitor) or valid (of a driver) is high and low, again and again.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

Pace = Iterator[tuple[int, int]]  # (cycles on, cycles off), again and again; on is at least 1


def always() -> Pace:
    """Never pause."""
    return itertools.repeat((1, 0))


def every_other() -> Pace:
    """One cycle on, one off."""
    return itertools.repeat((1, 1))


def rarely(off: int) -> Pace:
    """One cycle on, then `off` cycles off."""
    return itertools.repeat((1, off))


def in_bursts(longest: int) -> Pace:
    """Stretches of 1 to `longest` cycles, on and off in turn."""
    while True:
        yield random.randint(1, longest), random.randint(1, longest)


def at_random(part: float) -> Pace:
    """On in a random `part` (above 0, below 1) of the cycles, each drawn on its own."""

    def cycles_until(chance: float) -> int:
        return next(count for count in itertools.count(1) if random.random() < chance)

    while True:
        yield cycles_until(1 - part), cycles_until(part)


def any_pace() -> Pace:
    """One of the patterns, drawn at random."""
    return random.choice(
        (
            always(),
            every_other(),
            rarely(random.randint(2, 7)),
            in_bursts(random.choice((3, 20))),
            at_random(random.choice((0.1, 0.5, 0.9))),
        )
    )
