# SPDX-License-Identifier: Apache-2.0
"""apack_piece_lane: the pieces of one bit stream after the other, none of the stream before."""

from __future__ import annotations

import random
from collections import deque

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("PIECES_AHEAD", "PIECE_W", "ADDRESS_W", "LEFT_W")
SETS = {
    "shallow": (2, 5, 6, 4),
    "deep": (4, 16, 9, 8),
}
ILLEGAL = {
    "PIECES_AHEAD": (1, 3),
}
MUTATED = "deep"

READ_CYCLES = (2, 1, 3)  # from a grant to its piece
RUN_CYCLES = 3000


class Lane:
    """What a lane must do: address and pieces left of its stream, pieces held and under way."""

    def __init__(self, depth: int, piece_w: int, read_cycles: int) -> None:
        self.depth = depth
        self.piece_w = piece_w
        self.open = False
        self.address = self.left = 0
        self.held: deque[int] = deque()
        self.coming: deque[tuple[int, int, bool] | None] = deque([None] * read_cycles)

    @property
    def room(self) -> int:
        """Pieces that may still be asked for."""
        return self.depth - len(self.held) - sum(bool(read and read[2]) for read in self.coming)

    def begin(self, address: int, left: int) -> None:
        """A stream begins."""
        self.open, self.address, self.left = True, address, left

    def grant(self, era: int) -> None:
        """A read starts, of a piece or of zeros."""
        self.coming[-1] = (random.getrandbits(self.piece_w) if self.left else 0, era, True)
        if self.left:
            self.address, self.left = self.address + 1, self.left - 1

    def clear(self) -> None:
        """The stream ends; what is under way still comes, for nobody."""
        self.open = False
        self.held.clear()
        self.coming = deque(read and (*read[:2], False) for read in self.coming)


@cocotb.test()
async def delivers_each_stream_and_nothing_of_the_one_before(dut):
    start_clock(dut)
    for read_cycles in READ_CYCLES:
        await deliver(dut, read_cycles)


async def deliver(dut, read_cycles: int) -> None:
    """Streams one after the other, compared in every cycle."""
    depth, piece_w = parameter("PIECES_AHEAD"), parameter("PIECE_W")
    address_w, left_w = parameter("ADDRESS_W"), parameter("LEFT_W")
    names = ("s_begin", "s_begin_address", "s_begin_left", "s_clear", "s_grant", "s_take")
    idle = dict.fromkeys((*names, "s_valid", "s_era", "s_data"), 0)
    await outputs_for(dut, idle | {"rst": 1})
    for _ in range(2):
        await FallingEdge(dut.clk)
    lane, pause, cleared = Lane(depth, piece_w, read_cycles), 0, False
    clears = 0.05
    for cycle in range(RUN_CYCLES):
        await FallingEdge(dut.clk)
        read = lane.coming.popleft()
        lane.coming.append(None)
        inputs = idle | {"rst": 0, "s_data": random.getrandbits(piece_w)}
        if read:
            inputs |= {"s_valid": 1, "s_data": read[0], "s_era": read[1]}
        names = ("m_want", "m_held", "m_era", "m_valid")
        want, held, era, valid = await outputs_for(dut, inputs, *names)
        room = lane.room - bool(read and read[2])
        story = f"cycle {cycle}, held {list(lane.held)}, coming {list(lane.coming)}"
        assert want == (lane.open and room > 0), f"m_want {want}: {story}"
        assert held == depth - room, f"m_held {held}: {story}"
        assert valid == bool(lane.held), f"m_valid {valid}: {story}"
        if valid:
            (data,) = await outputs_for(dut, {}, "m_data")
            assert data == lane.held[0], f"{data:#x}, expected {lane.held[0]:#x}: {story}"
        if lane.open:
            address, zero = await outputs_for(dut, {}, "m_address", "m_zero")
            assert zero == (lane.left == 0), f"m_zero {zero} with {lane.left} pieces left"
            wanted = lane.address % (1 << address_w)
            assert zero or address == wanted, f"{address:#x}, expected {wanted:#x}: {story}"
        pause = pause or random.choice((1, 5, 40))
        pause -= 1
        if not lane.open and not cleared and pause == 0:
            inputs["s_begin"] = 1
            inputs["s_begin_address"] = random.getrandbits(address_w)
            inputs["s_begin_left"] = random.choice(
                (
                    0,
                    1,
                    7,
                    (1 << left_w) - 1,
                    random.getrandbits(left_w),
                    1 << random.randrange(left_w),
                )
            )
            clears = random.choice((0.05, 0.002))
        elif lane.open:
            inputs["s_clear"] = int(random.random() < clears)
            inputs["s_grant"] = int(want and random.random() < 0.7)
            inputs["s_take"] = int(valid and random.random() < 0.6)
        await outputs_for(dut, inputs)
        if inputs["s_take"]:
            lane.held.popleft()
        if read and read[2]:
            lane.held.append(read[0])
        if inputs["s_grant"]:
            lane.grant(era)
        if inputs["s_begin"]:
            lane.begin(inputs["s_begin_address"], inputs["s_begin_left"])
        cleared = bool(inputs["s_clear"])
        if cleared:
            lane.clear()
