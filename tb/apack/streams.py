"""Valid/ready streams on cocotb-bus: a driver, a monitor that checks the protocol, pace patterns.

One clock cycle, for every part of the bench: signals are driven right after the rising edge and
sampled at the falling edge, when they have settled; valid and ready both high at a falling edge
mean a transfer at the rising edge that follows. This holds on every simulator, whatever order it
runs its callbacks in.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.handle import LogicObject, SimHandleBase
from cocotb.triggers import (
    Event,
    FallingEdge,
    RisingEdge,
    SimTimeoutError,
    ValueChange,
    with_timeout,
)
from cocotb.types import Logic
from cocotb_bus.drivers import BitDriver, ValidatedBusDriver
from cocotb_bus.monitors import BusMonitor

PERIOD_NS = 10

Beat = Mapping[str, int]
Frame = list[dict[str, int]]
Pace = Iterator[tuple[int, int]]  # (cycles on, cycles off), again and again; on is at least 1


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


def _payload(bus: Any, handshake: Sequence[str]) -> dict[str, LogicObject]:
    return {name: handle for name, handle in bus._signals.items() if name not in handshake}


class StreamDriver(ValidatedBusDriver):
    """Sends beats; a transaction is a sequence of beats, each with a value for every signal.

    While valid is low the payload is random, so that a design that takes it then is found out.
    """

    _signals = ("tvalid", "tready")
    _optional_signals = ("tdata", "tkeep", "tuser", "tlast")

    def __init__(self, entity: SimHandleBase, name: str, pace: Pace | None = None) -> None:
        super().__init__(entity, name, entity.clk, valid_generator=pace)
        self._valid, self._ready = (getattr(self.bus, signal) for signal in self._signals)
        self._payload = _payload(self.bus, self._signals)
        self.sent = 0  # beats that the design has taken
        self._pause()

    async def _driver_send(self, transaction: Iterable[Beat], sync: bool = True) -> None:
        rising, falling = RisingEdge(self.clock), FallingEdge(self.clock)
        if sync:
            await rising
        for beat in transaction:
            if not self.on:
                self._pause()
                for _ in range(self.off):
                    await rising
                self._next_valids()
            self._valid.value = 1
            for name, handle in self._payload.items():
                handle.value = beat[name]
            taken = False
            while not taken:
                await falling
                taken = self._ready.value == 1
                await rising
            self.sent += 1
            if self.on is not True:
                self.on -= 1
        self._pause()

    def _pause(self) -> None:
        self._valid.value = 0
        for handle in self._payload.values():
            handle.value = random.getrandbits(len(handle))

    def abort(self) -> None:
        """Forget what was to be sent, the beat that waits included."""
        self._thread.cancel()
        self.clear()
        self._pause()
        self._thread = cocotb.start_soon(self._send_thread())


class StreamMonitor(BusMonitor):
    """Collects frames, paces ready, and checks that valid and payload wait for it unchanged.

    A frame is a list of beats, the last with tlast; on a stream without tlast, a single beat.
    """

    _signals = ("tvalid", "tready")
    _optional_signals = ("tdata", "tkeep", "tuser", "tlast")
    _last = "tlast"

    def __init__(self, entity: SimHandleBase, name: str, pace: Pace | None = None) -> None:
        self.frames: list[Frame] = []
        self.ended = 0  # frames that have left the design
        self._frame: Frame = []
        self._frame_ended = Event()
        super().__init__(entity, name, entity.clk, reset=entity.rst, callback=self._keep)
        self._valid, self._ready = (getattr(self.bus, signal) for signal in self._signals)
        self._payload = _payload(self.bus, self._signals)
        self._pacer = BitDriver(self._ready, entity.clk)
        self._paced = False
        self.pace(pace)

    def pace(self, pace: Pace | None) -> None:
        """Drive ready with this pattern from now on; None means always high."""
        if self._paced:
            self._pacer._cr.cancel()
        self._paced = pace is not None
        if self._paced:
            self._pacer.start(pace)
        else:
            self._ready.value = 1

    def abort(self) -> None:
        """Forget what has come, the frame under way included."""
        self.frames.clear()
        self._frame.clear()

    async def next_frame(self, cycles: int) -> Frame:
        """Take the oldest frame off `frames`, waiting for it some cycles at most."""
        if not self.frames:
            self._frame_ended.clear()
            await within(cycles, self._frame_ended.wait(), f"a frame on {self.name}")
        return self.frames.pop(0)

    async def _monitor_recv(self) -> None:
        falling, change = FallingEdge(self.clock), ValueChange(self._valid)
        waiting: dict[str, int] | None = None
        while True:
            await falling
            if self.in_reset:
                waiting = None
            elif self._valid.value == 1:
                waiting = self._sample(waiting)
            else:
                assert self._valid.value == 0, f"{self.name}: valid is {self._valid.value}"
                assert waiting is None, f"{self.name}: valid fell before ready came, at {waiting}"
                await change

    def _sample(self, waiting: dict[str, int] | None) -> dict[str, int] | None:
        """Check this cycle's beat; return it when it has to wait for ready."""
        values = {name: handle.value for name, handle in self._payload.items()}
        if values.get("tkeep") == 0:
            values["tdata"] = Logic(0)  # a null beat's data mean nothing and may be undefined
        assert all(value.is_resolvable for value in values.values()), (
            f"{self.name}: undefined payload while valid: {values}"
        )
        beat = {name: int(value) for name, value in values.items()}
        assert waiting in (None, beat), f"{self.name}: {waiting} became {beat} before ready came"
        if self._ready.value == 0:
            return beat
        self._recv(beat)
        return None

    def _keep(self, beat: dict[str, int]) -> None:
        self._frame.append(beat)
        if beat.get(self._last, 1):
            self.frames.append(self._frame)
            self._frame = []
            self.ended += 1
            self._frame_ended.set()
