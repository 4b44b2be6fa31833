# SPDX-License-Identifier: Apache-2.0
"""apack_block_check: the verdicts about blocks, whatever they use up, by sums and zlib's CRC."""

from __future__ import annotations

import random
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "VALUE_W", "CODE_W", "BLOCK_VALUES", "BITS_W")
SETS = {
    "two": (2, 4, 8, 8, 7),
    "smallest": (1, 2, 3, 1, 2),
    "eight-wide": (8, 12, 16, 64, 11),
    "long-blocks": (3, 16, 18, 4096, 17),
}
MEANINGFUL = (
    ("m_code_region", "m_code_done"),
    ("m_code_bad", "m_code_done"),
    ("m_value_region", "m_value_done"),
    ("m_offset_bad", "m_value_done"),
    ("m_crc_bad", "m_value_done"),
)

LONGEST = 12  # values of a block, most of the time
STRETCH = 500  # cycles at one pace
VERDICT_CYCLES = 2  # from a CLEAR to its verdicts


@dataclass(frozen=True)
class Value:
    """A value with what is known of its offset."""

    value: int
    offset_count: int
    illegal: bool

    @classmethod
    def any(cls, illegal: bool, least: int = 0) -> Value:
        """Any one with at least so many offset bits."""
        value_w = parameter("VALUE_W")
        return cls(random.getrandbits(value_w), random.randint(least, value_w), illegal)

    @property
    def inputs(self) -> dict[str, int]:
        """The value on the ports."""
        return {
            "s_value": self.value,
            "s_value_offset_count": self.offset_count,
            "s_value_illegal": self.illegal,
        }


@dataclass(frozen=True)
class Block:
    """A block: what is noted of it, and what it uses up."""

    region: int
    code_bits: int
    offset_bits: int
    crc: int
    shifts: tuple[int, ...]
    values: tuple[Value, ...]

    @classmethod
    def any(cls, region: int) -> Block:
        """One that is sound in any of its parts, or nearly."""
        most = parameter("BLOCK_VALUES")
        length = random.choice((0, 1, random.randint(1, min(most, LONGEST)), min(most, 64)))
        shifts = tuple(any_shifts(length))
        illegal = random.randrange(length) if length and random.random() < 0.2 else None
        least = random.choice((0, 0, 0, parameter("VALUE_W")))
        values = tuple(Value.any(place == illegal, least) for place in range(length))
        code, offset, code_w = sum(shifts), offset_sum(values), parameter("CODE_W")
        crc = crc_of(values) ^ random.choice((0, 1 << random.randrange(32)))
        code_bits = near(code if code == 0 else code - code_w + 2)
        return cls(region, code_bits, near(offset), crc, shifts, values)

    @property
    def code_bad(self) -> bool:
        """The shifts and 2 bits are not what is noted."""
        code_w = parameter("CODE_W")
        return sum(self.shifts) != (self.code_bits + code_w - 2 if self.code_bits else 0)

    @property
    def offset_bad(self) -> bool:
        """The widths are not what is noted, or an offset lies beyond its group."""
        illegal = any(value.illegal for value in self.values)
        return illegal or offset_sum(self.values) != self.offset_bits

    @property
    def crc_bad(self) -> bool:
        """The values are not those that the CRC is of."""
        return crc_of(self.values) != self.crc

    @property
    def inputs(self) -> dict[str, int]:
        """The note on the ports."""
        return {
            "s_block_valid": 1,
            "s_block_region": self.region,
            "s_block_code_bits": self.code_bits,
            "s_block_offset_bits": self.offset_bits,
            "s_block_crc": self.crc,
        }


def any_shifts(length: int) -> Iterator[int]:
    """Code bits of each slot of a block: CODE_W at first, then the shifts; none of a raw one."""
    code_w, kind = parameter("CODE_W"), random.choice(("raw", "full", "any", "any", "any"))
    if kind == "raw":
        yield from [0] * length
    elif kind == "full":
        yield from [code_w] * (length + 1)
    else:
        yield code_w
        for _ in range(length):
            yield random.randint(0, code_w)


def near(bits: int) -> int:
    """A number of bits, as it fits into a note, often with another bit than it should have."""
    bits_w = parameter("BITS_W")
    wrong = random.choice((0, 0, 1 << random.randrange(bits_w)))
    return random.choice((bits ^ wrong, bits ^ wrong, bits + 1, max(bits - 1, 0))) % (1 << bits_w)


def offset_sum(values: tuple[Value, ...]) -> int:
    """Offset bits of all values."""
    return sum(value.offset_count for value in values)


def crc_of(values: tuple[Value, ...]) -> int:
    """The CRC of a block's values (docs/apack/format.md, section 4)."""
    size = 2 if parameter("VALUE_W") > 8 else 1
    return zlib.crc32(b"".join(value.value.to_bytes(size, "little") for value in values))


def no_note(region: int) -> dict[str, int]:
    """Ports on which nothing is noted."""
    bits_w = parameter("BITS_W")
    return {
        "s_block_valid": 0,
        "s_block_region": region,
        "s_block_code_bits": random.getrandbits(bits_w),
        "s_block_offset_bits": random.getrandbits(bits_w),
        "s_block_crc": random.getrandbits(32),
    }


@dataclass
class UnderWay:
    """A block on one side of a stream: the slots that it still has there."""

    block: Block
    left: deque


@dataclass
class Side:
    """One side of the engine, on which the streams take turns."""

    streams: int
    turn: int = 0
    blocks: list[deque[UnderWay]] = field(default_factory=list)
    verdicts: deque[Block | None] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, with any stream."""
        self.turn = random.randrange(self.streams)
        self.blocks = [deque() for _ in range(self.streams)]
        self.verdicts = deque([None] * VERDICT_CYCLES)

    def slot(self, pace: float) -> tuple[Block | None, object, bool]:
        """The next slot: the stream's block, what it brings, and whether it is the CLEAR."""
        own = self.blocks[self.turn]
        self.turn = (self.turn + 1) % self.streams
        block = own[0].block if own else None
        if block is None or random.random() >= pace:
            self.verdicts.append(None)
            return block, None, False
        if own[0].left:
            self.verdicts.append(None)
            return block, own[0].left.popleft(), False
        own.popleft()
        self.verdicts.append(block)
        return block, None, True


class CheckBench:
    """Notes blocks, brings their slots on both sides, compares the verdicts in every cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.regions = parameter("STREAMS") + 1
        self.code, self.value = (Side(parameter("STREAMS")) for _ in range(2))
        self.judging: dict[int, int] = {}  # region: sides on which its block is not judged yet
        self.noting, self.pace = 1.0, 1.0

    async def run(self, cycles: int, resets: float) -> None:
        """Any blocks at any pace."""
        start_clock(self.dut)
        await outputs_for(self.dut, self._inputs() | {"rst": 1})
        for _ in range(2):
            await FallingEdge(self.dut.clk)
        self._forget()
        for cycle in range(cycles):
            await FallingEdge(self.dut.clk)
            if cycle % STRETCH == 0:
                self.noting, self.pace = random.choice((1, 0.1)), random.choice((1, 0.6, 0.2))
            rst = random.random() < resets
            await outputs_for(self.dut, self._inputs() | {"rst": int(rst)})
            story = f"cycle {cycle}"
            await self._compare(self.code, ("code", ("code_bad",)), story)
            await self._compare(self.value, ("value", ("offset_bad", "crc_bad")), story)
            if rst:
                self._forget()

    def _forget(self) -> None:
        self.code.forget()
        self.value.forget()
        self.judging.clear()

    def _inputs(self) -> dict[str, int]:
        """One cycle of all ports; a block that is noted begins in the next at the earliest."""
        inputs = self._code_inputs() | self._value_inputs()
        region = random.randrange(self.regions)
        if region in self.judging or random.random() >= self.noting:
            return inputs | no_note(region)
        block = Block.any(region)
        self.judging[region] = 2
        stream = random.randrange(len(self.code.blocks))
        self.code.blocks[stream].append(UnderWay(block, deque(block.shifts)))
        self.value.blocks[stream].append(UnderWay(block, deque(block.values)))
        return inputs | block.inputs

    def _code_inputs(self) -> dict[str, int]:
        block, count, clear = self.code.slot(self.pace)
        beside = random.randint(0, parameter("CODE_W")) if clear else 0
        return {
            "s_code_region": block.region if block else random.randrange(self.regions),
            "s_code_count": beside if count is None else count,
            "s_code_clear": clear,
        }

    def _value_inputs(self) -> dict[str, int]:
        block, value, clear = self.value.slot(self.pace)
        return (value or Value.any(random.random() < 0.5)).inputs | {
            "s_value_region": block.region if block else random.randrange(self.regions),
            "s_value_valid": random.getrandbits(1) if clear else value is not None,
            "s_value_clear": clear,
        }

    async def _compare(self, side: Side, ports: tuple[str, tuple[str, ...]], story: str) -> None:
        name, verdicts = ports
        block = side.verdicts.popleft()
        (done,) = await outputs_for(self.dut, {}, f"m_{name}_done")
        assert done == bool(block), f"{story}: m_{name}_done {done}, expected of {block}"
        if block is None:
            return
        wanted = {f"m_{name}_region": block.region}
        wanted |= {f"m_{verdict}": int(getattr(block, verdict)) for verdict in verdicts}
        found = await outputs_for(self.dut, {}, *wanted)
        for port, value in zip(wanted, found, strict=True):
            assert value == wanted[port], f"{story}: {port} {value}, not {wanted[port]}, of {block}"
        self.judging[block.region] -= 1
        if not self.judging[block.region]:
            del self.judging[block.region]


@cocotb.test()
async def judges_every_block(dut):
    await CheckBench(dut).run(4000, 0)


@cocotb.test()
async def forgets_all_blocks_in_a_reset(dut):
    await CheckBench(dut).run(2000, 0.03)
