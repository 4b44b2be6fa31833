# SPDX-License-Identifier: Apache-2.0
"""apack_entry_check: what is said of each block, from its index entry, as the format has it."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("VALUE_W", "WORD_W", "BLOCK_VALUES")
SETS = {
    "short-blocks": (8, 64, 128),
    "small-words": (5, 16, 32),
    "few-values": (3, 32, 4),
    "long-blocks": (16, 64, 4096),
}
ILLEGAL = {
    "WORD_W": (48,),
}
MUTATED = "small-words"

TENSORS = 200
LONGEST_WAIT = 400  # cycles for a tensor of a few blocks


@dataclass(frozen=True)
class Entry:
    """An index entry; `missing` in place of one."""

    code_bits: int
    offset_bits: int
    crc: int
    missing: bool = False


class EntryRules:
    """What a block must come to."""

    def __init__(self) -> None:
        self.value_w, self.word_w = parameter("VALUE_W"), parameter("WORD_W")
        self.most = parameter("BLOCK_VALUES")

    def words(self, bits: int) -> int:
        """Memory words of a stream."""
        return -(-bits // self.word_w)

    def outputs(self, count: int, entry: Entry) -> dict[str, int]:
        """The outputs that mean something for a block of so many values."""
        if entry.missing:
            return {"m_count": count, "m_words": 0, "m_implausible": 1}
        code, offset = entry.code_bits, entry.offset_bits
        words, raw_bits = self.words(code) + self.words(offset), count * self.value_w
        found = {
            "m_count": count,
            "m_words": words,
            "m_implausible": int(
                (code == 0 and offset != raw_bits) or code == 1 or words > self.words(raw_bits)
            ),
        }
        if found["m_implausible"]:
            return found
        return found | {
            "m_code_bits": code,
            "m_offset_bits": offset,
            "m_code_pad": -code % self.word_w,
            "m_offset_pad": -offset % self.word_w,
            "m_code_words": self.words(code),
            "m_offset_words": self.words(offset),
            "m_crc": entry.crc,
        }

    def any_entry(self, count: int) -> Entry:
        """An entry on either side of each rule."""
        raw, crc = count * self.value_w, random.getrandbits(32)
        full = self.words(raw) * self.word_w
        code = random.choice((1, 2, 3, random.randint(2, raw + 2), self.word_w, self.word_w + 1))
        offset = random.choice((raw - code, full - code, full - self.words(code) * self.word_w))
        step = random.choice((-self.word_w, -1, 0, 0, 1, self.word_w))
        coded = Entry(code, max(offset + step, 0), crc)
        beyond = 1 << random.randrange(random.choice((self.word_w.bit_length(), 32)))
        return random.choice(
            (
                coded,
                coded,
                Entry(0, raw, crc),
                Entry(0, raw ^ random.choice((1, beyond)), crc),
                Entry(code | beyond, coded.offset_bits, crc),
                Entry(code, coded.offset_bits | beyond, crc),
                Entry(random.getrandbits(32), random.getrandbits(32), crc),
                Entry(0xFFFFFFFF, 0xFFFFFFFF, crc),
            )
        )


@dataclass
class Run:
    """One tensor: blocks whose entries are still to come, and what must still leave."""

    to_come: deque[tuple[int, Entry]]
    due: deque[dict[str, int]]
    offers: float
    takes: float


def any_tensor(rules: EntryRules) -> tuple[int, int, list[tuple[int, Entry]]]:
    """Values, values in a block, and each block's number of values with its entry."""
    block = random.choice((rules.most, random.randint(1, rules.most)))
    blocks = random.choice((0, 1, 2, 12))
    values = max(blocks * block - random.choice((0, 0, 1, random.randrange(block))), 0)
    counts = [min(block, values - start) for start in range(0, values, block)]
    entries = [rules.any_entry(count) for count in counts]
    kept = random.choice((len(counts), len(counts), random.randint(0, len(counts))))
    gone = [Entry(random.getrandbits(32), random.getrandbits(32), 0, True) for _ in counts[kept:]]
    return values, block, list(zip(counts, [*entries[:kept], *gone], strict=True))


async def reset(dut, cycles: int = 2) -> None:
    """Drop whatever is under way."""
    await outputs_for(dut, {"rst": 1, "s_begin": 0, "s_valid": 0, "s_missing": 0, "m_ready": 0})
    for _ in range(cycles):
        await FallingEdge(dut.clk)
    assert await outputs_for(dut, {"rst": 0}, "m_busy", "m_all", "m_valid") == [0, 1, 0]


async def step(dut, run: Run, rules: EntryRules, story: str) -> bool:
    """One cycle of a tensor; False when it is over."""
    await FallingEdge(dut.clk)
    count, entry = run.to_come[0] if run.to_come else (0, Entry(0, 0, 0))
    offered = bool(run.to_come) and random.random() < run.offers
    inputs = {
        "s_begin": 0,
        "s_code_bits": entry.code_bits,
        "s_offset_bits": entry.offset_bits,
        "s_crc": entry.crc,
        "s_valid": int(offered and not entry.missing),
        "s_missing": int(offered and entry.missing),
        "m_ready": int(random.random() < run.takes),
    }
    names = ("s_ready", "m_all", "m_busy", "m_valid")
    ready, every, busy, valid = await outputs_for(dut, inputs, *names)
    assert every == (not run.to_come), f"m_all {every}, {len(run.to_come)} to come: {story}"
    assert busy == bool(run.due), f"m_busy {busy}, {len(run.due)} under way: {story}"
    if valid:
        assert run.due, f"a block too many: {story}"
        wanted = run.due[0]
        found = dict(zip(wanted, await outputs_for(dut, {}, *wanted), strict=True))
        assert found == wanted, f"{found}, expected {wanted}: {story}"
        if inputs["m_ready"]:
            run.due.popleft()
    if offered and ready:
        run.to_come.popleft()
        run.due.append(rules.outputs(count, entry))
    return bool(run.to_come or run.due)


@cocotb.test()
async def describes_the_block_of_every_entry(dut):
    start_clock(dut)
    rules = EntryRules()
    await reset(dut)
    for tensor in range(TENSORS):
        values, block, blocks = any_tensor(rules)
        await outputs_for(dut, {"s_begin": 1, "s_values": values, "s_block": block})
        run = Run(deque(blocks), deque(), random.choice((1, 0.5)), random.choice((1, 0.3)))
        story = f"tensor {tensor}, {values} values in blocks of {block}: {blocks}"
        stop = random.randint(1, 30) if random.random() < 0.2 else LONGEST_WAIT
        cycle = 0
        while cycle < stop and await step(dut, run, rules, story):
            cycle += 1
        assert cycle < LONGEST_WAIT, f"hang: {story}"
        await FallingEdge(dut.clk)
        await outputs_for(dut, {"s_valid": 0, "s_missing": 0, "m_ready": 0})
        if cycle == stop:
            await reset(dut, random.choice((1, 2)))


@cocotb.test()
async def counts_down_from_any_number_of_values(dut):
    """All of its 48 bits count: each block is whole, and there is always another."""
    start_clock(dut)
    rules = EntryRules()
    raw = Entry(0, rules.most * rules.value_w, random.getrandbits(32))
    for values in ((1 << 48) - 1, 1 << 47, *(random.getrandbits(48) | 1 << 40 for _ in range(8))):
        await reset(dut)
        await outputs_for(dut, {"s_begin": 1, "s_block": rules.most, "s_values": values})
        run = Run(deque([(rules.most, raw)] * 9), deque(), 1, 1)
        for _ in range(8):
            await step(dut, run, rules, f"the first blocks of {values} values")
        assert len(run.to_come) == 1, f"{9 - len(run.to_come)} blocks in 8 cycles"


@cocotb.test()
async def passes_a_block_a_cycle(dut):
    start_clock(dut)
    rules, blocks = EntryRules(), 20
    await reset(dut)
    begin = {"s_begin": 1, "s_block": rules.most, "s_values": blocks * rules.most}
    await outputs_for(dut, begin)
    raw = Entry(0, rules.most * rules.value_w, 0)
    run = Run(deque([(rules.most, raw)] * blocks), deque(), 1, 1)
    await FallingEdge(dut.clk)
    cycles = 0
    while await step(dut, run, rules, "blocks one after the other"):
        cycles += 1
    assert cycles <= blocks + 5, f"{cycles} cycles for {blocks} blocks"


@cocotb.test()
async def has_room_for_a_block_in_each_of_its_four_cycles(dut):
    start_clock(dut)
    rules = EntryRules()
    await reset(dut)
    for gap in range(4):
        await outputs_for(dut, {"s_begin": 1, "s_block": rules.most, "s_values": 9 * rules.most})
        await FallingEdge(dut.clk)
        taken = 0
        for cycle in range(12):
            offered = int(cycle != gap)
            inputs = {"s_begin": 0, "s_valid": offered, "m_ready": 0}
            (ready,) = await outputs_for(dut, inputs, "s_ready")
            taken += offered and ready
            await FallingEdge(dut.clk)
        assert taken == 4, f"{taken} blocks taken while none may leave, a pause in cycle {gap}"
        await reset(dut, 1)


@cocotb.test()
async def counts_the_values_of_tensors_of_any_size(dut):
    start_clock(dut)
    rules = EntryRules()
    await reset(dut)
    for bit in 2 * [*range(rules.most.bit_length() + 3, 48)]:
        block = random.randint(1, rules.most)
        values = (1 << bit) + random.choice((random.randrange(block), 9 * block))
        await outputs_for(dut, {"s_begin": 1, "s_values": values, "s_block": block})
        raw = [Entry(0, block * rules.value_w, 0)] * 6
        run = Run(deque((block, entry) for entry in raw), deque(), 1, 1)
        for cycle in range(5):
            story = f"block {cycle} of {values} values in blocks of {block}"
            assert await step(dut, run, rules, story), story
        await reset(dut)
