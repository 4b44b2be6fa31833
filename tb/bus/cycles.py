# SPDX-License-Identifier: Apache-2.0
"""A clock, a reset, and waiting for things that must come within some cycles of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.simtime import get_sim_time
from cocotb.triggers import FallingEdge, RisingEdge, SimTimeoutError, with_timeout

PERIOD_NS = 10


def start_clock(dut: SimHandleBase) -> None:
    """Run `dut.clk` for the rest of the test."""
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()


async def reset(dut: SimHandleBase, cycles: int = 2) -> None:
    """Hold `dut.rst` for some rising edges; returns right after the last of them."""
    dut.rst.value = 1
    for _ in range(cycles):
        await RisingEdge(dut.clk)
    dut.rst.value = 0


async def within(cycles: int, awaitable: Awaitable[Any], what: str) -> Any:
    """Wait for something that must happen within some clock cycles.

    Raises AssertionError, saying what did not happen, when it does not.
    """
    try:
        return await with_timeout(awaitable, cycles * PERIOD_NS, "ns")
    except SimTimeoutError:
        raise AssertionError(f"hang: {what} did not come within {cycles} cycles") from None


async def sampled(dut: SimHandleBase, name: str) -> int:
    """A status output in the middle of this clock cycle."""
    await FallingEdge(dut.clk)
    return int(getattr(dut, name).value)


async def cycles(dut: SimHandleBase, count: int) -> None:
    """Let some rising edges pass."""
    for _ in range(count):
        await RisingEdge(dut.clk)


async def until(dut: SimHandleBase, condition: Callable[[], bool], limit: int, what: str) -> None:
    """Let rising edges pass until something holds; raises AssertionError after `limit` of them."""
    for _ in range(limit):
        if condition():
            return
        await RisingEdge(dut.clk)
    raise AssertionError(f"hang: {what} did not come within {limit} cycles")


def now() -> int:
    """Number of the clock cycle."""
    return int(get_sim_time("ns")) // PERIOD_NS


async def pulse(signal: SimHandleBase, clk: SimHandleBase) -> None:
    """Hold a signal high for one rising edge."""
    await RisingEdge(clk)
    signal.value = 1
    await RisingEdge(clk)
    signal.value = 0


async def until_settled(
    dut: SimHandleBase, condition: Callable[[], bool], limit: int, what: str
) -> int:
    """Wait for something that holds in the middle of a cycle; returns the cycle's number."""
    falling = FallingEdge(dut.clk)

    async def wait() -> None:
        while not condition():
            await falling

    await falling
    await within(limit, wait(), what)
    return now()


async def settle(dut: SimHandleBase, condition: Callable[[], bool], still: int, limit: int) -> None:
    """Wait until something has held for `still` cycles on end."""
    held = 0
    for _ in range(limit):
        held = held + 1 if condition() else 0
        if held == still:
            return
        await RisingEdge(dut.clk)
    raise AssertionError(f"hang: not still for {still} cycles within {limit}")
