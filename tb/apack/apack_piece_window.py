# SPDX-License-Identifier: Apache-2.0
"""apack_piece_window: the pieces of each block in their order, whatever is taken of them."""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("PIECE_W", "WORD_W", "NEED")
SETS = {
    "four-a-word": (16, 64, 8),
    "two-a-word": (4, 8, 4),
    "one-a-word": (32, 32, 2),
    "four-of-fourteen": (16, 64, 14),
}
ILLEGAL = {"WORD_W": (8, 24, 48), "NEED": (1,)}
MUTATED = "two-a-word"
MEANINGFUL = (("m_short", "m_over"), ("m_left", "m_over"), ("m_cut", "m_over"))

ROUNDS = int(os.environ.get("ROUNDS") or 40)


class WindowBench:
    """Brings blocks, takes pieces, compares what shows in every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.piece_w, word_w, self.need = map(parameter, ("PIECE_W", "WORD_W", "NEED"))
        self.parts = word_w // self.piece_w
        self.comes = 1.0  # part of the cycles with a word
        self.taken = 0.8  # part of those in which pieces leave that may
        self.cut = 0  # whether the block's last word was cut

    async def start(self) -> None:
        """A running clock, and a reset that has passed."""
        start_clock(self.dut)
        self.dut.rst.value = 1
        await FallingEdge(self.dut.clk)
        await self.reset()

    async def reset(self) -> None:
        """A cycle of reset, with anything on the inputs."""
        noise = {"s_begin": 1, "s_begin_words": 1, "s_valid": 1, "s_take": 0, "s_end": 0}
        await outputs_for(self.dut, noise | {"rst": 1})
        await FallingEdge(self.dut.clk)
        await outputs_for(self.dut, {"rst": 0, "s_begin": 0})

    def _words(self, pieces: list[int], cut: bool) -> list[tuple[int, int, int]]:
        """Data, last, cut; noise behind the last piece."""
        noise = [random.getrandbits(self.piece_w) for _ in range(-len(pieces) % self.parts)]
        padded, words = pieces + noise, []
        for start in range(0, len(padded), self.parts):
            word = 0
            for piece in padded[start : start + self.parts]:
                word = word << self.piece_w | piece
            words.append((word, int(start + self.parts >= len(padded) and not cut), 0))
        if cut:
            word = random.getrandbits(self.parts * self.piece_w)
            words.append((word, random.getrandbits(1), 1))
        return words

    async def block(self, begin: bool, stop_at: int | None = None) -> None:
        """One block; stop_at: cycles after which it is left alone, for a reset."""
        count = random.choice((0, 1, self.parts, random.randint(0, 30)))
        pieces = [random.getrandbits(self.piece_w) | 1 for _ in range(count)]
        cut = count % self.parts == 0 and random.random() < 0.3
        words = self._words(pieces, cut)
        takes, total = [], 0
        wanted = count + random.choice((0, 0, 0, -1, 1, random.randint(-8, 8)))
        while total < wanted:
            takes.append(min(random.choice((0, 1, 1, 2, 2)), wanted - total))
            total += takes[-1]
        takes += [0] * random.randint(0 if takes else 1, 2)
        inputs = {
            "s_begin": 1, "s_begin_words": int(bool(words)), "s_begin_pieces": count % self.parts,
        }  # fmt: skip
        if begin:
            quiet = {"s_valid": 0, "s_take": 0, "s_end": 0}
            (idle,) = await outputs_for(self.dut, inputs | quiet, "m_idle")
            assert idle, "not idle between blocks"
            await FallingEdge(self.dut.clk)
        await self._run(pieces, words, takes, stop_at)

    async def _run(self, pieces, words, takes, stop_at) -> None:
        taken = came = cycle = 0
        ended, opened = False, bool(words)
        while True:
            if stop_at == cycle:
                return
            cycle += 1
            names = ("m_idle", "m_full", "m_over", "s_ready", "m_pieces")
            noise = {"s_begin": 0, "s_begin_words": random.getrandbits(1)}
            idle, full, over, ready, shown = await outputs_for(self.dut, noise, *names)
            there = max(came - taken, 0)
            if ended and not opened:
                assert over and idle, "the block is not over"
                self._check_cause(taken, came)
                assert int(self.dut.m_cut.value) == self.cut, "m_cut is wrong"
                return
            assert not over and not idle, f"over {over}, idle {idle} within a block"
            if not ended:
                assert full == (not opened or there >= self.need), f"full {full}, {there} pieces"
                zeros = [0, 0]
                first, second = [*pieces[:came][taken:], *zeros][:2]
                assert shown == first << self.piece_w | second, f"{shown:x}: {first:x} {second:x}"
                assert not opened or ready or there > self.need + 1, f"no room with {there}"
            assert opened or not ready, "ready for a word of the next block"
            assert ready or not (ended and opened), "words are not dropped"
            inputs = self._word(words)
            take = 0
            if not ended and (not opened or there >= takes[0]) and random.random() < self.taken:
                take = takes.pop(0)
                taken += take
                ended = not takes
                inputs["s_end"] = int(ended)
            await outputs_for(self.dut, inputs | {"s_take": take})
            if inputs["s_valid"] and ready:
                _, last, cut = words.pop(0)
                self.cut = cut
                opened = not (last or cut)
                came += 0 if cut else min(self.parts, len(pieces) - came)
            await FallingEdge(self.dut.clk)

    def _word(self, words) -> dict[str, int]:
        inputs = {"s_valid": int(bool(words) and random.random() < self.comes), "s_end": 0}
        data, last, cut = words[0] if inputs["s_valid"] else (
            random.getrandbits(self.parts * self.piece_w), 1, 1,
        )  # fmt: skip
        return inputs | {"s_data": data, "s_last": last, "s_cut": cut}

    def _check_cause(self, taken, came) -> None:
        short, left = int(self.dut.m_short.value), int(self.dut.m_left.value)
        assert short == (taken > came), f"short {short}: {taken} of {came} taken"
        assert left == (taken < came), f"left {left}: {taken} of {came} taken"


@cocotb.test()
async def brings_the_pieces_of_any_blocks(dut):
    bench = WindowBench(dut)
    await bench.start()
    for _ in range(5 * ROUNDS):
        bench.comes, bench.cut = random.choice((1.0, 1.0, 0.4)), 0
        await bench.block(begin=True)
        if random.random() < 0.3:
            names = {"s_begin": 0, "s_take": 0, "s_end": 0, "s_valid": 1}
            idle, over = await outputs_for(dut, names, "m_idle", "m_over")
            assert idle and over
            for _ in range(random.randint(1, 3)):
                await FallingEdge(dut.clk)
                found = await outputs_for(dut, {}, "m_idle", "m_over", "s_ready")
                assert found == [1, 0, 0], f"idle, over, ready: {found}"


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    bench = WindowBench(dut)
    await bench.start()
    for _ in range(2 * ROUNDS):
        bench.comes, bench.cut = random.choice((1.0, 0.4)), 0
        await bench.block(begin=True, stop_at=random.randint(0, 12))
        await bench.reset()
        bench.cut = 0
        await bench.block(begin=True)


@cocotb.test()
async def is_full_whenever_no_word_is_taken(dut):
    """Two pieces leave in a cycle, and it does not fall below NEED while words come in time."""
    bench = WindowBench(dut)
    await bench.start()
    inputs = {"s_begin": 1, "s_begin_words": 1, "s_begin_pieces": 0, "s_take": 0, "s_end": 0}
    await outputs_for(dut, inputs | {"s_valid": 1, "s_last": 0, "s_cut": 0})
    await FallingEdge(dut.clk)
    for cycle in range(100):
        full, ready = await outputs_for(dut, {"s_begin": 0, "s_take": 0}, "m_full", "s_ready")
        assert full or ready, f"cycle {cycle}: neither full nor ready"
        if cycle > bench.need and bench.parts > 1:
            assert full, f"cycle {cycle}: not full"
        await outputs_for(dut, {"s_take": 2 if full and bench.parts > 1 else int(full)})
        await FallingEdge(dut.clk)
