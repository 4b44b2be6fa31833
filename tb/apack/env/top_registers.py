# SPDX-License-Identifier: Apache-2.0
"""What the registers of both units must do: reset values, access, refusals, interrupts."""

from __future__ import annotations

import random
from itertools import pairwise

from cocotb.triggers import FallingEdge

from model.apack import SymbolTable
from tb.apack.env.illegal import Rows
from tb.apack.env.rows import rows_of
from tb.apack.env.top import TABLE_LATENCY, TopBench
from tb.bus.axi_lite import EVERY_BYTE, OKAY, SLVERR
from tb.bus.cycles import cycles

EVENTS = 8
ID = int.from_bytes(b"ACPK", "little")
WRITABLE = {"IRQ_ENABLE": (1 << EVENTS) - 1, "BLOCK": 0xFFFFFFFF, "TABLE_BASE": 0xFFFFFFFF}
WRITABLE_IN_DECOMPRESSOR = {"VALUES_LO": 0xFFFFFFFF, "VALUES_HI": 0xFFFF}
IRQ_LATENCY = 4


def reset_values(bench: TopBench, decompressor: bool) -> dict[str, int]:
    """What every readable register holds after reset."""
    widths, registers = bench.widths, bench.unit.map
    known = {
        "ID": ID,
        "VERSION": registers["VERSION"].word(
            CONTAINER=2, DECOMPRESSOR=int(decompressor), HOLD=widths.hold
        ),
        "SHAPE": registers["SHAPE"].word(
            ENGINES=widths.engines,
            STREAMS=widths.streams,
            LANES=widths.lanes,
            WORD_BYTES=widths.word_w // 8,
        ),
        "CODER": registers["CODER"].word(
            VALUE_W=widths.value_w,
            SYMBOLS=widths.symbols,
            COUNT_W=widths.count_w,
            CODE_W=widths.code_w,
        ),
        "BLOCK_MAX": widths.block_max,
        "BLOCK": widths.block_max,
    }
    return {name: known.get(name, 0) for name in registers}


async def check_reset_values(bench: TopBench, decompressor: bool) -> None:
    """Every register of the map, in any order."""
    wanted = list(reset_values(bench, decompressor).items())
    random.shuffle(wanted)
    for name, value in wanted:
        found = await bench.unit.read(name)
        assert found == value, f"{name} is {found:#x} after reset, expected {value:#x}"


async def check_access(bench: TopBench, decompressor: bool) -> None:
    """What is written to RW registers stays, byte by byte; other registers keep their content.

    The two lowest bits of an address mean nothing.
    """
    unit = bench.unit
    writable = WRITABLE | (WRITABLE_IN_DECOMPRESSOR if decompressor else {})
    wanted = reset_values(bench, decompressor)
    for _ in range(12):
        for name, mask in writable.items():
            data, strobe = random.getrandbits(32) & mask, random.choice((EVERY_BYTE, 0, 1, 5, 14))
            bytes_written = sum(0xFF << 8 * lane for lane in range(4) if strobe >> lane & 1)
            address = unit.map[name].address | random.getrandbits(2)
            assert await unit.bus.write(address, data, strobe) == OKAY
            wanted[name] = wanted[name] & ~bytes_written | data & bytes_written
        others = [name for name in wanted if name not in writable]
        for name in (*writable, *random.sample(others, 3)):
            value, address = wanted[name], unit.map[name].address | random.getrandbits(2)
            found, response = await unit.bus.read(address)
            assert (found, response) == (value, OKAY), f"{name} is {found:#x}, not {value:#x}"
    unchanged = [name for name in wanted if name not in writable and name != "CONTROL"]
    for name in unchanged:
        if unit.map[name].access in ("RO", "RW"):
            await unit.write(name, 0xFFFFFFFF)
    for name in unchanged:
        found = await unit.read(name)
        assert found == wanted[name], f"{name} is {found:#x} after a write"


async def check_unmapped(bench: TopBench) -> None:
    """Addresses outside the map answer SLVERR, read 0 and do nothing."""
    bus, mapped = bench.unit.bus, {register.address for register in bench.unit.map.values()}
    holes = [address for address in range(0, 256, 4) if address not in mapped]
    for address in random.sample(holes, min(len(holes), 12)):
        assert await bus.write(address, random.getrandbits(32)) == SLVERR, hex(address)
        assert await bus.read(address) == (0, SLVERR), hex(address)
    assert not await bench.unit.events()
    assert not await bench.unit.status()


async def check_illegal_tables(bench: TopBench) -> None:
    """Tables that break any rule are reported with their row, and START is refused with them."""
    unit, widths = bench.unit, bench.widths
    for rows, wrong in widths.illegal_tables():
        await _check_illegal(bench, rows, wrong)
    wide = 1 << widths.value_w
    if widths.symbols > 1 and widths.value_w < 16:
        top = 1 << widths.count_w
        await _check_illegal(bench, [(0, 1), (wide | 1, top)], 1)
    if widths.count_w < 16:
        await _check_illegal(bench, [(0, 1 << 16 | 1 << widths.count_w)], 0)
    await unit.load_table(0, widths.random_table())
    await unit.clear_events()
    assert not await unit.events()


async def _check_illegal(bench: TopBench, rows: Rows, wrong: int) -> None:
    unit, bank = bench.unit, random.randint(0, 1)
    await unit.load_table(bank, bench.widths.random_table())
    await unit.clear_events()
    await unit.load_rows(bank, rows)
    await cycles(bench.dut, TABLE_LATENCY)
    story = f"table {rows} for bank {bank}"
    status = await unit.status()
    assert f"TABLE{bank}_VALID" not in status, f"{story} is valid"
    assert await unit.events() == {"TABLE_ILLEGAL"}, story
    row = unit.map["TABLE_ROW"].fields[f"BANK{bank}"].of(await unit.read("TABLE_ROW"))
    assert row == wrong, f"{story}: row {row} is named, {wrong} is the first wrong one"
    await unit.start(bank)
    assert await unit.clear_events() == {"TABLE_ILLEGAL", "START_REFUSED"}, story
    assert not await unit.status() & {"BUSY", "QUEUED"}, story
    assert not await unit.events(), story


async def check_refused_starts(bench: TopBench) -> None:
    """No table, a table that is not complete, a BLOCK that is illegal: START does nothing."""
    unit, widths = bench.unit, bench.widths
    for bank in (0, 1):
        await _check_refused(bench, bank, "without a table")
    table = SymbolTable.uniform(widths.value_w, min(2, widths.symbols), widths.count_w)
    await unit.load_rows(0, rows_of(table))
    if table.groups > 1:
        await unit.write("TABLE_BASE", 0)
        await unit.write("TABLE_CUM", unit.map["TABLE_CUM"].word(CUM=1, BANK=0))
        await _check_refused(bench, 0, "with a table under way")
        await bench.restart()
    await unit.load_table(1, table)
    most, lanes = widths.block_max, widths.lanes
    illegal = {0, most + lanes, 2 * most, 1 << 31, (1 << 32) - lanes, 1 << 17, most | 1 << 17}
    if lanes > 1:
        illegal |= {1, lanes - 1, lanes + 1, most - 1}
    for block in sorted(illegal):
        await unit.write("BLOCK", block)
        await _check_refused(bench, 1, f"with BLOCK {block}")


async def _check_refused(bench: TopBench, bank: int, story: str) -> None:
    await bench.unit.start(bank)
    assert await bench.unit.clear_events() == {"START_REFUSED"}, f"START {story}"
    assert not await bench.unit.status() & {"BUSY", "QUEUED"}, f"START {story}"


async def check_queue(bench: TopBench) -> None:
    """While a tensor runs, one START waits, the next is refused, and rows for its bank too.

    The unit must have legal tables in both banks and no input to come.
    """
    unit = bench.unit
    table = bench.widths.random_table()
    await unit.start(0)
    await cycles(bench.dut, 5)
    assert await unit.status() & {"BUSY", "QUEUED", "BANK"} == {"BUSY"}
    await _check_row_refused(bench, 0, table)
    await unit.load_table(1, table)
    assert not await unit.events()
    await unit.start(1)
    assert await unit.status() & {"BUSY", "QUEUED", "BANK"} == {"BUSY", "QUEUED"}
    await _check_row_refused(bench, 1, table)
    for bank in (0, 1):
        await unit.start(bank)
        assert await unit.clear_events() == {"START_REFUSED"}
    assert await unit.status() >= {"BUSY", "QUEUED", "TABLE0_VALID", "TABLE1_VALID"}


async def _check_row_refused(bench: TopBench, bank: int, table: SymbolTable) -> None:
    unit = bench.unit
    await unit.load_rows(bank, rows_of(table)[:1])
    await cycles(bench.dut, TABLE_LATENCY)
    assert await unit.clear_events() == {"TABLE_REFUSED"}
    assert f"TABLE{bank}_VALID" in await unit.status()


async def check_interrupts(bench: TopBench) -> None:
    """irq is high exactly while an event stands that is enabled."""
    unit, dut = bench.unit, bench.dut
    await unit.start(0)
    await unit.load_rows(1, [(1, 1)])
    await cycles(dut, TABLE_LATENCY)
    standing = {"START_REFUSED", "TABLE_ILLEGAL"}
    assert await unit.events() == standing
    names = list(unit.map["EVENTS"].fields)
    for _ in range(12):
        enabled = set(random.sample(names, random.randint(0, len(names))))
        await unit.enable(*enabled)
        await _check_irq(bench, bool(enabled & standing))
    await unit.enable(*names)
    await _check_irq(bench, True)
    for cleared, left in pairwise([set(), {"START_REFUSED"}, set(names)]):
        await unit.write("EVENTS", unit.map["EVENTS"].word(**dict.fromkeys(left, 1)))
        assert await unit.events() == standing - cleared - left
        await _check_irq(bench, bool(standing - cleared - left))


async def _check_irq(bench: TopBench, wanted: bool) -> None:
    await cycles(bench.dut, IRQ_LATENCY)
    await FallingEdge(bench.dut.clk)
    assert bench.dut.irq.value == int(wanted), await bench.unit.events()
