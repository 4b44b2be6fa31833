# SPDX-License-Identifier: Apache-2.0
"""apack_pending: code bits in order, however many bits were pending."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable

import cocotb
from cocotb.triggers import Event

from tb.apack.env.shifts import Shifts, code_bits
from tb.bus.cycles import cycles, now, reset, start_clock, within
from tb.bus.frames import Frame
from tb.bus.pace import always, any_pace, rarely
from tb.bus.streams import StreamDriver, StreamMonitor

PARAMETERS = ("CODE_W", "WORD_W", "PENDING_W")
SETS = {
    "default": (16, 32, 28),
    "smallest": (3, 3, 5),
    "narrow": (8, 16, 7),
    "wide": (16, 64, 6),
}
ILLEGAL = {
    "WORD_W": (15,),
}
MUTATED = "narrow"

ROUNDS = int(os.environ.get("ROUNDS") or 12)


class ShiftDriver(StreamDriver):
    """Sends the shifts of values."""

    _signals = ("valid", "ready")
    _optional_signals = ("lead_count", "lead_bits", "under_count", "last")


class ChunkMonitor(StreamMonitor):
    """Collects chunks of code bits."""

    _signals = ("valid", "ready")
    _optional_signals = ("bits", "count", "last")
    _last = "last"


class PendingBench:
    """Sends blocks of shifts and checks the code bits."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("CODE_W", "WORD_W", "PENDING_W")
        self.code_w, self.word_w, self.pending_w = (int(getattr(dut, n).value) for n in names)
        self.shifts_in = ShiftDriver(dut, "s")
        self.chunks = ChunkMonitor(dut, "m")

    @classmethod
    async def started(cls, dut) -> PendingBench:
        """A bench after reset."""
        bench = cls(dut)
        start_clock(dut)
        await reset(dut)
        return bench

    def beat(self, shifts: Shifts, last: int) -> dict[str, int]:
        """One value; what stands behind its leading bits is random."""
        padding = self.code_w - len(shifts.leads)
        bits = int(shifts.leads or "0", 2) << padding | random.getrandbits(padding)
        return {
            "lead_count": len(shifts.leads),
            "lead_bits": bits,
            "under_count": shifts.under,
            "last": last,
        }

    def send(self, block: Iterable[Shifts], closing: str) -> Event:
        """Send a block and its flush; returns the event of the flush being taken."""
        taken = Event()
        beats = [self.beat(shifts, 0) for shifts in block]
        self.shifts_in.append([*beats, self.beat(Shifts(closing, 0), 1)], event=taken)
        return taken

    async def expect(self, block: list[Shifts], closing: str) -> None:
        """Wait for a block and compare its bits."""
        wanted = code_bits(block, closing)
        frame = await self.chunks.next_frame(500 + 40 * len(block) + 10 * len(wanted))
        assert all(1 <= chunk["count"] <= self.word_w for chunk in frame), frame
        found = self.bits_of(frame)
        same = next((i for i, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), -1)
        assert found == wanted, (
            f"{len(found)} bits, expected {len(wanted)}; first wrong bit {same}; {block[:40]}"
        )

    def bits_of(self, frame: Frame) -> str:
        """The bits of a frame of chunks, as text."""
        return "".join(f"{chunk['bits']:0{self.word_w}b}"[: chunk["count"]] for chunk in frame)

    def random_block(self, length: int) -> list[Shifts]:
        """Values with any shifts that together stay within the pending count."""
        room, block = (1 << self.pending_w) - 1, []
        emptiness = random.choice((0.2, 0.9, 0.99))
        for _ in range(length):
            lead = 0 if random.random() < emptiness else random.randint(1, self.code_w)
            under = min(random.choice((0, 1, random.randint(0, self.code_w - lead))), room)
            under = min(under, self.code_w - lead)
            room -= under
            block.append(Shifts("".join(random.choices("01", k=lead)), under))
        return block


@cocotb.test()
async def emits_the_bits_of_any_shifts_at_any_pace(dut):
    bench = await PendingBench.started(dut)
    for _ in range(2 * ROUNDS):
        bench.shifts_in.set_valid_generator(any_pace())
        bench.chunks.pace(any_pace())
        blocks = [(bench.random_block(random.randint(0, 80)), random.choice("01")) for _ in "1234"]
        for block, closing in blocks:
            bench.send(block, closing)
        for block, closing in blocks:
            await bench.expect(block, closing)


@cocotb.test()
async def emits_runs_of_every_length_around_a_word(dut):
    bench = await PendingBench.started(dut)
    word_w, code_w = bench.word_w, bench.code_w
    most = (1 << bench.pending_w) - 1
    runs = {*range(word_w - code_w - 1, word_w + 2), 2 * word_w - 1, 2 * word_w, 3 * word_w + 1}
    for run in sorted(length for length in runs if 0 <= length <= most):
        for lead in {1, 2, code_w}:
            unders = [code_w] * (run // code_w) + [run % code_w]
            block = [Shifts("", under) for under in unders]
            block.append(Shifts("".join(random.choices("01", k=lead)), 0))
            bench.send(block, "0")
            await bench.expect(block, "0")


@cocotb.test()
async def emits_the_longest_run_it_can_count(dut):
    bench = await PendingBench.started(dut)
    most = min((1 << bench.pending_w) - 1, 40_000)
    for closing in "01":
        block = [Shifts("", bench.code_w) for _ in range(most // bench.code_w)]
        block.append(Shifts("", most % bench.code_w))
        bench.send(block, closing)
        await bench.expect(block, closing)


@cocotb.test()
async def has_room_for_one_word_while_none_may_leave(dut):
    bench = await PendingBench.started(dut)
    block = [Shifts("1", 0), Shifts("01", 0)]
    bench.chunks.pace(rarely(1000))
    await cycles(dut, 5)
    bench.send(block, "1")
    await cycles(dut, 20)
    assert bench.shifts_in.sent == 1, f"{bench.shifts_in.sent} values taken"
    bench.chunks.pace(None)
    await bench.expect(block, "1")


@cocotb.test()
async def takes_a_value_a_cycle_but_for_long_runs(dut):
    bench = await PendingBench.started(dut)
    for _ in range(ROUNDS):
        bench.shifts_in.set_valid_generator(always())
        block = bench.random_block(60)
        begin = now()
        taken = bench.send(block, "1")
        await within(20_000, taken.wait(), "the flush")
        spent = now() - begin - 1  # the driver starts at the next rising edge
        allowed = cycles_for(block, bench.word_w)
        assert spent <= allowed, f"{spent} cycles for {block}, expected {allowed}"
        await bench.expect(block, "1")


def cycles_for(block: list[Shifts], word_w: int) -> int:
    """Cycles to take a block and its flush: one a value, one more each further word of a run."""
    total = pending = 0
    for leads, under in [*((len(s.leads), s.under) for s in block), (2, 0)]:
        total += max(1, -(-(leads + pending) // word_w)) if leads else 1
        pending = under if leads else pending + under
    return total


@cocotb.test()
async def a_reset_forgets_what_is_pending(dut):
    bench = await PendingBench.started(dut)
    for _ in range(2 * ROUNDS):
        bench.send(bench.random_block(40), "0")
        bench.chunks.pace(any_pace())
        await cycles(dut, random.randint(0, 60))
        dut.rst.value = 1
        bench.shifts_in.abort()
        await reset(dut, 1)
        bench.chunks.abort()
        block = bench.random_block(5)
        bench.send(block, "1")
        await bench.expect(block, "1")
