# SPDX-License-Identifier: Apache-2.0
"""apack_registers: the register map as its comments state it; the bench plays the unit around."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

import cocotb
from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, RisingEdge, Timer

from tb.apack.env.top_registers import (
    IRQ_LATENCY,
    check_access,
    check_reset_values,
    check_unmapped,
    reset_values,
)
from tb.apack.env.unit import COUNTERS, COUNTS, Unit
from tb.bus.axi_lite import EVERY_BYTE, OKAY, SLVERR
from tb.bus.combinational import parameter
from tb.bus.cycles import PERIOD_NS, cycles, reset, start_clock

PARAMETERS = (
    "DECOMPRESSOR", "ENGINES", "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W",
    "LANES", "BLOCK_VALUES", "HOLD", "PIECE_W", "PIECES_W",
)  # fmt: skip
SETS = {
    # Blocks of so many pieces that BITS overflows, here and in the largest.
    "decompressor": (1, 1, 4, 8, 16, 10, 16, 64, 8, 4096, 1, 16, 38),
    "smallest": (0, 1, 1, 2, 1, 1, 3, 16, 1, 8, 0, 16, 1),
    "largest": (1, 64, 8, 16, 255, 16, 32, 64, 128, 65536, 0, 32, 38),
}
ILLEGAL = {
    "DECOMPRESSOR": (2,),
    "SYMBOLS": (0, 256),
    "COUNT_W": (17,),
    "CODE_W": (33,),
    "LANES": (0, 129),
    "HOLD": (2,),
    "PIECE_W": (8, 24, 64),
}
MEANINGFUL = (
    ("command_values", "command_valid"),
    ("front_bank", "busy"),
    ("front_block", "busy"),
)

STALLS = {f"count_stall_{name.lower()}": f"STALL_{name}" for name in ("INPUT", "OUTPUT", "ENGINE")}
BLOCK = ("count_block", "count_values", "count_pieces", "count_raw", "count_cause")
STEPS = (*STALLS, *BLOCK)
RAISED_BY = {
    "DONE": ("event_done",),
    "ABORTED": ("event_aborted",),
    "KEEP": ("event_keep",),
    "BLOCK_BAD": ("count_block", "count_cause"),
    "MEMORY_LENGTH": ("event_memory_length",),
}
LEVELS = ("table_valid", "table_illegal", "table_illegal_row", "discard")
PULSES = (
    *STEPS,
    *(name for names in RAISED_BY.values() for name in names),
    "command_take",
    "finish",
)
ANSWERS = tuple(f"s_axil_{name}" for name in ("awready", "wready", "bvalid", "arready", "rvalid"))
BUS_CYCLES = 400
MANY_TENSORS = 300
MOST_WAITED = 50  # cycles
STRETCHES = (0x5555, 0x2AAA)  # cycles that a test lets pass without looking
LONG_STRETCH = 0x7FFF
TENSORS = 8


@dataclass(frozen=True)
class Widths:
    """The parameters that the registers tell of and those of their ports."""

    engines: int
    streams: int
    value_w: int
    symbols: int
    count_w: int
    code_w: int
    word_w: int
    lanes: int
    block_values: int
    hold: int
    piece_w: int
    pieces_w: int
    values_w: int
    row_w: int

    @property
    def block_max(self) -> int:
        """Most values of a block."""
        return self.block_values

    @classmethod
    def of_top(cls) -> Self:
        """Those of the module under test."""
        return cls(**{name: parameter(name.upper()) for name in cls.__dataclass_fields__})

    def any_block(self) -> int:
        """A legal BLOCK."""
        most = self.block_values // self.lanes
        return self.lanes * random.choice((1, most, random.randint(1, most)))


@dataclass
class Counts:
    """What the counters of a tensor must be."""

    totals: Counter[str] = field(default_factory=Counter)
    bad: tuple[int, int] = (0, 0)  # number and causes of the first damaged block

    def add(self, step: dict[str, int], cycles: int = 1) -> None:
        """Count cycles of the tensor, all alike."""
        self.totals["CYCLES"] += cycles
        for name, counter in STALLS.items():
            self.totals[counter] += cycles * step[name]
        if not step["count_block"]:
            return
        if step["count_cause"] and not self.totals["BAD_BLOCKS"]:
            self.bad = self.totals["BLOCKS"], step["count_cause"]
        pieces = step["count_pieces"]
        self.totals.update({
            "VALUES_DONE": cycles * step["count_values"],
            "BITS": cycles * pieces * parameter("PIECE_W"),
            "WORDS": cycles * block_words(pieces),
            "BLOCKS": cycles,
            "RAW_BLOCKS": cycles * step["count_raw"],
            "BAD_BLOCKS": cycles * (step["count_cause"] != 0),
        })  # fmt: skip

    @property
    def registers(self) -> dict[str, int]:
        """The counters as a host reads them."""
        first = {"BAD_BLOCK": self.bad[0], "BAD_CAUSE": self.bad[1]}
        return first | {name: self.totals[name] % (1 << 48) for name in (*COUNTERS, *COUNTS[:3])}


def block_words(pieces: int) -> int:
    """Memory words of a block and its header; a lost one has none."""
    if not pieces:
        return 0
    return 64 // parameter("WORD_W") + -(-pieces * parameter("PIECE_W") // parameter("WORD_W"))


def bits_of(strobe: int) -> int:
    """The bits of the bytes that are written."""
    return sum(0xFF << 8 * lane for lane in range(4) if strobe >> lane & 1)


class Outputs:
    """What leaves in single cycles: rows of tables, aborts, cleared tables."""

    def __init__(self, dut: SimHandleBase) -> None:
        self.rows: list[tuple[int, int, int, int]] = []  # bank, base, cum, last
        self.aborts = self.clears = 0
        cocotb.start_soon(self._watch(dut, (1 << parameter("VALUE_W")) - 1))

    async def _watch(self, dut: SimHandleBase, base: int) -> None:
        while True:
            await FallingEdge(dut.clk)
            if valid := int(dut.row_valid.value):
                assert valid in (1, 2), "a row for both banks"
                data = int(dut.row_data.value)
                cum = data >> base.bit_length()
                self.rows.append((valid - 1, data & base, cum, int(dut.row_last.value)))
            self.aborts += int(dut.run_abort.value)
            self.clears += int(dut.table_clear.value)

    def taken(self) -> tuple[list[tuple[int, int, int, int]], int, int]:
        """Rows, aborts and clears since this was asked last."""
        found = self.rows, self.aborts, self.clears
        self.rows, self.aborts, self.clears = [], 0, 0
        return found


class Bench:
    """The registers, a host at their bus and the unit at their ports."""

    def __init__(self, dut: SimHandleBase) -> None:
        self.dut, self.widths, self.unit = dut, Widths.of_top(), Unit(dut)
        self.decompressor = bool(parameter("DECOMPRESSOR"))

    @classmethod
    async def started(cls, dut: SimHandleBase) -> Self:
        """After a reset."""
        start_clock(dut)
        bench = cls(dut)
        await bench.restart()
        return bench

    async def restart(self) -> None:
        """Reset, with nothing under way."""
        self.unit.bus.abort()
        for name in (*LEVELS, *PULSES):
            getattr(self.dut, name).value = 0
        await reset(self.dut)

    async def cycle(self, **inputs: int) -> None:
        """Give some inputs a value, and let a cycle pass; the others stay as they are."""
        for name, value in inputs.items():
            getattr(self.dut, name).value = value
        await RisingEdge(self.dut.clk)

    async def high(self, name: str) -> None:
        """Wait for the middle of a cycle in which an output is high."""
        falling = FallingEdge(self.dut.clk)
        await falling
        for _ in range(MOST_WAITED):
            if getattr(self.dut, name).value == 1:
                return
            await falling
        raise AssertionError(f"hang: {name} did not come within {MOST_WAITED} cycles")

    async def pulse_in_write(self, names: list[str]) -> None:
        """Raise inputs in the one cycle in which the write that comes next is taken."""
        await self.high("s_axil_awready")
        await self.cycle(**dict.fromkeys(names, 1))
        for name in names:
            getattr(self.dut, name).value = 0

    async def ready(self) -> None:
        """Let cycles pass until count_ready is high, with nothing that is counted."""
        await self.cycle(**dict.fromkeys(PULSES, 0))
        await self.high("count_ready")
        await RisingEdge(self.dut.clk)

    def any_step(self, rate: float, block: bool = True) -> dict[str, int]:
        """What may pass in a cycle, without a block if one is not wanted."""
        step = {name: int(random.random() < rate) for name in STEPS}
        step["count_block"] *= block
        step["count_values"] = random.getrandbits(self.widths.values_w)
        step["count_pieces"] *= random.getrandbits(self.widths.pieces_w)
        step["count_cause"] *= random.randint(1, 63)
        return step

    async def pass_cycle(self, step: dict[str, int], **inputs: int) -> dict[str, int]:
        """A cycle; a block that may not be counted is left out of the step that is returned."""
        for name, value in (step | inputs).items():
            getattr(self.dut, name).value = value
        await FallingEdge(self.dut.clk)
        if self.dut.count_ready.value == 0 and step["count_block"]:
            step = step | {"count_block": 0}
            self.dut.count_block.value = 0
        await RisingEdge(self.dut.clk)
        return step

    async def end_one(self) -> None:
        """Let the oldest of the tensors that run end."""
        await self.ready()
        await self.cycle(finish=1)
        await self.cycle(finish=0)

    async def begin(self, bank: int = 0) -> None:
        """Start a tensor, with stalls in the cycle before it."""
        self.dut.table_valid.value = 3
        await self.unit.start(bank)
        await self.pass_cycle(self.any_step(1, block=False), command_take=1)
        self.dut.command_take.value = 0

    async def check_counters(self, counts: Counts, tensors: int, story: str) -> None:
        """Compare all counters with what was counted."""
        found = await self.unit.counters()
        assert found == counts.registers, f"{story}: {found}, expected {counts.registers}"
        ended = await self.unit.read("TENSORS")
        assert ended == tensors, f"{story}: TENSORS is {ended}, expected {tensors}"

    async def check_irq(self, wanted: bool, story: str) -> None:
        """Look at the interrupt once it has settled."""
        await cycles(self.dut, IRQ_LATENCY)
        await FallingEdge(self.dut.clk)
        assert self.dut.irq.value == int(wanted), f"irq is not {int(wanted)}: {story}"


@cocotb.test()
async def has_its_reset_values_and_keeps_what_is_written(dut):
    bench = await Bench.started(dut)
    await check_reset_values(bench, bench.decompressor)
    await check_access(bench, bench.decompressor)
    await bench.restart()
    await check_reset_values(bench, bench.decompressor)
    await check_unmapped(bench)


@cocotb.test()
async def counts_each_tensor_and_keeps_the_counts_of_the_last(dut):
    """From the cycle after its beginning or the end of the one before to its own end."""
    bench = await Bench.started(dut)
    last = Counts()
    for tensor in range(TENSORS):
        await bench.begin()
        rate, fewest = random.choice((0.1, 0.5, 1)), random.choice((1, 2, 40))
        counts, left = Counts(), fewest
        held = cocotb.start_soon(bench.unit.counters()) if tensor % 2 else None
        while left > 0 or (held and not held.done()) or not dut.count_ready.value:
            counts.add(await bench.pass_cycle(bench.any_step(rate)))
            left -= 1
        counts.add(await bench.pass_cycle(bench.any_step(rate), finish=1))
        story = f"tensor {tensor} of {fewest} cycles or more"
        if held:
            found = held.result()
            assert found == last.registers, f"while {story} ran: {found}, not {last.registers}"
        for _ in range(random.choice((1, 20))):
            await bench.pass_cycle(bench.any_step(1, block=False), finish=0)
        await bench.ready()
        await bench.check_counters(counts, tensor + 1, story)
        last = counts


@cocotb.test()
async def counts_for_the_oldest_of_two_tensors(dut):
    """Each begins while the one before runs, in the cycle of its end, or one after it."""
    bench = await Bench.started(dut)
    unit = bench.unit
    await bench.begin()
    counts = Counts()
    for tensor in range(1, TENSORS):
        bank, when = random.getrandbits(1), random.choice((-9, 0, 1))
        starting = cocotb.start_soon(unit.start(bank))
        while not starting.done() or not dut.count_ready.value:
            counts.add(await bench.pass_cycle(bench.any_step(0.5)))
        if when < 0:
            counts.add(await bench.pass_cycle(bench.any_step(0.5), command_take=1))
            assert dut.pair.value == 0
            for _ in range(random.randint(1, 30)):
                counts.add(await bench.pass_cycle(bench.any_step(0.5), command_take=0))
                assert dut.pair.value == 1 and dut.busy.value == 1
        counts.add(await bench.pass_cycle(bench.any_step(1), finish=1, command_take=int(when == 0)))
        over, counts = counts, Counts()
        rest = bench.any_step(1)
        if when > 0:
            await bench.pass_cycle(rest | {"count_block": 0}, finish=0, command_take=1)
        dut.finish.value = dut.command_take.value = 0
        reading = cocotb.start_soon(unit.counters())
        while not reading.done():
            counts.add(await bench.pass_cycle(bench.any_step(0.5)))
            assert dut.pair.value == 0 and dut.busy.value == 1
        story = f"tensor {tensor - 1}, the next begun {when} cycles after its end"
        found = reading.result()
        assert found == over.registers, f"{story}: {found}, expected {over.registers}"
    while not dut.count_ready.value:
        counts.add(await bench.pass_cycle(bench.any_step(0.5)))
    counts.add(await bench.pass_cycle(bench.any_step(1), finish=1))
    await bench.ready()
    await bench.check_counters(counts, TENSORS, "the last tensor")


@cocotb.test()
async def counts_on_for_long(dut):
    """All counters at once, each by the most that a cycle brings, and then not at all."""
    bench = await Bench.started(dut)
    most = dict.fromkeys(STEPS, 1) | {
        "count_values": (1 << bench.widths.values_w) - 1,
        "count_pieces": (1 << bench.widths.pieces_w) - 1,
    }
    for number, stretch in enumerate(STRETCHES, start=1):
        counts = await count_for(bench, most, stretch)
        await bench.check_counters(counts, number, f"{stretch} cycles of {most}")
    await bench.begin()
    await bench.cycle(**dict.fromkeys(PULSES, 0) | {"finish": 1})
    await bench.ready()
    nothing = Counts(Counter(CYCLES=1))
    await bench.check_counters(nothing, len(STRETCHES) + 1, "a tensor of nothing")


async def count_for(bench: Bench, step: dict[str, int], stretch: int) -> Counts:
    """Run a tensor of so many cycles, all alike; returns its counts."""
    await bench.ready()
    await bench.begin()
    await bench.pass_cycle(step)
    await FallingEdge(bench.dut.clk)
    await Timer((stretch - 2) * PERIOD_NS, "ns")
    await bench.cycle(finish=1)
    await bench.ready()
    counts = Counts()
    counts.add(step, stretch)
    return counts


@cocotb.test()
async def counts_the_tensors(dut):
    """Many, as short as can be, that a host starts as fast as it can."""
    bench = await Bench.started(dut)
    dut.table_valid.value = 3
    control = bench.unit.map["CONTROL"]
    await bench.cycle(
        s_axil_awaddr=control.address, s_axil_wdata=control.word(START=1), s_axil_wstrb=EVERY_BYTE,
        s_axil_awvalid=1, s_axil_wvalid=1, s_axil_bready=1,
    )  # fmt: skip
    for _ in range(MANY_TENSORS):
        await bench.high("command_valid")
        await bench.cycle(command_take=1)
        await bench.cycle(command_take=0)
        await bench.high("count_ready")
        await bench.cycle(finish=1)
        await bench.cycle(finish=0)
    await bench.high("s_axil_awready")
    await RisingEdge(dut.clk)
    await bench.cycle(s_axil_awvalid=0, s_axil_wvalid=0)
    await bench.ready()
    found = await bench.unit.read("TENSORS")
    assert found == MANY_TENSORS, f"TENSORS is {found} after {MANY_TENSORS}"


@cocotb.test()
async def queues_a_command_and_gives_it_when_it_is_taken(dut):
    """To one or two tensors that run, of which the oldest ends first."""
    bench = await Bench.started(dut)
    unit, outputs = bench.unit, Outputs(dut)
    running: list[int] = []  # banks
    for _ in range(24):
        bank, block = random.getrandbits(1), bench.widths.any_block()
        values = random.getrandbits(48)
        dut.table_valid.value = 1 << bank
        await unit.write("BLOCK", block)
        await unit.set_values(values)
        await unit.start(1 - bank)
        assert await unit.clear_events() == {"START_REFUSED"}, "START without a table"
        await unit.start(bank)
        await unit.start(bank)
        assert await unit.clear_events() == {"START_REFUSED"}, "START with a full queue"
        await unit.write("BLOCK", bench.widths.any_block())
        await unit.set_values(random.getrandbits(48))
        await unit.abort()
        assert outputs.taken()[1] == bool(running), "run_abort is not one cycle while one runs"
        assert dut.command_valid.value == 1
        assert dut.command_values.value == (values if bench.decompressor else 0)
        while len(running) > random.randint(0, 1):
            await bench.end_one()
            running.pop(0)
        await check_running(bench, running, queued=True)
        ends = bool(running) and bool(random.getrandbits(1))
        if ends:
            await bench.ready()
        await bench.cycle(command_take=1, finish=int(ends))
        await bench.cycle(command_take=0, finish=0)
        running = [*running[ends:], bank]
        found = [int(dut.front_bank.value), int(dut.front_block.value)]
        assert found == [bank, block], f"bank and BLOCK are {found}, expected {[bank, block]}"
        await check_running(bench, running, queued=False)
        await unit.abort()
        assert outputs.taken()[1] == 1, "run_abort is no single cycle"
    while running:
        await bench.end_one()
        running.pop(0)
        await check_running(bench, running, queued=False)
    assert not await unit.events()


async def check_running(bench: Bench, running: list[int], queued: bool) -> None:
    """The banks of the tensors that run, in STATUS and at the ports."""
    dut = bench.dut
    wanted = {"BUSY"} if running else set()
    wanted |= {"QUEUED"} if queued else set()
    status = await bench.unit.status() & {"BUSY", "QUEUED", "BANK"}
    bank = {"BANK"} if running and running[0] else set()
    assert status - (set() if running else {"BANK"}) == wanted | bank, f"{status}, {running} run"
    assert dut.busy.value == bool(running) and dut.pair.value == (len(running) == 2)
    assert not running or dut.front_bank.value == running[-1]
    assert dut.command_valid.value == int(queued)


@cocotb.test()
async def refuses_an_illegal_block(dut):
    bench = await Bench.started(dut)
    widths, unit = bench.widths, bench.unit
    dut.table_valid.value = 3
    illegal = {0, widths.block_values + widths.lanes, 1 << 17, 1 << 31}
    illegal |= {widths.block_values | 1 << bit for bit in range(18, 32)}
    illegal |= {1 << bit for bit in range(widths.lanes.bit_length() - 1)}
    await unit.enable("START_REFUSED")
    for block in illegal:
        await unit.write("BLOCK", block)
        await unit.start(random.getrandbits(1))
        await bench.check_irq(True, f"START with BLOCK {block}")
        await RisingEdge(dut.clk)
        assert await unit.clear_events() == {"START_REFUSED"}, f"START with BLOCK {block}"
        assert not await unit.status() & {"BUSY", "QUEUED"}


@cocotb.test()
async def passes_rows_to_the_bank_that_is_free(dut):
    """Rows of every width; numbers too wide have a count of 0, which no table may have.

    Bytes of a row that are not written are zeros.
    """
    bench = await Bench.started(dut)
    unit, widths, outputs = bench.unit, bench.widths, Outputs(dut)
    fields, fields_at = unit.map["TABLE_CUM"], unit.map["TABLE_CUM"].address
    dut.table_valid.value = 3
    bits = [*range(widths.count_w - 1, 17), *range(32)]
    await unit.enable("TABLE_REFUSED")
    for action, *used in (
        ("nothing",), ("start 1", 1), ("take", 1), ("start 0", 0, 1), ("take", 0, 1), ("end", 0),
        ("start 1", 0, 1), ("take", 0, 1), ("end", 1), ("start 1", 1), ("take", 1), ("end", 1),
        ("end",),
    ):  # fmt: skip
        if action.startswith("start"):
            await unit.start(int(action[-1]))
        elif action == "take":
            await bench.cycle(command_take=1)
            await bench.cycle(command_take=0)
        elif action == "end":
            await bench.end_one()
        for number, bit in enumerate(bits):
            bank, last = random.getrandbits(1), random.getrandbits(1)
            base, cum = random.getrandbits(widths.value_w), random.getrandbits(widths.count_w + 1)
            if number < 17 - widths.count_w + 1:
                cum |= 1 << bit
            elif random.random() < 0.5:
                base |= 1 << bit
            await unit.write("TABLE_BASE", base)
            strobe = random.choice((EVERY_BYTE, EVERY_BYTE, random.randint(1, EVERY_BYTE)))
            word = fields.word(CUM=cum, BANK=bank, LAST=last) & bits_of(strobe)
            noise = random.getrandbits(32) & ~bits_of(strobe)
            assert await unit.bus.write(fields_at, word | noise, strobe) == OKAY
            cum, bank, last = (fields.fields[name].of(word) for name in ("CUM", "BANK", "LAST"))
            fits = not cum >> widths.count_w + 1 and not base >> widths.value_w
            low = base & ((1 << widths.value_w) - 1)
            wanted = [] if bank in used else [(bank, low, cum if fits else 0, last)]
            found = outputs.taken()[0]
            assert found == wanted, f"row {base:#x} {cum:#x} of bank {bank}: {found}, not {wanted}"
            refused = {"TABLE_REFUSED"} if bank in used else set()
            story = f"a row of bank {bank}, {used} in use"
            await bench.check_irq(bool(refused), story)
            await RisingEdge(dut.clk)
            assert await unit.clear_events() == refused, story
    assert await unit.bus.write(fields_at, fields.word(CUM=1, BANK=1), 0) == OKAY
    assert outputs.taken()[0] == [], "a row without a byte"


@cocotb.test()
async def raises_each_event_and_the_interrupt(dut):
    """Events stand until 1 is written to them; one that comes in that cycle stands on."""
    bench = await Bench.started(dut)
    unit, names = bench.unit, list(bench.unit.map["EVENTS"].fields)
    await bench.begin()
    standing: set[str] = set()
    for turn in range(30):
        late = turn % 3 == 0
        enabled = set(random.sample(names, random.choice((0, 1, 2, len(names)))))
        await unit.enable(*enabled)
        raised = set(random.sample(list(RAISED_BY), random.choice((0, 1, 1, 2))))
        pulses = [pulse for name in raised for pulse in RAISED_BY[name]]
        await bench.ready()
        cleared = set(random.sample(names, random.choice((0, 1, len(names)))))
        await bench.cycle(**dict.fromkeys(pulses, 1))
        await bench.cycle(**dict.fromkeys(pulses, 0))
        standing |= raised
        story = f"{raised} raised, {standing} stand, {enabled} enabled"
        assert await unit.events() == standing, story
        await bench.check_irq(bool(standing & enabled), story)
        await RisingEdge(dut.clk)
        word = unit.map["EVENTS"].word(**dict.fromkeys(cleared, 1))
        strobe = random.choice((EVERY_BYTE, EVERY_BYTE, 1, EVERY_BYTE - 1))
        writing = cocotb.start_soon(unit.bus.write(unit.map["EVENTS"].address, word, strobe))
        if late:
            await bench.pulse_in_write(pulses)
        await writing
        gone = cleared if strobe & 1 else set()
        standing -= gone - (raised if late else set())
        story = f"{cleared} cleared while {raised if late else 'nothing'} came"
        assert await unit.events() == standing, story
        await bench.check_irq(bool(standing & enabled), story)
        await RisingEdge(dut.clk)


@cocotb.test()
async def tells_what_the_tables_say(dut):
    """STATUS and TABLE_ROW follow; an illegal table is an event until the table is cleared."""
    bench = await Bench.started(dut)
    unit, outputs, widths = bench.unit, Outputs(dut), bench.widths
    await unit.enable("TABLE_ILLEGAL")
    for valid, illegal in 2 * [(v, i) for v in range(4) for i in range(4)]:
        discard, rows = random.getrandbits(1), random.getrandbits(2 * widths.row_w)
        await bench.cycle(
            table_valid=valid, table_illegal=illegal, table_illegal_row=rows, discard=discard
        )
        wanted = {f"TABLE{bank}_VALID" for bank in (0, 1) if valid >> bank & 1}
        wanted |= {f"TABLE{bank}_ILLEGAL" for bank in (0, 1) if illegal >> bank & 1}
        wanted |= {"DISCARD"} if discard else set()
        assert await unit.status() == wanted
        word = await unit.read("TABLE_ROW")
        low, high = rows & ((1 << widths.row_w) - 1), rows >> widths.row_w
        assert word == unit.map["TABLE_ROW"].word(BANK0=low, BANK1=high), f"{word:#x}, {rows:#x}"
        assert await unit.events() == ({"TABLE_ILLEGAL"} if illegal else set())
        await bench.check_irq(bool(illegal), f"tables {illegal:02b} are illegal")
        await RisingEdge(dut.clk)
        await unit.write("EVENTS", 0xFF & ~unit.map["EVENTS"].word(TABLE_ILLEGAL=1))
        assert outputs.taken()[2] == 0, "table_clear by another event"
        await unit.write("EVENTS", unit.map["EVENTS"].word(TABLE_ILLEGAL=1))
        assert outputs.taken()[2] == 1, "table_clear is no single cycle"


@cocotb.test()
async def a_reset_leaves_nothing_behind(dut):
    bench = await Bench.started(dut)
    for over in (True, False, random.random() < 0.5):
        for bank in (0, 1):
            await bench.begin(bank)
        await bench.unit.start(random.getrandbits(1))
        for _ in range(random.randint(1, 9)):
            await bench.pass_cycle(bench.any_step(1), event_done=1)
        await bench.ready()
        await bench.cycle(finish=int(over))
        dut.finish.value = 0
        if not over:
            await bench.pass_cycle(bench.any_step(1))
            await bench.cycle(**dict.fromkeys(PULSES, 0))
        await bench.unit.enable(*bench.unit.map["EVENTS"].fields)
        await bench.unit.set_values(random.getrandbits(48))
        await bench.unit.counter(random.choice(("BITS", "CYCLES")))
        requests = dict.fromkeys(("s_axil_awvalid", "s_axil_wvalid", "s_axil_arvalid"), 1)
        await bench.cycle(**requests)
        await cycles(dut, random.randint(0, 4))
        await bench.restart()
        await FallingEdge(dut.clk)
        for name in ("busy", "pair", "command_valid", "irq", *ANSWERS):
            assert getattr(dut, name).value == 0, f"{name} is high after a reset"
        await RisingEdge(dut.clk)
        await check_reset_values(bench, bench.decompressor)


async def write_something(bench: Bench) -> dict[str, int]:
    """Write what can be written; returns what these registers must hold."""
    widths = {"IRQ_ENABLE": 8, "TABLE_BASE": 32}
    if bench.decompressor:
        widths |= {"VALUES_LO": 32, "VALUES_HI": 16}
    written = {name: random.getrandbits(width) for name, width in widths.items()}
    written["BLOCK"] = bench.widths.any_block()
    for name, data in written.items():
        await bench.unit.write(name, data)
    return written


async def raise_something(bench: Bench) -> dict[str, int]:
    """Let a tensor run and another wait, with all levels high and some events; returns the same."""
    unit, row_w = bench.unit, bench.widths.row_w
    bank, rows = random.getrandbits(1), random.getrandbits(2 * row_w)
    await unit.clear_events()
    await bench.begin(bank)
    await bench.cycle(**dict.fromkeys(PULSES, 0))
    await unit.start(0)
    await bench.ready()
    await bench.cycle(table_illegal=3, table_illegal_row=rows, discard=1)
    events = random.sample(list(RAISED_BY), random.randint(1, len(RAISED_BY)))
    for level in (1, 0):
        await bench.cycle(**{pulse: level for name in events for pulse in RAISED_BY[name]})
    status = dict.fromkeys(unit.map["STATUS"].fields, 1) | {"BANK": bank}
    low, high = rows & ((1 << row_w) - 1), rows >> row_w
    return {
        "STATUS": unit.map["STATUS"].word(**status),
        "EVENTS": unit.map["EVENTS"].word(**dict.fromkeys((*events, "TABLE_ILLEGAL"), 1)),
        "TABLE_ROW": unit.map["TABLE_ROW"].word(BANK0=low, BANK1=high),
        "TENSORS": 1,
    }


@cocotb.test()
async def keeps_every_address_apart(dut):
    """With something in every register."""
    bench = await Bench.started(dut)
    holes = set(range(0, 256, 4)) - {register.address for register in bench.unit.map.values()}
    for stretch in (LONG_STRETCH, 20, random.randint(20, 99)):
        counts = (await count_for(bench, bench.any_step(1), stretch)).registers
        outputs = Outputs(dut)
        wanted = reset_values(bench, bench.decompressor) | await write_something(bench)
        wanted |= await raise_something(bench) | counts
        outputs.taken()
        await check_every_address(bench, wanted)
        for address in random.sample(sorted(holes), len(holes)):
            data = random.getrandbits(32) | random.choice((0, 3))
            assert await bench.unit.bus.write(address, data) == SLVERR, hex(address)
        assert outputs.taken() == ([], 0, 0), "a row, an abort or a clear by an unmapped address"
        await check_every_address(bench, wanted)
        await bench.restart()


async def check_every_address(bench: Bench, wanted: dict[str, int]) -> None:
    """Read all in any order; a *_HI belongs to the *_LO that was read last, however long ago."""
    names = {register.address: name for name, register in bench.unit.map.items()}
    addresses = [*range(0, 256, 4), *(bench.unit.map[f"{name}_HI"].address for name in COUNTERS)]
    latched = random.choice(COUNTERS)
    await bench.unit.read(f"{latched}_LO")
    for address in random.sample(addresses, len(addresses)):
        name = names.get(address)
        counter = name and name[:-3]
        if counter in COUNTERS and name.endswith("_LO"):
            latched = counter
        if counter in COUNTERS:
            data = wanted[latched] >> 32 if name.endswith("_HI") else wanted[counter] & 0xFFFFFFFF
        else:
            data = wanted[name] if name else 0
        expected = data, OKAY if name else SLVERR
        found = await bench.unit.bus.read(address | random.getrandbits(2))
        assert found == expected, f"{name} at {address:#x} is {found}, expected {expected}"


async def ask_without_waiting(
    dut: SimHandleBase, channels: dict[str, list[dict[str, int]]], answer: str
) -> list[dict[str, int]]:
    """Offer requests one behind the other on each channel, whatever has been answered.

    Checks that no ready comes unasked and no answer changes while it waits; returns all of these.
    """
    answers: list[dict[str, int]] = []
    waiting: dict[str, int] | None = None
    valid, ready = (getattr(dut, f"s_axil_{answer}{name}") for name in ("valid", "ready"))
    offered: dict[str, bool] = dict.fromkeys(channels, False)
    left = {channel: list(requests) for channel, requests in channels.items()}
    willing = random.choice((0.2, 0.5, 1))
    total = max(map(len, channels.values()))
    for _ in range(BUS_CYCLES):
        for channel, requests in left.items():
            offered[channel] = bool(requests) and (offered[channel] or random.random() < 0.7)
            getattr(dut, f"s_axil_{channel}valid").value = int(offered[channel])
            for name, value in (requests[0] if offered[channel] else {}).items():
                getattr(dut, f"s_axil_{channel}{name}").value = value
        ready.value = int(random.random() < willing)
        await FallingEdge(dut.clk)
        found = None
        if valid.value == 1:
            names = ("data", "resp") if answer == "r" else ("resp",)
            found = {name: int(getattr(dut, f"s_axil_{answer}{name}").value) for name in names}
        assert waiting in (None, found), f"answer {len(answers)}: {waiting} became {found}"
        waiting = found
        if found and ready.value == 1:
            answers.append(found)
            waiting = None
        for channel, requests in left.items():
            if getattr(dut, f"s_axil_{channel}ready").value == 1:
                assert offered[channel], f"{channel}ready without a request"
                requests.pop(0)
                offered[channel] = False
        taken = min(total - len(requests) for requests in left.values())
        assert len(answers) + bool(waiting) <= taken, f"{len(answers)} answers to {taken} requests"
        await RisingEdge(dut.clk)
    return answers


@cocotb.test()
async def answers_each_of_the_requests_that_wait_in_line(dut):
    bench = await Bench.started(dut)
    base = bench.unit.map["TABLE_BASE"].address
    for _ in range(6):
        names = random.choices(("ID", "SHAPE", "BLOCK_MAX", None), k=random.randint(2, 20))
        reset_value = reset_values(bench, bench.decompressor)
        asked = [{"addr": bench.unit.map[name].address if name else 0xFC} for name in names]
        wanted = [
            {"data": reset_value[name] if name else 0, "resp": OKAY if name else SLVERR}
            for name in names
        ]
        written = [random.choice((base, 0xFC)) for _ in names]
        data = [random.getrandbits(32) for _ in names]
        writing = cocotb.start_soon(
            ask_without_waiting(
                dut,
                {
                    "aw": [{"addr": address} for address in written],
                    "w": [{"data": word, "strb": EVERY_BYTE} for word in data],
                },
                "b",
            )
        )
        found = await ask_without_waiting(dut, {"ar": asked}, "r")
        assert found == wanted, f"reads: {found}, expected {wanted}"
        found = await writing
        wanted = [{"resp": OKAY if address == base else SLVERR} for address in written]
        assert found == wanted, f"writes: {found}, expected {wanted}"
        kept = [word for address, word in zip(written, data, strict=True) if address == base]
        if kept:
            assert await bench.unit.read("TABLE_BASE") == kept[-1]
