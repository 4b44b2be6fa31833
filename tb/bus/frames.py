# SPDX-License-Identifier: Apache-2.0
"""What streams carry: beats, frames, words of bits, rows side by side; how frames compare."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

Beat = Mapping[str, int]
Frame = list[dict[str, int]]


def with_nulls(beats: Sequence[Beat], chance: float) -> list[Beat]:
    """The same stream with beats that keep no byte between its own, as width converters make them.

    chance: that of one more (below 1), before each beat and behind the last, whose tlast it takes.
    """
    width = 8 * max((beat["tkeep"].bit_length() for beat in beats), default=0)

    def nulls() -> Iterator[Beat]:
        while random.random() < chance:
            yield {"tdata": random.getrandbits(width), "tkeep": 0, "tlast": 0}

    spread = [each for beat in beats for each in (*nulls(), beat)]
    behind = list(nulls())
    if behind and beats and beats[-1]["tlast"]:
        spread[-1] = spread[-1] | {"tlast": 0}
        spread += [*behind[:-1], behind[-1] | {"tlast": 1}]
    return spread


def packed(rows: Iterable[int], width: int) -> int:
    """Rows side by side, row 0 in the low bits."""
    return sum(row << (index * width) for index, row in enumerate(rows))


def unpacked(bus: int, width: int, count: int) -> list[int]:
    """The first `count` rows of a bus."""
    return [bus >> (index * width) & ((1 << width) - 1) for index in range(count)]


def assert_frame(found: Frame, wanted: Frame, stream: str, story: str) -> None:
    """Compare two frames; the message names the first beat that differs.

    Args:
        stream: name of the stream, for the message.
        story: what was sent, for the message.
    """
    for index, (got, want) in enumerate(zip_longest(found, wanted)):
        if got != want:
            raise AssertionError(
                f"{stream}: beat {index} is {_shown(got)}, expected {_shown(want)} "
                f"({len(found)} beats, expected {len(wanted)}); {story}"
            )


def _shown(beat: Beat | None) -> str:
    """A beat for a message, data in hexadecimal."""
    if beat is None:
        return "missing"
    return " ".join(f"{k} {v:#x}" if k == "tdata" else f"{k} {v}" for k, v in beat.items())
