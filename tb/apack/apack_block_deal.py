# SPDX-License-Identifier: Apache-2.0
"""apack_block_deal: every block to its channel, with its words and with what is wrong with it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("ENGINES", "VALUE_W", "WORD_W", "BLOCK_VALUES")
SETS = {
    "three-engines": (3, 5, 16, 32),
    "one-engine": (1, 8, 64, 128),
    "wide": (4, 16, 32, 4),
    "most-engines": (64, 2, 16, 8),
}
ILLEGAL = {
    "WORD_W": (48,),
}

LENGTH, PADDING, TRUNCATED = 1, 8, 32
TENSORS = 160
LONGEST = 60  # cycles of a tensor
TOLD = ("count", "code_bits", "offset_bits", "code_words", "offset_words", "crc")
STATUS = ("s_block_ready", "s_word_ready", "m_busy", "m_truncated", "m_full")
BLOCK_INPUTS = tuple(f"s_block_{name}" for name in (*TOLD, "code_pad", "offset_pad", "words"))


@dataclass(frozen=True)
class Block:
    """What s_block_* tells of a block, by the names of its ports."""

    ports: Mapping[str, int]

    def __getattr__(self, name: str) -> int:
        return self.ports[f"s_block_{name}"]

    def padding(self, place: int) -> int:
        """Bits behind a stream in the block's word of this place."""
        if place == self.code_words - 1:
            return self.code_pad
        return self.offset_pad if place == self.words - 1 else 0


class Dealer:
    """What must leave in each cycle, by the header of the module."""

    def __init__(self, engines: int) -> None:
        self.engines = engines
        self.reset()

    def reset(self) -> None:
        """Forget the blocks; the next one is for channel 0."""
        self.dealt = 0
        self.block: Block | None = None
        self.begun = False
        self.place = 0  # words of the block that have passed
        self.dirty = False  # one of them
        self.leaving: dict[str, int] = {"word_valid": 0, "block_valid": 0}

    @property
    def channel(self) -> int:
        """One bit: that of the channel at turn."""
        return 1 << self.dealt % self.engines

    def outputs(self, inputs: Mapping[str, int]) -> dict[str, int]:
        """The outputs that mean something in a cycle with these inputs."""
        block = self.block
        go = bool(block) and (self.begun or bool(inputs["room"] & self.channel))
        left = block.words - self.place if block else 0
        passing, ended = go and left > 0, bool(inputs["s_word_ended"])
        over = go and (left == 0 or ended or (left == 1 and bool(inputs["s_word_valid"])))
        return self.leaving | {
            "s_block_ready": int(over or not block),
            "s_word_ready": int(passing and not ended),
            "m_busy": int(bool(block) or bool(inputs["s_block_valid"])),
            "m_truncated": int(passing and ended),
            "m_full": int(bool(block) and not go),
        }

    def step(self, inputs: Mapping[str, int], found: Mapping[str, int]) -> None:
        """End the cycle that had these inputs and outputs."""
        block, self.leaving = self.block, {"word_valid": 0, "block_valid": 0}
        self.begun = bool(block) and not found["m_full"]
        if found["s_word_ready"] and inputs["s_word_valid"]:
            self._pass_word(block, inputs["s_word_data"])
        if not found["s_block_ready"]:
            return
        if block:
            self._hand_over(block, bool(found["m_truncated"]))
        self.block = Block(dict(inputs)) if inputs["s_block_valid"] else None
        self.begun, self.place, self.dirty = False, 0, False

    def _pass_word(self, block: Block, word: int) -> None:
        self.dirty |= word % (1 << block.padding(self.place)) != 0
        self.place += 1
        if not block.implausible:
            self.leaving |= {"word_valid": self.channel, "word_data": word}

    def _hand_over(self, block: Block, truncated: bool) -> None:
        cause = LENGTH if block.implausible else PADDING * self.dirty
        told = {f"block_{name}": block.ports[f"s_block_{name}"] for name in TOLD}
        self.leaving |= told | {
            "block_valid": self.channel,
            "block_cause": cause | TRUNCATED * truncated,
        }
        self.dealt += 1


def any_block(widths: Mapping[str, int]) -> dict[str, int]:
    """A description that apack_entry_check may give."""
    ports = {name: random.getrandbits(width) for name, width in widths.items()}
    most, words_w = parameter("REGION_WORDS"), widths["s_block_words"]
    code = random.choice((0, 1, 1, 2, random.randint(0, most)))
    words = max(min(code + random.choice((0, 1, 1, 2, random.randint(0, most))), most), 1)
    implausible = int(random.random() < 0.25)
    if implausible:
        far = 1 << random.randrange(words_w)
        words = random.choice((0, 1, words, far, far + random.randint(1, 3)))
    else:
        ports |= {"s_block_code_words": min(code, words)}
    return ports | {
        "s_block_words": words % (1 << words_w),
        "s_block_implausible": implausible,
    }


def any_word(width: int) -> int:
    """A word of any bits, or with zeros at its end, or with one bit."""
    word, end = random.getrandbits(width), random.randrange(width + 1)
    return random.choice((word, word >> end << end, 0, 1 << random.randrange(width)))


@dataclass
class Tensor:
    """How a tensor comes: parts of the cycles, and the cycle from which on no words do."""

    blocks: float
    words: float
    room: float
    steady: bool  # whether a channel that has room keeps it
    end: int


def any_tensor() -> Tensor:
    """Any pace of any port."""
    parts = (1.0, 1.0, 0.7, 0.2)
    blocks, words, room = (random.choice(parts) for _ in range(3))
    end = random.choice((LONGEST, random.randrange(LONGEST)))
    return Tensor(blocks, words, room, random.random() < 0.5, end)


class DealBench:
    """Offers blocks and words, each until it is taken, and compares every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.engines, self.word_w = parameter("ENGINES"), parameter("WORD_W")
        self.widths = {name: len(getattr(dut, name)) for name in BLOCK_INPUTS}
        self.dealer = Dealer(self.engines)
        self.cycle = 0
        self.inputs: dict[str, int] = {}

    async def reset(self, cycles: int) -> None:
        """Drop what is under way; the inputs are anything."""
        for _ in range(cycles):
            await FallingEdge(self.dut.clk)
            await outputs_for(self.dut, self._offered(any_tensor(), False) | {"rst": 1})
        self.dealer.reset()
        self.inputs = {"s_block_valid": 0, "s_word_valid": 0, "room": 0}

    def _offered(self, tensor: Tensor, ended: bool) -> dict[str, int]:
        """New blocks and words in place of those that were taken; the room there is."""
        inputs = {"s_word_ended": int(ended), "rst": 0, "room": self._room(tensor)}
        if not self.inputs.get("s_block_valid"):
            inputs |= any_block(self.widths)
            inputs["s_block_valid"] = int(random.random() < tensor.blocks)
        if not self.inputs.get("s_word_valid"):
            inputs["s_word_data"] = any_word(self.word_w)
            inputs["s_word_valid"] = int(random.random() < tensor.words)
        return self.inputs | inputs

    def _room(self, tensor: Tensor) -> int:
        room = sum((random.random() < tensor.room) << engine for engine in range(self.engines))
        handed_over = self.dealer.leaving["block_valid"]
        return room | (self.inputs.get("room", 0) & ~handed_over if tensor.steady else 0)

    async def step(self, tensor: Tensor, ended: bool) -> None:
        """One cycle, compared."""
        await FallingEdge(self.dut.clk)
        self.cycle += 1
        self.inputs = self._offered(tensor, ended)
        wanted = self.dealer.outputs(self.inputs)
        found = dict(zip(wanted, await outputs_for(self.dut, self.inputs, *wanted), strict=True))
        for name, value in wanted.items():
            assert found[name] == value, f"{name} is {found[name]:#x}, not {value:#x}: {self.story}"
        self.dealer.step(self.inputs, found)
        if found["s_block_ready"]:
            self.inputs["s_block_valid"] = 0
        if found["s_word_ready"]:
            self.inputs["s_word_valid"] = 0

    @property
    def story(self) -> str:
        """Where the bench is, for a message."""
        dealer = self.dealer
        shown = {name: f"{value:#x}" for name, value in self.inputs.items()}
        block = dict(dealer.block.ports) if dealer.block else None
        return (
            f"cycle {self.cycle}, block {dealer.dealt} since the reset, {dealer.place} of its "
            f"words passed, inputs {shown}; the block: {block}"
        )


@cocotb.test()
async def deals_blocks_with_their_words_and_causes(dut):
    bench = DealBench(dut)
    start_clock(dut)
    for _ in range(TENSORS):
        await bench.reset(random.choice((1, 2)))
        tensor = any_tensor()
        for cycle in range(random.choice((5, 20, LONGEST))):
            await bench.step(tensor, ended=cycle >= tensor.end)


@cocotb.test()
async def passes_a_word_and_hands_over_a_block_in_every_cycle(dut):
    """One-word blocks for channels that always have room."""
    bench = DealBench(dut)
    start_clock(dut)
    await bench.reset(2)
    for turn in range(40):
        await FallingEdge(dut.clk)
        block = any_block(bench.widths)
        block |= {"s_block_words": 1, "s_block_code_words": 1, "s_block_implausible": 0}
        valid = {"s_block_valid": 1, "s_word_valid": 1, "s_word_ended": 0, "rst": 0}
        inputs = block | valid | {"s_word_data": turn, "room": (1 << bench.engines) - 1}
        names = ("s_block_ready", "s_word_ready", "word_valid", "block_valid", "word_data")
        *ready, word, handed, data = await outputs_for(dut, inputs, *names)
        assert ready == [1, int(turn > 0)], f"ready {ready} for block {turn} and a word"
        channel = 1 << (turn - 2) % bench.engines if turn > 1 else 0
        assert (word, handed) == (channel, channel), (
            f"{word:#b}, {handed:#b}, expected {channel:#b}"
        )
        assert turn < 2 or data == turn - 1, f"word {data}, expected {turn - 1}"
