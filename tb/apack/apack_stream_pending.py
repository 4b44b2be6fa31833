# SPDX-License-Identifier: Apache-2.0
"""apack_stream_pending: the code bits of streams that take turns, however many were pending."""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.apack.env.shifts import Shifts, resolved
from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import reset, start_clock

PARAMETERS = ("STREAMS", "COUNT_W", "PIECE_W")
SETS = {
    "four": (4, 10, 16),
    "one-smallest": (1, 1, 16),
    "two-widest": (2, 14, 16),
    "eight-long": (8, 16, 32),
}
ILLEGAL = {
    "PIECE_W": (11,),
}
MUTATED = "two-widest"

ROUNDS = int(os.environ.get("ROUNDS") or 12)

INPUTS = ("s_lead_count", "s_lead_bits", "s_under_count", "s_end")
IDLE = Shifts("", 0)


class PendingBench:
    """Shows each stream's shifts at its turn, and checks the bits of each."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.streams, self.count_w, self.piece_w = map(parameter, ("STREAMS", "COUNT_W", "PIECE_W"))
        self.most = self.count_w + 2  # shifts of a slot
        self.longest = 8 * self.piece_w - 1  # run of pending bits
        self.enabled = 1.0  # part of the cycles
        self.forget()

    def forget(self) -> None:
        """Begin with nothing pending anywhere."""
        self.turn = 0
        self.pending = [0] * self.streams

    @classmethod
    async def started(cls, dut) -> PendingBench:
        """A bench after reset."""
        start_clock(dut)
        dut.enable.value = 0
        await reset(dut)
        return cls(dut)

    async def show(self, shifts: Shifts, end: bool = False) -> int:
        """Show the stream at turn until it is done, compare its bits; returns the cycles."""
        before = self.pending[self.turn]
        wanted = resolved(shifts.leads, before + end)
        self.pending[self.turn] = shifts.under + (0 if shifts.leads or end else before)
        chunks = await self._chunks(shifts, end)
        found = "".join(chunks)
        story = f"stream {self.turn}, {before} pending, {shifts}, end {end}: {chunks}"
        if end:
            assert len(chunks[-1]) == self.piece_w, f"{story}: no whole piece at the end"
            assert len(found) - len(wanted) <= self.piece_w, f"{story}: zeros of more than a piece"
            wanted = wanted.ljust(len(found), "0")
        assert found == wanted, f"{story}, expected {wanted}"
        self.turn = (self.turn + 1) % self.streams
        return len(chunks)

    async def _chunks(self, shifts: Shifts, end: bool) -> list[str]:
        """The bits of each cycle of enable, the last one being that in which the stream is done."""
        padding = self.most - len(shifts.leads)
        inputs = {
            "s_lead_count": len(shifts.leads),
            "s_lead_bits": int(shifts.leads or "0", 2) << padding
            | (0 if end else random.getrandbits(padding)),
            "s_under_count": shifts.under,
            "s_end": int(end),
        }
        chunks: list[str] = []
        while True:
            assert len(chunks) < 100, f"hang: stream {self.turn} is not done with {shifts}"
            done, enabled, bits = await self._cycle(inputs)
            chunks += [bits] * enabled
            if done and enabled:
                return chunks

    async def _cycle(self, inputs: dict[str, int]) -> tuple[bool, bool, str]:
        """One cycle: whether the stream is done, whether it is one of enable, its bits."""
        await FallingEdge(self.dut.clk)
        enable = random.random() < self.enabled
        done, count = await outputs_for(
            self.dut, {**inputs, "enable": int(enable)}, "m_done", "m_count"
        )
        assert count <= self.piece_w, f"{count} bits"
        return bool(done), enable, str(self.dut.m_bits.value)[:count]

    def any_shifts(self, emptiness: float) -> Shifts:
        """The shifts of one value that do not overflow the pending count of the stream at turn."""
        lead = 0 if random.random() < emptiness else random.randint(1, self.most)
        room = self.longest - (0 if lead else self.pending[self.turn])
        under = random.choice((0, 1, random.randint(0, self.most - lead)))
        leads = "".join(random.choices("01", k=lead))
        return Shifts(leads, min(under, self.most - lead, room))

    async def end_all(self) -> None:
        """End the streams, from the one at turn on."""
        for _ in range(self.streams):
            await self.show(Shifts(random.choice("01"), 0), end=True)


@cocotb.test()
async def emits_the_bits_of_any_shifts_of_any_stream(dut):
    bench = await PendingBench.started(dut)
    for _ in range(ROUNDS):
        bench.enabled = random.choice((1.0, 0.5))
        emptiness = [random.choice((0.2, 0.9, 0.99)) for _ in range(bench.streams)]
        for _ in range(random.randint(0, 80) * bench.streams):
            if random.random() < 0.05:
                await bench.show(Shifts(random.choice("01"), 0), end=True)
            else:
                await bench.show(bench.any_shifts(emptiness[bench.turn]))


@cocotb.test()
async def emits_runs_of_every_length_in_time(dut):
    bench = await PendingBench.started(dut)
    piece_w, most = bench.piece_w, bench.most
    near = {*range(piece_w - most - 1, piece_w + 3), 2 * piece_w - 1, 2 * piece_w, 3 * piece_w + 1}
    for run in sorted({*near, bench.longest - 1, bench.longest} & set(range(bench.longest + 1))):
        for lead, end in ((1, False), (2, False), (most, False), (1, True)):
            unders = [most] * (run // most) + [run % most]
            for under in unders:
                for _ in range(bench.streams):
                    await bench.show(Shifts("", under))
            for _ in range(bench.streams):
                leads = "".join(random.choices("01", k=lead))
                spent = await bench.show(Shifts(leads, 0), end)
                bits = run + lead + end
                allowed = 1 if bits <= piece_w else 1 + -(-bits // piece_w)
                assert spent <= allowed, f"{spent} cycles for {bits} bits, {allowed} allowed"


@cocotb.test()
async def ends_whatever_is_pending_beyond_that(dut):
    """The bits mean nothing then, but their number is bounded and the next block's are right."""
    bench = await PendingBench.started(dut)
    for _ in range(ROUNDS):
        for _ in range(random.randint(20, 60) * bench.streams):
            await bench._chunks(Shifts("", bench.most), False)
        for _ in range(bench.streams):
            chunks = await bench._chunks(Shifts("1", 0), True)
            assert len(chunks) <= 10, f"{len(chunks)} cycles for the end"
        bench.forget()
        for _ in range(4 * bench.streams):
            await bench.show(bench.any_shifts(0.5))
        await bench.end_all()


@cocotb.test()
async def a_reset_forgets_what_is_pending(dut):
    bench = await PendingBench.started(dut)
    for _ in range(2 * ROUNDS):
        for _ in range(random.randint(0, 40)):
            end = random.random() < 0.1
            await bench.show(Shifts("0", 0) if end else bench.any_shifts(0.9), end)
        if random.random() < 0.5:  # in the middle of a run
            inputs = dict(zip(INPUTS, (1, 0, 0, 1), strict=True))
            await bench._cycle(inputs)
        dut.rst.value = 1
        await reset(dut, 1)
        bench.forget()
        for _ in range(2 * bench.streams):
            await bench.show(bench.any_shifts(0.5))
        await bench.end_all()
