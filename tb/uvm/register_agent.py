# SPDX-License-Identifier: Apache-2.0
"""Agent of the register bus, AXI4-Lite."""

from __future__ import annotations

from dataclasses import dataclass

from cocotb.triggers import FallingEdge
from pyuvm import (
    uvm_agent,
    uvm_analysis_port,
    uvm_driver,
    uvm_monitor,
    uvm_sequence_item,
    uvm_sequencer,
)

from tb.bus.axi_lite import EVERY_BYTE
from tb.bus.cycles import now
from tb.uvm.settings import CONFIG


class RegisterItem(uvm_sequence_item):
    """One access; the driver fills in the response, and the data of a read."""

    def __init__(self, address: int, write: bool, data: int = 0, strobe: int = EVERY_BYTE) -> None:
        super().__init__("register")
        self.address, self.write, self.data, self.strobe = address, write, data, strobe
        self.response: int | None = None


@dataclass(frozen=True)
class RegisterAccess:
    """An access as the pins showed it; published once its answer is there (write) or taken (read).

    begun: the cycle in which its address was taken.
    """

    write: bool
    address: int
    data: int
    strobe: int
    response: int
    begun: int


class RegisterDriver(uvm_driver):
    """Does one access after the other."""

    def build_phase(self) -> None:
        self.bus = self.cdb_get(CONFIG).unit.bus

    async def run_phase(self) -> None:
        while True:
            item = await self.seq_item_port.get_next_item()
            if item.write:
                item.response = await self.bus.write(item.address, item.data, item.strobe)
            else:
                item.data, item.response = await self.bus.read(item.address)
            self.seq_item_port.item_done()


class RegisterMonitor(uvm_monitor):
    """Publishes every access on `accesses`."""

    def build_phase(self) -> None:
        self.accesses = uvm_analysis_port("accesses", self)
        self._dut = self.cdb_get(CONFIG).dut

    async def run_phase(self) -> None:
        falling = FallingEdge(self._dut.clk)
        seen: dict[str, dict[str, int]] = {}
        while True:
            await falling
            if self._dut.rst.value == 1:
                seen.clear()
                continue
            for channel, payload in (
                ("aw", ("addr",)),
                ("w", ("data", "strb")),
                ("ar", ("addr",)),
                ("r", ("data", "resp")),
            ):
                if self._taken(channel):
                    assert channel != "aw" or self._dut.s_axil_bvalid.value == 0, "two writes"
                    seen[channel] = {name: self._number(channel, name) for name in payload}
                    seen[channel]["cycle"] = now()
            self._publish(seen)

    def _publish(self, seen: dict[str, dict[str, int]]) -> None:
        # A write has its effect before its answer is taken: an ABORT's closing beats may come
        # first. The unit takes no other write before that, as run_phase makes sure.
        if "aw" in seen and self._dut.s_axil_bvalid.value == 1:
            request, word = seen.pop("aw"), seen.pop("w")
            response = self._number("b", "resp")
            self._write(True, request, word["data"], word["strb"], response)
        if answer := seen.pop("r", None):
            self._write(False, seen.pop("ar"), answer["data"], EVERY_BYTE, answer["resp"])

    def _write(
        self, write: bool, request: dict[str, int], data: int, strobe: int, response: int
    ) -> None:
        address, begun = request["addr"], request["cycle"]
        self.accesses.write(RegisterAccess(write, address, data, strobe, response, begun))

    def _taken(self, channel: str) -> bool:
        signals = (getattr(self._dut, f"s_axil_{channel}{end}") for end in ("valid", "ready"))
        return all(signal.value == 1 for signal in signals)

    def _number(self, channel: str, name: str) -> int:
        return int(getattr(self._dut, f"s_axil_{channel}{name}").value)


class RegisterAgent(uvm_agent):
    """The register bus; when passive, someone else drives it."""

    def build_phase(self) -> None:
        super().build_phase()
        self.monitor = RegisterMonitor("monitor", self)
        if self.active():
            self.sequencer = uvm_sequencer("sequencer", self)
            self.driver = RegisterDriver("driver", self)

    def connect_phase(self) -> None:
        if self.active():
            self.driver.seq_item_port.connect(self.sequencer.seq_item_export)
