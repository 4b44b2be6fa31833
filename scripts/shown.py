"""How paths, percentages and messages are shown to people and in XML."""

from __future__ import annotations

import math
import re
from pathlib import Path

from scripts.rtl import ROOT

UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def relative(path: Path) -> str:
    """A path as it is seen from the repository, where it lies in it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def floored(percent: float) -> str:
    """A percentage that never looks like more than it is."""
    return f"{math.floor(percent * 100) / 100:.2f}"


def rounded(percent: float) -> str:
    """A percentage that is 100 only when nothing is missing."""
    return f"{min(percent, 99.99) if percent < 100 else percent:.2f}"


def printable(text: str) -> str:
    """A text with ? in place of what XML cannot hold."""
    return UNPRINTABLE.sub("?", text)


def variable_of_test(node: str) -> str:
    """The variable of make that selects a test by its node id, for a command line of the shell."""
    quoted = node.replace("$", "$$").replace("'", "'\"'\"'")
    return f"TEST='{quoted}'"
