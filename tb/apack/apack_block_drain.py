# SPDX-License-Identifier: Apache-2.0
"""apack_block_drain: checked blocks out of the value memory, in order, with their cause."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "VALUE_W", "LANES", "BLOCK_VALUES")
SETS = {
    "two": (2, 3, 2, 8),
    "smallest": (1, 2, 1, 1),
    "six-wide": (6, 12, 8, 8),
    "long-blocks": (4, 8, 8, 4096),
}
ILLEGAL = {
    "LANES": (6,),
    "BLOCK_VALUES": (0, 4, 96),
}
MEANINGFUL = (("read_address", "read_enable"),)

LENGTH, CODE, OFFSET, CRC, TRUNCATED = (1 << bit for bit in (0, 1, 2, 4, 5))
SKIPPED = LENGTH | TRUNCATED
CAUSES = 6
HELD = 3  # beats that may wait at the output
START = (
    2  # cycles from a block's last verdict, or from the end of the block before, to its first read
)
SHOW = 2  # cycles from a beat's read until it shows
STRETCH = 300  # cycles at one pace
LONGEST = 40  # beats of a block, most of the time


@dataclass(frozen=True)
class Sizes:
    """The parameters of the module."""

    streams: int
    value_w: int
    lanes: int
    most: int

    @classmethod
    def of_module(cls) -> Sizes:
        """Those it was built with."""
        names = ("STREAMS", "VALUE_W", "LANES", "BLOCK_VALUES")
        return cls(*(parameter(name) for name in names))

    @property
    def beats(self) -> int:
        """Beats of a region."""
        return self.most // self.lanes

    def any_count(self) -> int:
        """A block's number of values."""
        most = min(self.most, LONGEST * self.lanes)
        near = random.randint(1, most // self.lanes) * self.lanes - random.randrange(self.lanes)
        return random.choice((1, near, near, most))

    def any_beat(self) -> int:
        """What a beat of the memory may hold."""
        return random.getrandbits(self.lanes * self.value_w)


@dataclass
class Block:
    """A block in its region, with the verdicts about it, and how far it has been read."""

    region: int
    count: int
    given: int
    beats: int
    code_bad: bool = field(default_factory=lambda: random.random() < 0.2)
    offset_bad: bool = field(default_factory=lambda: random.random() < 0.2)
    crc_bad: bool = field(default_factory=lambda: random.random() < 0.2)
    awaited: set[str] = field(default_factory=lambda: {"code", "value"})  # verdicts
    done: int = 0  # cycle of the last verdict
    read: int = 0  # beats

    @classmethod
    def any(cls, region: int, sizes: Sizes) -> Block:
        """One of any length, mostly without a cause so far."""
        given = random.choice((0, 0, 0, 1 << random.randrange(CAUSES), random.getrandbits(CAUSES)))
        count = sizes.any_count()
        return cls(region, count, given, -(-count // sizes.lanes))

    @property
    def cause(self) -> int:
        """What must be said of it."""
        found = CODE * self.code_bad | OFFSET * self.offset_bad | CRC * self.crc_bad
        return self.given if self.given & SKIPPED else self.given | found


@dataclass(frozen=True)
class Beat:
    """A beat that has been read and is to come out."""

    cycle: int  # of its read
    data: int
    mask: int  # bits of data that mean something
    cause: int
    last: bool


class DrainBench:
    """Announces and judges blocks, is their memory, compares all that happens in every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.sizes = Sizes.of_module()
        self.regions = self.sizes.streams + 1
        self.memory = [self.sizes.any_beat() for _ in range(self.regions * self.sizes.beats)]
        self.data = self.sizes.any_beat()  # on the memory's output
        self.announcing = self.judging = self.taking = 1.0
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.blocks: deque[Block] = deque()  # oldest first
        self.waiting: deque[Beat] = deque()
        self.announced = 0
        self.free_cycle = -START  # when the last block had been read

    async def start(self) -> None:
        """Clock and reset."""
        start_clock(self.dut)
        await outputs_for(self.dut, self._inputs(0) | {"rst": 1})
        for _ in range(2):
            await FallingEdge(self.dut.clk)
        self.forget()

    async def run(self, cycles: int, resets: float = 0) -> None:
        """Any blocks at any pace."""
        for cycle in range(cycles):
            await FallingEdge(self.dut.clk)
            if cycle % STRETCH == 0:
                self.announcing, self.judging = random.choice((1, 0.1)), random.choice((1, 0.1))
                self.taking = random.choice((1.0, 0.9, 0.5, 0.1))
            rst = random.random() < resets
            await self.step(cycle, rst)
            if rst:
                self.forget()

    async def step(self, cycle: int, rst: bool = False) -> None:
        """One cycle of all ports."""
        ready = random.random() < self.taking
        inputs = {"read_data": self.data, "m_ready": int(ready), "rst": int(rst)}
        names = ("read_enable", "m_free", "m_valid")
        begun = self.blocks[0] if self.blocks else None
        room = len(self.waiting) < HELD
        reads = room and begun is not None and self._begins(begun) <= cycle
        frees = reads and begun.read + 1 == begun.beats
        shows = bool(self.waiting) and self.waiting[0].cycle + SHOW <= cycle
        found = await outputs_for(self.dut, inputs | self._inputs(cycle), *names)
        story = f"cycle {cycle}, oldest {begun}, beats at the output {list(self.waiting)}"
        for name, value, wanted in zip(names, found, (reads, frees, shows), strict=True):
            assert value == wanted, f"{name} {value}, expected {int(wanted)}: {story}"
        if shows:
            await self._compare(self.waiting[0], story)
            if ready:
                self.waiting.popleft()
        if reads:
            await self._read(begun, cycle, story)

    def _begins(self, block: Block) -> float:
        """The cycle of a block's first read if there is room."""
        if block.awaited:
            return float("inf")
        return max(block.done, self.free_cycle) + START

    def _inputs(self, cycle: int) -> dict[str, int]:
        """Announcements and verdicts."""
        verdicts = self._verdict("code", cycle) | self._verdict("value", cycle)
        return verdicts | self._announcement()

    def _announcement(self) -> dict[str, int]:
        region = self.announced % self.regions
        new = len(self.blocks) < self.regions and random.random() < self.announcing
        block = Block.any(region if new else random.randrange(self.regions), self.sizes)
        if new:
            self.blocks.append(block)
            self.announced += 1
        return {
            "s_block_valid": new,
            "s_block_region": block.region,
            "s_block_count": block.count,
            "s_block_cause": block.given,
        }

    def _verdict(self, side: str, cycle: int) -> dict[str, int]:
        """The verdict of one side about any block, if it is time for one."""
        open_ones = [block for block in self.blocks if side in block.awaited]
        judged = bool(open_ones) and random.random() < self.judging
        any_block = Block.any(random.randrange(self.regions), self.sizes)
        block = random.choice(open_ones) if judged else any_block
        if judged:
            block.awaited.remove(side)
            block.done = cycle
            self._fill(block.region)
        ports = {f"s_{side}_done": judged, f"s_{side}_region": block.region}
        if side == "code":
            return ports | {"s_code_bad": block.code_bad}
        return ports | {"s_offset_bad": block.offset_bad, "s_crc_bad": block.crc_bad}

    def _fill(self, region: int) -> None:
        """The region holds its values from now on, and nothing of the block before."""
        begin = region * self.sizes.beats
        for address in range(begin, begin + self.sizes.beats):
            self.memory[address] = self.sizes.any_beat()

    async def _read(self, block: Block, cycle: int, story: str) -> None:
        """The beat that is read in this cycle."""
        (address,) = await outputs_for(self.dut, {}, "read_address")
        wanted = block.region * self.sizes.beats + block.read
        assert address == wanted, f"read_address {address}, expected {wanted}: {story}"
        self.data = self.memory[address]
        left = block.count - block.read * self.sizes.lanes
        mask = (1 << min(left, self.sizes.lanes) * self.sizes.value_w) - 1
        block.read += 1
        last = block.read == block.beats
        data = 0 if block.cause else self.data & mask
        self.waiting.append(Beat(cycle, data, mask, block.cause, last))
        if last:
            self.blocks.popleft()
            self.free_cycle = cycle

    async def _compare(self, beat: Beat, story: str) -> None:
        """The beat that shows."""
        data, cause, last = await outputs_for(self.dut, {}, "m_data", "m_cause", "m_last")
        found, wanted = (data & beat.mask, cause, last), (beat.data, beat.cause, beat.last)
        assert found == wanted, f"data, cause, last {found}, expected {wanted}: {story}"


@cocotb.test()
async def puts_out_checked_blocks_in_order(dut):
    bench = DrainBench(dut)
    await bench.start()
    await bench.run(4000)


@cocotb.test()
async def forgets_all_blocks_in_a_reset(dut):
    bench = DrainBench(dut)
    await bench.start()
    await bench.run(2000, 0.03)
