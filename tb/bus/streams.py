# SPDX-License-Identifier: Apache-2.0
"""Valid/ready streams on cocotb-bus: a driver, a monitor that checks the protocol, pace patterns.

One clock cycle, for every part of the bench: signals are driven right after the rising edge and
sampled at the falling edge, when they have settled; valid and ready both high at a falling edge
mean a transfer at the rising edge that follows. This holds on every simulator, whatever order it
runs its callbacks in.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import cocotb
from cocotb.handle import LogicObject, SimHandleBase
from cocotb.triggers import (
    Event,
    FallingEdge,
    RisingEdge,
    ValueChange,
)
from cocotb.types import Logic
from cocotb_bus.drivers import BitDriver, ValidatedBusDriver
from cocotb_bus.monitors import BusMonitor

from tb.bus.cycles import within
from tb.bus.frames import Beat, Frame
from tb.bus.pace import Pace


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

    @property
    def valid(self) -> LogicObject:
        """The signal that says a beat is there."""
        return self._valid

    @property
    def ready(self) -> LogicObject:
        """The signal that says a beat is taken."""
        return self._ready

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

    @property
    def valid(self) -> LogicObject:
        """The signal that says a beat is there."""
        return self._valid

    @property
    def ready(self) -> LogicObject:
        """The signal that says a beat is taken."""
        return self._ready

    @property
    def frame_so_far(self) -> Frame:
        """The beats of the frame under way."""
        return self._frame

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
