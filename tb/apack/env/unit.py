# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite to the registers of a unit, and what a host does with them."""

from __future__ import annotations

from collections.abc import Iterable

from cocotb.handle import SimHandleBase

from model.apack import SymbolTable
from tb.apack.env.register_map import register_map
from tb.apack.env.rows import rows_of
from tb.bus.axi_lite import OKAY, RegisterBus
from tb.bus.register_map import Register

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
        """Drop the tensors that run."""
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
