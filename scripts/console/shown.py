# SPDX-License-Identifier: Apache-2.0
"""How paths, percentages and messages are shown to people and in XML."""

from __future__ import annotations

import math
import re

UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def floored(percent: float) -> str:
    """A percentage that never looks like more than it is."""
    return f"{math.floor(percent * 100) / 100:.2f}"


def rounded(percent: float) -> str:
    """A percentage that is 100 only when nothing is missing."""
    return f"{min(percent, 99.99) if percent < 100 else percent:.2f}"


def printable(text: str) -> str:
    """A text with ? in place of what XML cannot hold."""
    return UNPRINTABLE.sub("?", text)
