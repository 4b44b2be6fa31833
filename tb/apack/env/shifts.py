# SPDX-License-Identifier: Apache-2.0
"""The shifts of a value, and the code bits that they make."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shifts:
    """The shifts of one value: its leading bits, the first one first, and its pending shifts."""

    leads: str
    under: int


def resolved(leads: str, pending: int) -> str:
    """The code bits of leading bits with so many pending ones before them, as the coder has it."""
    return leads[:1] + "10"[int(leads[0])] * pending + leads[1:] if leads else ""
