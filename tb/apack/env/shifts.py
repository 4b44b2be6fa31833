# SPDX-License-Identifier: Apache-2.0
"""The shifts of values, and the code bits that they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Shifts:
    """The shifts of one value: its leading bits, the first one first, and its pending shifts."""

    leads: str
    under: int


def code_bits(block: Iterable[Shifts], closing: str) -> str:
    """The code bits of a block, after the definition of the coder."""
    bits, pending = "", 0
    for shifts in block:
        for lead in shifts.leads:
            bits += lead + "10"[int(lead)] * pending
            pending = 0
        pending += shifts.under
    return bits + closing + "10"[int(closing)] * (pending + 1)
