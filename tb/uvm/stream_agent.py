# SPDX-License-Identifier: Apache-2.0
"""Agents of the stream ports: values and memory words, in either direction."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from cocotb.handle import SimHandleBase
from cocotb.triggers import Event
from cocotb_bus.drivers import BitDriver
from pyuvm import (
    uvm_agent,
    uvm_analysis_port,
    uvm_component,
    uvm_driver,
    uvm_monitor,
    uvm_sequence_item,
    uvm_sequencer,
)

from tb.bus.cycles import now
from tb.bus.frames import Beat, Frame, with_nulls
from tb.bus.pace import Pace, always
from tb.bus.streams import StreamDriver, StreamMonitor
from tb.uvm.settings import CONFIG

NULLS = (0.0, 0.0, 0.1, 0.4)  # chances of which a frame draws that of beats without data


class FrameItem(uvm_sequence_item):
    """Beats for an input of the unit; `taken` is set when the last of them is taken.

    Some frames get further beats in between that keep no byte, and mean nothing for that.
    """

    def __init__(self, beats: list[Beat], pace: Pace | None = None) -> None:
        super().__init__("frame")
        self.beats, self.pace = with_nulls(beats, random.choice(NULLS)), pace or always()
        self.taken = Event()


class ReadyItem(uvm_sequence_item):
    """How an output of the unit is taken from now on; None means not at all."""

    def __init__(self, pace: Pace | None) -> None:
        super().__init__("ready")
        self.pace = pace


@dataclass(frozen=True)
class BeatSeen:
    """One transfer: how long valid waited for ready, and how long valid was away before it."""

    port: str
    beat: Beat
    waited: int
    gap: int
    first: bool


@dataclass(frozen=True)
class FrameSeen:
    """All beats of a frame."""

    port: str
    beats: Frame


class PortMonitor(StreamMonitor):
    """Watches a stream whose ready someone else drives, and counts waits and gaps."""

    def __init__(self, entity: SimHandleBase, name: str, on_beat: Callable) -> None:
        self._on_beat = on_beat
        self._waited = 0
        self._free_since: int | None = None
        super().__init__(entity, name)

    def pace(self, pace: Pace | None) -> None:
        """Leave ready alone."""

    def _sample(self, waiting: Beat | None) -> Beat | None:
        waiting = super()._sample(waiting)
        self._waited += waiting is not None
        return waiting

    def _keep(self, beat: Beat) -> None:
        first, waited, cycle = not self._frame, self._waited, now()
        gap = 0 if self._free_since is None else cycle - waited - self._free_since
        self._waited, self._free_since = 0, cycle + 1
        super()._keep(beat)
        self._on_beat(beat, waited, gap, first)


class StreamMonitorComponent(uvm_monitor):
    """Publishes beats on `beats` and whole frames on `frames`."""

    def __init__(self, name: str, parent: uvm_component, signals: str) -> None:
        super().__init__(name, parent)
        self._signals = signals

    def build_phase(self) -> None:
        self.beats = uvm_analysis_port("beats", self)
        self.frames = uvm_analysis_port("frames", self)
        dut = self.cdb_get(CONFIG).dut
        self._port = self.parent.get_name()
        self.bus = PortMonitor(dut, self._signals, self._seen)

    def _seen(self, beat: Beat, waited: int, gap: int, first: bool) -> None:
        self.beats.write(BeatSeen(self._port, beat, waited, gap, first))
        if self.bus.frames:
            self.frames.write(FrameSeen(self._port, self.bus.frames.pop()))

    def cut(self) -> Frame:
        """Take off the beats of a frame under way, which gets no end."""
        beats = list(self.bus.frame_so_far)
        self.bus.abort()
        return beats

    @property
    def waiting(self) -> bool:
        """Whether a beat stands that is not taken."""
        return self.bus.valid.value == 1 and self.bus.ready.value == 0


class SourceDriver(uvm_driver):
    """Sends frames into the unit."""

    def build_phase(self) -> None:
        dut = self.cdb_get(CONFIG).dut
        self.bus = StreamDriver(dut, f"s_axis_{self.parent.get_name()}")

    async def run_phase(self) -> None:
        while True:
            item = await self.seq_item_port.get_next_item()
            self.bus.set_valid_generator(item.pace)
            self.bus.append(item.beats, event=item.taken)
            self.seq_item_port.item_done()

    def abort(self) -> None:
        """Forget what was to be sent."""
        self.bus.abort()


class SinkDriver(uvm_driver):
    """Takes beats from the unit."""

    def build_phase(self) -> None:
        dut = self.cdb_get(CONFIG).dut
        ready = getattr(dut, f"m_axis_{self.parent.get_name()}_tready")
        self._ready, self._pacer = ready, BitDriver(ready, dut.clk)
        self._paced = False
        self._ready.value = 1

    async def run_phase(self) -> None:
        while True:
            item = await self.seq_item_port.get_next_item()
            if self._paced:
                self._pacer._cr.cancel()
            self._paced = item.pace is not None
            if self._paced:
                self._pacer.start(item.pace)
            else:
                self._ready.value = 0
            self.seq_item_port.item_done()

    def abort(self) -> None:
        """Nothing is kept here."""


class StreamAgent(uvm_agent):
    """One stream port, named after it; when passive, someone else drives it."""

    driver_type: type[uvm_driver]
    prefix: str

    def build_phase(self) -> None:
        super().build_phase()
        signals = f"{self.prefix}_{self.get_name()}"
        self.monitor = StreamMonitorComponent("monitor", self, signals)
        if self.active():
            self.sequencer = uvm_sequencer("sequencer", self)
            self.driver = self.driver_type("driver", self)

    def connect_phase(self) -> None:
        if self.active():
            self.driver.seq_item_port.connect(self.sequencer.seq_item_export)

    def forget(self) -> None:
        """Drop what is to be sent and what has come, as in reset."""
        if self.active():
            self.driver.abort()
        self.monitor.bus.abort()


class SourceAgent(StreamAgent):
    """An input of the unit."""

    driver_type, prefix = SourceDriver, "s_axis"


class SinkAgent(StreamAgent):
    """An output of the unit."""

    driver_type, prefix = SinkDriver, "m_axis"
