# SPDX-License-Identifier: Apache-2.0
"""cell_bit_unpacker: words into a window on the next bits, compared in every cycle."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import cocotb
from cocotb.triggers import Event, FallingEdge, RisingEdge

from tb.bus.cycles import reset, start_clock
from tb.bus.frames import Beat
from tb.bus.pace import any_pace
from tb.bus.streams import StreamDriver

PARAMETERS = ("OUT_W", "WORD_W")
SETS = {
    "default": (16, 32),
    "smallest": (3, 3),
    "narrow": (8, 16),
    "odd": (5, 9),
}
ILLEGAL = {
    "OUT_W": (33,),
}
MUTATED = "odd"

ROUNDS = int(os.environ.get("ROUNDS") or 12)
MOST_CYCLES = 50_000


class UnpackerBench:
    """Steps the unpacker cycle by cycle beside a text that holds the same bits."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.out_w, self.word_w = int(dut.OUT_W.value), int(dut.WORD_W.value)
        self.words_in = StreamDriver(dut, "s_axis")
        self.bits = ""  # arrived and not removed
        self.ended = 0
        self.leftover = False
        self.steps = 0
        for name in ("m_remove", "m_remove_count", "discard", "restart"):
            getattr(dut, name).value = 0

    @classmethod
    async def started(cls, dut) -> UnpackerBench:
        """A bench after reset, in the middle of a cycle."""
        bench = cls(dut)
        start_clock(dut)
        await reset(dut)
        return bench

    def send(self, text: str, ragged: bool) -> Event:
        """Send a stream; `ragged` words hold any number of bits, also none."""
        taken = Event()
        self.words_in.append(self.words_of(text, ragged), event=taken)
        return taken

    def words_of(self, text: str, ragged: bool) -> list[Beat]:
        """A stream's words, with random bits behind the valid ones.

        The tuser of a full word may be any number of WORD_W and above.
        """
        word_w, beats = self.word_w, []
        above = (1 << word_w.bit_length()) - 1
        while text or not beats:
            size = random.choice((0, word_w, random.randint(0, word_w))) if ragged else word_w
            piece, text = text[:size], text[size:]
            padding = word_w - len(piece)
            data = int(piece or "0", 2) << padding | random.getrandbits(padding)
            user = random.choice((word_w, word_w, random.randint(word_w, above)))
            beats.append({"tdata": data, "tuser": len(piece) if padding else user, "tlast": 0})
        beats[-1]["tlast"] = 1
        return beats

    async def step(self, remove: int | None = None, discard: int = 0, restart: int = 0) -> None:
        """One cycle, checked: remove some bits (None: m_remove low), discard, restart."""
        dut = self.dut
        dut.m_remove.value = int(remove is not None)
        dut.m_remove_count.value = random.randint(0, self.out_w) if remove is None else remove
        dut.discard.value, dut.restart.value = discard, restart
        self.steps += 1
        assert self.steps < MOST_CYCLES, f"hang: the test did not end within {MOST_CYCLES} cycles"
        await FallingEdge(dut.clk)
        self._compare()
        arriving = ""
        if dut.s_axis_tvalid.value == 1 and dut.s_axis_tready.value == 1:
            count = min(int(dut.s_axis_tuser.value), self.word_w)
            arriving = f"{int(dut.s_axis_tdata.value):0{self.word_w}b}"[:count]
            assert not self.ended, "a word was taken after the last one"
            self.ended = int(dut.s_axis_tlast.value)
        if discard:
            self.leftover |= bool(self.bits or arriving)
            self.bits = ""
        else:
            self.bits = self.bits[remove or 0 :] + arriving
        if restart:
            self.bits, self.ended, self.leftover = "", 0, False
        await RisingEdge(dut.clk)

    def _compare(self) -> None:
        window = self.bits[: self.out_w].ljust(self.out_w, "0")
        found = [int(getattr(self.dut, n).value) for n in ("m_bits", "m_available", "m_ended")]
        wanted = [int(window, 2), len(self.bits), self.ended]
        assert found == wanted, f"bits, available, ended {found}, expected {wanted}"

    async def drain(self, choose: Callable[[], int | None]) -> None:
        """Remove bits until the stream has ended and none is left."""
        while self.bits or not self.ended:
            await self.step(choose())

    async def finish(self, leftover: bool) -> None:
        """Discard what is left of the stream, check m_leftover, restart."""
        await self.step(discard=1)
        while not self.ended:
            await self.step(discard=1)
        await self.step(discard=1)
        await FallingEdge(self.dut.clk)
        found = int(self.dut.m_leftover.value)
        assert found == leftover == self.leftover, f"leftover is {found}, expected {leftover}"
        await RisingEdge(self.dut.clk)
        await self.step(discard=1, restart=1)

    def random_text(self, most: int) -> str:
        """Up to `most` bits."""
        return "".join(random.choices("01", k=random.randint(0, most)))

    def any_count(self) -> int | None:
        """How many bits to remove in a cycle, if any."""
        return random.choice((None, 0, 1, self.out_w, random.randint(0, self.out_w)))


@cocotb.test()
async def shows_the_next_bits_in_every_cycle(dut):
    bench = await UnpackerBench.started(dut)
    for _ in range(3 * ROUNDS):
        bench.words_in.set_valid_generator(any_pace())
        bench.send(bench.random_text(20 * bench.word_w), random.random() < 0.5)
        most = random.randint(1, bench.out_w)
        await bench.drain(random.choice((bench.any_count, lambda most=most: most)))
        await bench.finish(leftover=False)


@cocotb.test()
async def removes_no_more_than_there_is(dut):
    bench = await UnpackerBench.started(dut)
    for length in range(2 * bench.out_w):
        bench.send("1" * length, ragged=True)
        for _ in range(12):
            await bench.step(bench.out_w)
        await bench.drain(lambda: bench.out_w)
        await bench.step(bench.out_w)
        await bench.finish(leftover=False)


@cocotb.test()
async def tells_whether_anything_was_left_over(dut):
    bench = await UnpackerBench.started(dut)
    for _ in range(4 * ROUNDS):
        bench.words_in.set_valid_generator(any_pace())
        text = bench.random_text(random.choice((1, 6 * bench.word_w)))
        bench.send(text, ragged=random.random() < 0.5)
        removed = 0
        for _ in range(random.randint(0, 12)):
            count = bench.any_count()
            removed += min(count or 0, len(bench.bits))
            await bench.step(count)
        await bench.finish(leftover=removed < len(text))


@cocotb.test()
async def words_wait_until_restart(dut):
    bench = await UnpackerBench.started(dut)
    for _ in range(ROUNDS):
        texts = [bench.random_text(2 * bench.word_w) for _ in range(3)]
        for text in texts:
            bench.send(text, ragged=False)
        for text in texts:
            for _ in range(8):
                await bench.step()
            expected = text[: 2 * bench.word_w]
            assert bench.bits == expected and bench.ended, f"{bench.bits}, expected {expected}"
            await bench.finish(leftover=bool(text))


@cocotb.test()
@cocotb.skipif(
    int(cocotb.top.WORD_W.value) < 2 * int(cocotb.top.OUT_W.value) - 1,
    reason="only words of twice the piece less one bit keep up with a piece a cycle",
)
async def never_runs_short_while_words_come(dut):
    bench = await UnpackerBench.started(dut)
    out_w, word_w = bench.out_w, bench.word_w
    for choose in (lambda: out_w, lambda: out_w - 1, lambda: random.randint(0, out_w)):
        bench.send("".join(random.choices("01", k=100 * word_w)), ragged=False)
        while len(bench.bits) < out_w:
            await bench.step()
        while not bench.ended:
            assert len(bench.bits) >= out_w, f"only {len(bench.bits)} bits are there"
            await bench.step(choose())
        await bench.drain(lambda: out_w)
        await bench.finish(leftover=False)


@cocotb.test()
async def a_reset_forgets_everything(dut):
    bench = await UnpackerBench.started(dut)
    for _ in range(3 * ROUNDS):
        bench.send("1" * random.randint(1, 6 * bench.word_w), ragged=True)
        for _ in range(random.randint(0, 10)):
            await bench.step(bench.any_count(), discard=int(random.random() < 0.1))
        dut.rst.value = 1
        bench.words_in.abort()
        await reset(dut, 1)
        bench.bits, bench.ended, bench.leftover = "", 0, False
        bench.send(bench.random_text(4 * bench.word_w), ragged=False)
        await bench.drain(bench.any_count)
        await bench.finish(leftover=False)
