# SPDX-License-Identifier: Apache-2.0
"""A cocotb test of the toy counter that stops in a debugger, for test_debug.py."""

from __future__ import annotations

import os
import pdb

import cocotb
from cocotb.triggers import Timer


@cocotb.test(timeout_time=10, timeout_unit="us")
async def stops(dut) -> None:
    """Calls a debugger, by its name when told to."""
    await Timer(1, "ns")
    if os.environ["DEBUGGER"] == "pdb":
        pdb.set_trace()
    else:
        breakpoint()
    cocotb.log.info("went on")
