# SPDX-License-Identifier: Apache-2.0
"""apack_block_feed: values of blocks into the slots of the streams, and back for raw blocks."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tb.bus.combinational import parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "VALUE_W", "LANES", "BLOCK_VALUES")
SETS = {
    "five": (5, 5, 4, 16),
    "smallest": (1, 2, 1, 8),
    "three-wide": (3, 16, 8, 8),
    "eight": (8, 9, 2, 32),
}
ILLEGAL = {
    "VALUE_W": (1, 17),
    "LANES": (6,),
    "BLOCK_VALUES": (0, 4, 96),
}

PHASE_CYCLES = 100
# The part of the cycles in which something is done; values come so slowly that all streams wait.
PACES = {
    "fill": (1.0, 0.3, 0.02),
    "enable": (1.0, 1.0, 0.7, 0.1),
    "release": (1.0, 0.7, 0.1),
    "read": (0.0, 0.0, 0.5, 0.1),
}


@dataclass
class Block:
    """The values of a block that have come, in beats, and how far they have been sent."""

    beats: list[list[int]] = field(default_factory=list)
    complete: bool = False
    sent: int = 0
    ended: bool = False  # its end has been put into a slot

    @property
    def values(self) -> list[int]:
        """Those that have come."""
        return [value for beat in self.beats for value in beat]

    def crc(self, value_w: int) -> int:
        """The CRC-32 of its values."""
        size = 2 if value_w > 8 else 1
        return zlib.crc32(b"".join(value.to_bytes(size, "little") for value in self.values))


@dataclass(frozen=True)
class Slot:
    """What a slot of the engine gets: a value, an end, or nothing."""

    block: Block | None = None
    value: int | None = None

    @property
    def ends(self) -> bool:
        """Whether it is the end of a block."""
        return self.block is not None and self.value is None


class Feed:
    """What the feed has to show in a cycle, from what came before it."""

    def __init__(self, streams: int) -> None:
        self.streams = streams
        self.held: list[Block | None] = [None] * streams
        self.latest: list[Block | None] = [None] * streams  # also after it has lost its room
        self.fill_stream = 0
        self.filling = False
        self.stream = 0  # of the slot
        self.slot = Slot()

    def advance(self, idle: bool) -> None:
        """The slot is taken; the next one gets what is there, or nothing."""
        self.stream = (self.stream + 1) % self.streams
        block = self.held[self.stream]
        self.slot = Slot() if idle or block is None else self._next(block)

    def _next(self, block: Block) -> Slot:
        values = block.values
        if block.sent < len(values):
            block.sent += 1
            return Slot(block, values[block.sent - 1])
        if not block.complete or block.ended:
            return Slot()
        block.ended = True
        return Slot(block)

    def fill(self, beat: list[int], last: bool) -> None:
        """A beat comes."""
        if not self.filling:
            self.held[self.fill_stream] = self.latest[self.fill_stream] = Block()
        block = self.held[self.fill_stream]
        block.beats += [beat] if beat else []
        block.complete = last
        self.filling = not last
        if last:
            self.fill_stream = (self.fill_stream + 1) % self.streams

    def over(self) -> list[int]:
        """Streams with a block whose end has been taken."""
        return [
            stream
            for stream, block in enumerate(self.held)
            if block and block.ended and self.slot.block is not block
        ]


class FeedBench:
    """Brings blocks, takes slots, and compares all outputs in every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        names = ("STREAMS", "VALUE_W", "LANES", "BLOCK_VALUES")
        self.streams, self.value_w, self.lanes, self.most = map(parameter, names)
        self.feed = Feed(self.streams)
        self.coming: list[list[int]] = []  # beats of the block that is being brought
        self.read: list[int] = []  # the beat that was read in the cycle before
        self.pace: dict[str, float] = {}
        self.cycle = 0

    @classmethod
    async def started(cls, dut) -> FeedBench:
        """A bench after reset."""
        bench = cls(dut)
        dut.fill_valid.value = 0
        dut.rst.value = 1
        start_clock(dut)
        for _ in range(2):
            await RisingEdge(dut.clk)
        return bench

    async def run(self, cycles: int, resets: float = 0.0) -> None:
        """Let cycles pass, a part of them with a reset."""
        for _ in range(cycles):
            if self.cycle % PHASE_CYCLES == 0:
                self.pace = {name: random.choice(paces) for name, paces in PACES.items()}
            inputs = self._inputs() | {"rst": int(random.random() < resets)}
            for name, value in inputs.items():
                getattr(self.dut, name).value = value
            await FallingEdge(self.dut.clk)
            self._compare(inputs)
            self._step(inputs)
            self.cycle += 1
            await RisingEdge(self.dut.clk)

    def _goes(self, name: str) -> bool:
        return random.random() < self.pace[name]

    def _inputs(self) -> dict[str, int]:
        """The inputs of a cycle."""
        enable = self._goes("enable")
        inputs = self._fill() | self._release() | self._read(enable)
        look = random.randrange(self.streams)
        return inputs | {"enable": int(enable), "s_stream": self.feed.stream, "look_stream": look}

    def _fill(self) -> dict[str, int]:
        """A beat, when there is room; the lanes that it has no values for hold anything."""
        feed = self.feed
        if not self.coming:
            self.coming = self._any_beats()
        fills = (feed.filling or feed.held[feed.fill_stream] is None) and self._goes("fill")
        values = self.coming[0]
        junk = [random.getrandbits(self.value_w) for _ in range(self.lanes - len(values))]
        data = sum(value << self.value_w * lane for lane, value in enumerate([*values, *junk]))
        return {
            "fill_valid": int(fills),
            "fill_data": data,
            "fill_count": len(values),
            "fill_last": int(len(self.coming) == 1),
        }

    def _any_beats(self) -> list[list[int]]:
        """A block of any length; after full beats an empty one may end it."""
        length = random.choice((1, self.lanes, self.most, random.randint(1, self.most)))
        values = [random.getrandbits(self.value_w) for _ in range(length)]
        beats = [values[at : at + self.lanes] for at in range(0, length, self.lanes)]
        return [*beats, []] if length % self.lanes == 0 and random.random() < 0.3 else beats

    def _release(self) -> dict[str, int]:
        """Give up blocks that have ended, as coded or as raw, or one of each at a time."""
        over = self.feed.over()
        random.shuffle(over)
        inputs = {}
        for way in random.sample(("coded", "raw"), 2):
            gives = bool(over) and self._goes("release")
            inputs[f"{way}_valid"] = int(gives)
            inputs[f"{way}_stream"] = over.pop() if gives else random.randrange(self.streams)
        return inputs

    def _read(self, enable: bool) -> dict[str, int]:
        """Read a beat of a block, in a cycle of enable."""
        stream = random.randrange(self.streams)
        block = self.feed.held[stream]
        beats = len(block.beats) if block else 0
        reads = enable and beats > 0 and self._goes("read")
        beat = random.randrange(beats if reads else self.most // self.lanes)
        return {"read_enable": int(reads), "read_stream": stream, "read_beat": beat}

    def _compare(self, inputs: dict[str, int]) -> None:
        for name, value in self._wanted(inputs).items():
            port = getattr(self.dut, name).value
            found = int(port) if port.is_resolvable else port
            assert found == value, self._story(name, found, value)
        for lane, value in enumerate(self.read):
            found = int(self.dut.read_data.value) >> lane * self.value_w & (1 << self.value_w) - 1
            assert found == value, self._story(f"lane {lane} of read_data", found, value)

    def _story(self, name: str, found: object, wanted: int) -> str:
        held = ", ".join(
            f"stream {stream}: {block.sent} of {len(block.values)} values sent"
            for stream, block in enumerate(self.feed.held)
            if block
        )
        return f"cycle {self.cycle}: {name} is {found}, expected {wanted}; {held or 'no block'}"

    def _wanted(self, inputs: dict[str, int]) -> dict[str, int]:
        """The outputs that mean something."""
        feed, slot = self.feed, self.feed.slot
        outputs = {
            "fill_ready": int(feed.held[feed.fill_stream] is None),
            "fill_stream": feed.fill_stream,
            "fill_begin": int(inputs["fill_valid"] and not feed.filling),
            "m_valid": int(slot.block is not None),
        }
        if slot.block:
            outputs["m_end"] = int(slot.ends)
        if slot.value is not None:
            outputs["m_value"] = slot.value
        looked = feed.latest[inputs["look_stream"]]
        if looked and looked.ended:
            outputs |= {"look_count": len(looked.values), "look_crc": looked.crc(self.value_w)}
        return outputs

    def _step(self, inputs: dict[str, int]) -> None:
        """A cycle passes."""
        feed = self.feed
        read = feed.held[inputs["read_stream"]] if inputs["read_enable"] else None
        self.read = read.beats[inputs["read_beat"]] if read else []
        if inputs["enable"]:
            feed.advance(idle=bool(inputs["read_enable"]))
        if inputs["fill_valid"]:
            feed.fill(self.coming.pop(0), bool(inputs["fill_last"]))
        for way in ("coded", "raw"):
            if inputs[f"{way}_valid"]:
                feed.held[inputs[f"{way}_stream"]] = None
        if inputs["rst"]:
            self.feed = Feed(self.streams)
            self.coming, self.read = [], []


@cocotb.test()
async def fills_slots_with_the_values_of_blocks(dut):
    bench = await FeedBench.started(dut)
    await bench.run(5000)


@cocotb.test()
async def begins_anew_after_a_reset(dut):
    bench = await FeedBench.started(dut)
    await bench.run(2000, resets=0.01)
