# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite as a host drives it: reads and writes, and what must hold of the answers."""

from __future__ import annotations

import random

from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, Lock, RisingEdge
from cocotb_bus.drivers import BusDriver

from tb.bus.cycles import within

OKAY = 0
SLVERR = 2
ANSWER_CYCLES = 200  # within which the registers answer
EVERY_BYTE = 0xF


class RegisterBus(BusDriver):
    """Reads and writes, one of each at a time, with random delays on every channel.

    Signals are driven right after the rising edge and sampled at the falling edge. Checks that an
    answer stays until it is taken, and comes only when asked for.
    """

    _signals = tuple(
        f"{channel}{signal}"
        for channel, signals in {
            "aw": ("addr", "prot", "valid", "ready"),
            "w": ("data", "strb", "valid", "ready"),
            "b": ("resp", "valid", "ready"),
            "ar": ("addr", "prot", "valid", "ready"),
            "r": ("data", "resp", "valid", "ready"),
        }.items()
        for signal in signals
    )

    def __init__(self, entity: SimHandleBase, name: str = "s_axil") -> None:
        super().__init__(entity, name, entity.clk)
        self.longest_delay = 3
        self._writing, self._reading = Lock(), Lock()
        self.abort()

    def abort(self) -> None:
        """Drive everything idle, as in reset."""
        for channel in ("aw", "w", "ar"):
            self._signal(channel, "valid").value = 0
        for channel in ("b", "r"):
            self._signal(channel, "ready").value = 0

    async def write(self, address: int, data: int, strobe: int = EVERY_BYTE) -> int:
        """Write 32 bits; returns the response. Address and data come in any order."""
        async with self._writing:
            answer = self._exchange(
                {
                    "aw": {"addr": address, "prot": random.getrandbits(3)},
                    "w": {"data": data, "strb": strobe},
                },
                "b",
            )
            return (await within(ANSWER_CYCLES, answer, f"the write of {address:#x}"))["resp"]

    async def read(self, address: int) -> tuple[int, int]:
        """Read 32 bits; returns (data, response)."""
        async with self._reading:
            answer = self._exchange(
                {"ar": {"addr": address, "prot": random.getrandbits(3)}}, "r", ("data",)
            )
            found = await within(ANSWER_CYCLES, answer, f"the read of {address:#x}")
            return found["data"], found["resp"]

    async def _exchange(
        self, requests: dict[str, dict[str, int]], answer: str, payload: tuple[str, ...] = ()
    ) -> dict[str, int]:
        """Send a beat on each request channel and take one from the answer's."""
        rising, falling = RisingEdge(self.clock), FallingEdge(self.clock)
        await rising
        waits = {channel: random.randint(0, self.longest_delay) for channel in requests}
        ready_in = random.randint(0, 2 * self.longest_delay)
        valid, ready = self._signal(answer, "valid"), self._signal(answer, "ready")
        pending = dict(requests)
        waiting: dict[str, int] | None = None
        while True:
            for channel in pending:
                waits[channel] -= 1
                if waits[channel] == -1:
                    self._offer(channel, pending[channel])
            ready.value = int(ready_in <= 0)
            ready_in -= 1
            await falling
            taken = [
                channel
                for channel in pending
                if waits[channel] < 0 and self._signal(channel, "ready").value == 1
            ]
            found = None
            if valid.value == 1:
                assert not pending, f"{self.name}: an answer before the request"
                names = (*payload, "resp")
                found = {name: int(self._signal(answer, name).value) for name in names}
                assert waiting in (None, found), f"{self.name}: {waiting} became {found}"
            else:
                assert waiting is None, f"{self.name}: the answer went before it was taken"
            waiting = found
            done = found is not None and ready.value == 1
            await rising
            for channel in taken:
                self._signal(channel, "valid").value = 0
                del pending[channel]
            if done:
                ready.value = 0
                return found

    def _offer(self, channel: str, beat: dict[str, int]) -> None:
        self._signal(channel, "valid").value = 1
        for name, value in beat.items():
            self._signal(channel, name).value = value

    def _signal(self, channel: str, name: str):
        return getattr(self.bus, f"{channel}{name}")
