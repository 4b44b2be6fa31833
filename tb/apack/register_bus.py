"""AXI4-Lite to the registers of a unit, and what a host does with them."""

from __future__ import annotations

import random
from collections.abc import Iterable

from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, Lock, RisingEdge
from cocotb_bus.drivers import BusDriver

from model.apack import SymbolTable
from tb.apack.bench import rows_of
from tb.apack.registers import Register, register_map
from tb.apack.streams import within

OKAY, SLVERR = 0, 2
ANSWER_CYCLES = 200  # within which the registers answer
EVERY_BYTE = 0xF
COUNTERS = (
    "VALUES_DONE",
    "BITS",
    "WORDS",
    "CYCLES",
    "STALL_INPUT",
    "STALL_OUTPUT",
    "STALL_ENGINE",
)
COUNTS = ("BLOCKS", "RAW_BLOCKS", "BAD_BLOCKS", "BAD_BLOCK", "BAD_CAUSE")


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


class Unit:
    """A compressor or a decompressor as a host sees it: registers by name."""

    def __init__(self, dut: SimHandleBase) -> None:
        self.dut = dut
        self.bus = RegisterBus(dut)
        self.map: dict[str, Register] = register_map()

    async def write(self, name: str, data: int) -> None:
        """Write a register of the map."""
        response = await self.bus.write(self.map[name].address, data)
        assert response == OKAY, f"the write of {name} answered {response}"

    async def read(self, name: str) -> int:
        """Read a register of the map."""
        data, response = await self.bus.read(self.map[name].address)
        assert response == OKAY, f"the read of {name} answered {response}"
        return data

    async def load_rows(self, bank: int, rows: Iterable[tuple[int, int]]) -> None:
        """Write table rows (base, cum at the group's end), legal or not."""
        rows = list(rows)
        for number, (base, cum) in enumerate(rows):
            await self.write("TABLE_BASE", base)
            last = int(number == len(rows) - 1)
            await self.write("TABLE_CUM", self.map["TABLE_CUM"].word(CUM=cum, BANK=bank, LAST=last))

    async def load_table(self, bank: int, table: SymbolTable) -> None:
        """Write a table and see that the bank is valid then."""
        await self.load_rows(bank, rows_of(table))
        assert f"TABLE{bank}_VALID" in await self.status(), f"{table.to_json()} was refused"

    async def start(self, bank: int = 0) -> None:
        """Begin or queue a tensor with the table of a bank, with BLOCK and VALUES as they are."""
        await self.write("CONTROL", self.map["CONTROL"].word(START=1, BANK=bank))

    async def abort(self) -> None:
        """Drop the tensor that runs."""
        await self.write("CONTROL", self.map["CONTROL"].word(ABORT=1))

    async def set_values(self, count: int) -> None:
        """Say how many values the next tensor has."""
        await self.write("VALUES_LO", count & 0xFFFFFFFF)
        await self.write("VALUES_HI", count >> 32)

    async def status(self) -> set[str]:
        """Names of the status bits that are set."""
        return self.map["STATUS"].names(await self.read("STATUS"))

    async def events(self) -> set[str]:
        """Names of the events that stand."""
        return self.map["EVENTS"].names(await self.read("EVENTS"))

    async def clear_events(self) -> set[str]:
        """Clear the events that stand, and name them."""
        found = await self.read("EVENTS")
        await self.write("EVENTS", found)
        return self.map["EVENTS"].names(found)

    async def enable(self, *events: str) -> None:
        """Let only these events raise irq."""
        await self.write("IRQ_ENABLE", self.map["EVENTS"].word(**dict.fromkeys(events, 1)))

    async def counter(self, name: str) -> int:
        """A counter of 48 bits."""
        low = await self.read(f"{name}_LO")
        return low | await self.read(f"{name}_HI") << 32

    async def counters(self) -> dict[str, int]:
        """All counters and the numbers of blocks."""
        found = {name: await self.counter(name) for name in COUNTERS}
        return found | {name: await self.read(name) for name in COUNTS}

    async def bad_cause(self) -> set[str]:
        """What is wrong with the first damaged block."""
        return self.map["BAD_CAUSE"].names(await self.read("BAD_CAUSE"))

    async def wait_idle(self, polls: int) -> None:
        """Read STATUS until nothing runs or waits; raises AssertionError after so many reads."""
        for _ in range(polls):
            if not await self.status() & {"BUSY", "QUEUED"}:
                return
        raise AssertionError(f"hang: the unit is {await self.status()} after {polls} reads")

    async def wait_any(self, *events: str, polls: int) -> set[str]:
        """Read EVENTS until one of these stands, and clear them all; returns what stood."""
        for _ in range(polls):
            if await self.events() & set(events):
                return await self.clear_events()
        raise AssertionError(f"hang: none of {events} after {polls} reads")
