# SPDX-License-Identifier: Apache-2.0
"""apack_stream_pending: the code bits of streams that take turns, however many were pending."""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.apack.env.shifts import Shifts, code_bits
from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import reset, start_clock

PARAMETERS = ("STREAMS", "CODE_W", "WORD_W", "PENDING_W")
SETS = {
    "four": (4, 16, 16, 16),
    "one-smallest": (1, 3, 3, 5),
    "three-odd": (3, 8, 13, 7),
    "two-wide": (2, 16, 32, 5),
}
ILLEGAL = {
    "WORD_W": (15,),
}
MUTATED = "three-odd"

ROUNDS = int(os.environ.get("ROUNDS") or 12)

INPUTS = ("s_stream", "s_lead_count", "s_lead_bits", "s_under_count", "s_end")
IDLE = Shifts("", 0)


class PendingBench:
    """Shows each stream's shifts at its turn, and checks the bits of each stream."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("STREAMS", "CODE_W", "WORD_W", "PENDING_W")
        self.streams, self.code_w, self.word_w, self.pending_w = map(parameter, names)
        self.enabled = 1.0  # part of the cycles
        self.forget()

    def forget(self) -> None:
        """Begin with stream 0, nothing pending anywhere."""
        self.turn = 0
        self.blocks: list[list[Shifts]] = [[] for _ in range(self.streams)]
        self.pending = [0] * self.streams
        self.found = [""] * self.streams
        self.wanted = [""] * self.streams
        self.last_output = 0  # the stream that the chunks are of

    @classmethod
    async def started(cls, dut) -> PendingBench:
        """A bench after reset."""
        start_clock(dut)
        dut.enable.value = 0
        await reset(dut)
        return cls(dut)

    async def show(self, shifts: Shifts, end: bool = False) -> int:
        """Show the stream at turn until it is done; returns the cycles of enable it took."""
        padding = self.code_w - len(shifts.leads)
        inputs = {
            "s_stream": self.turn,
            "s_lead_count": len(shifts.leads),
            "s_lead_bits": int(shifts.leads or "0", 2) << padding | random.getrandbits(padding),
            "s_under_count": shifts.under,
            "s_end": int(end),
        }
        self._want(shifts, end)
        taken = 0
        done = False
        while not done:
            assert taken < 10_000, f"hang: stream {self.turn} is not done with {shifts}"
            done, enabled = await self._cycle(inputs)
            taken += enabled
        self.turn = (self.turn + 1) % self.streams
        return taken

    def _want(self, shifts: Shifts, end: bool) -> None:
        block = self.blocks[self.turn]
        if end:
            self.wanted[self.turn] += code_bits(block, shifts.leads) + "|"
            block.clear()
            self.pending[self.turn] = 0
        else:
            block.append(shifts)
            self.pending[self.turn] = shifts.under + (
                0 if shifts.leads else self.pending[self.turn]
            )

    async def _cycle(self, inputs: dict[str, int]) -> tuple[bool, bool]:
        """One cycle: whether the stream is done in it, and whether it is one of enable."""
        await FallingEdge(self.dut.clk)
        enable = random.random() < self.enabled
        names = ("s_done", "m_count", "m_end", "m_turn")
        done, *chunk = await outputs_for(self.dut, {**inputs, "enable": int(enable)}, *names)
        if enable:
            self._collect(*chunk)
        return bool(done and enable), enable

    def _collect(self, count: int, end: int, passes: int) -> None:
        """The chunk that came of the last cycle of enable: bits, or the end, and maybe the turn."""
        assert count <= self.word_w and not (end and count), f"count {count}, end {end}"
        if not (count or end or passes):
            return
        stream = int(self.dut.m_stream.value)
        assert stream == self.last_output, f"{stream}, at turn is {self.last_output}"
        self.found[stream] += str(self.dut.m_bits.value)[:count] + "|" * end
        self.last_output = (stream + passes) % self.streams

    async def drain(self) -> None:
        """Show idle slots until all bits are out, stream 0 at turn again."""
        while True:
            await self.show(IDLE)
            if self.turn == 0:
                break
        await self.show(IDLE)
        while self.turn:
            await self.show(IDLE)

    async def end_all(self) -> None:
        """End the blocks of all streams, from stream 0 on; compare all bits."""
        for _ in range(self.streams):
            await self.show(Shifts(random.choice("01"), 0), end=True)
        await self.drain()
        for stream, (found, wanted) in enumerate(zip(self.found, self.wanted, strict=True)):
            same = next(
                (i for i, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), -1
            )
            assert found == wanted, (
                f"stream {stream}: {len(found)} bits, expected {len(wanted)}; first wrong {same}; "
                f"{found[:200]}, expected {wanted[:200]}"
            )
        self.found = [""] * self.streams
        self.wanted = [""] * self.streams

    def any_shifts(self, emptiness: float) -> Shifts:
        """The shifts of one value that do not overflow the pending count of the stream at turn."""
        lead = 0 if random.random() < emptiness else random.randint(1, self.code_w)
        room = (1 << self.pending_w) - 1 - (0 if lead else self.pending[self.turn])
        under = random.choice((0, 1, random.randint(0, self.code_w - lead)))
        leads = "".join(random.choices("01", k=lead))
        return Shifts(leads, min(under, self.code_w - lead, room))


@cocotb.test()
async def emits_the_bits_of_any_shifts_of_any_stream(dut):
    bench = await PendingBench.started(dut)
    for _ in range(ROUNDS):
        bench.enabled = random.choice((1.0, 0.5))
        emptiness = [random.choice((0.2, 0.9, 0.99)) for _ in range(bench.streams)]
        for _ in range(random.randint(0, 40) * bench.streams):
            if random.random() < 0.05:
                await bench.show(Shifts(random.choice("01"), 0), end=True)
            else:
                await bench.show(bench.any_shifts(emptiness[bench.turn]))
        while bench.turn:
            await bench.show(IDLE)
        await bench.end_all()


@cocotb.test()
async def emits_runs_of_every_length_around_a_word_in_time(dut):
    bench = await PendingBench.started(dut)
    word_w, code_w = bench.word_w, bench.code_w
    most = (1 << bench.pending_w) - 1
    runs = {*range(word_w - code_w - 1, word_w + 2), 2 * word_w - 1, 2 * word_w, 3 * word_w + 1}
    runs.add(min(most, 3000))
    for run in sorted(length for length in runs if 0 <= length <= most):
        for lead in {1, 2, code_w}:
            unders = [code_w] * (run // code_w) + [run % code_w]
            for under in unders:
                for _ in range(bench.streams):
                    await bench.show(Shifts("", under))
            for _ in range(bench.streams):
                spent = await bench.show(Shifts("".join(random.choices("01", k=lead)), 0))
                bits = run + lead
                allowed = 1 if bits <= word_w else 1 + -(-bits // word_w)
                assert spent <= allowed, f"{spent} cycles for {bits} bits, {allowed} allowed"
    await bench.end_all()


@cocotb.test()
async def a_reset_forgets_what_is_pending(dut):
    bench = await PendingBench.started(dut)
    for _ in range(2 * ROUNDS):
        for _ in range(random.randint(0, 40)):
            end = random.random() < 0.1
            await bench.show(Shifts("0", 0) if end else bench.any_shifts(0.9), end)
        if random.random() < 0.5:  # in the middle of a run, or of an end
            bench._want(IDLE, False)
            inputs = dict(zip(INPUTS, (bench.turn, 1, 0, 0, 1), strict=True))
            await bench._cycle(inputs)
        dut.rst.value = 1
        await reset(dut, 1)
        bench.forget()
        for _ in range(2 * bench.streams):
            await bench.show(bench.any_shifts(0.5))
        await bench.end_all()
