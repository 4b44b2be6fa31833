# SPDX-License-Identifier: Apache-2.0
"""Reading and driving modules without a clock."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import cocotb
from cocotb.handle import SimHandleBase
from cocotb.triggers import Timer


@cache
def parameter(name: str) -> int:
    """A parameter of the module under test."""
    return int(getattr(cocotb.top, name).value)


async def outputs_for(dut: SimHandleBase, inputs: Mapping[str, int], *names: str) -> list[int]:
    """Apply inputs and read outputs once they have settled.

    Inputs that the module does not have are left out.
    """
    for name, value in inputs.items():
        if hasattr(dut, name):
            getattr(dut, name).value = value
    await Timer(1, "ns")
    return [int(getattr(dut, name).value) for name in names]
