# SPDX-License-Identifier: Apache-2.0
"""apack_piece_port: each stream's oldest piece at its turn, and who has taken or cleared it."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.bus.combinational import outputs_for, parameter
from tb.bus.cycles import start_clock

PARAMETERS = ("STREAMS", "PIECE_W")
SETS = {
    "three": (3, 8),
    "one": (1, 5),
    "four": (4, 16),
    "eight": (8, 3),
}

RUNS = 40
CYCLES = 40
OUTPUTS = ("s_take", "s_clear", "port_valid")


class PortBench:
    """Drives both sides, and knows what the port shows."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.streams, self.piece_w = parameter("STREAMS"), parameter("PIECE_W")
        self.turn = 0
        self.shown: int | None = None  # the piece that was chosen for the next cycle
        self.cycle = 0

    async def reset(self) -> None:
        """Nothing is shown after it, whatever is offered during it."""
        for _ in range(random.choice((1, 2))):
            await FallingEdge(self.dut.clk)
            await outputs_for(self.dut, self._pieces(1.0)[1] | {"rst": 1})
        self.shown = None

    def _pieces(self, filled: float) -> tuple[list[int | None], dict[str, int]]:
        """A piece or none of each stream, and the inputs that say so."""
        pieces = [
            random.getrandbits(self.piece_w) if random.random() < filled else None
            for _ in range(self.streams)
        ]
        valid = data = 0
        for stream, piece in enumerate(pieces):
            anything = random.getrandbits(self.piece_w)
            valid |= int(piece is not None) << stream
            data |= (anything if piece is None else piece) << stream * self.piece_w
        return pieces, {"s_valid": valid, "s_data": data}

    async def settle(self) -> None:
        """After a reset the port may name anything for a while, and no stream has a piece."""
        names = 1 << len(self.dut.port_stream)
        for _ in range(random.choice((0, 5))):
            port = {"port_stream": random.randrange(names), "port_clear": 0}
            await self._compare(port, None, 0.0)
        self.turn = random.randrange(self.streams)

    async def step(self, filled: float, ready: float, clear: float) -> None:
        """One cycle, compared; the stream after is at turn in the next."""
        port = {
            "port_stream": self.turn,
            "port_clear": int(random.random() < clear),
            "port_ready": int(random.random() < ready),
        }
        await self._compare(port, self.turn, filled)
        self.turn = (self.turn + 1) % self.streams

    async def _compare(self, port: dict[str, int], turn: int | None, filled: float) -> None:
        await FallingEdge(self.dut.clk)
        self.cycle += 1
        pieces, inputs = self._pieces(filled)
        port = {"rst": 0, "port_ready": random.getrandbits(1)} | port
        found = await outputs_for(self.dut, inputs | port, *OUTPUTS)
        shown = pieces[0] if self.streams == 1 else self.shown
        taken = port["port_ready"] and shown is not None
        bit = 0 if turn is None else 1 << turn
        wanted = [bit * taken, bit * port["port_clear"], int(shown is not None)]
        story = f"cycle {self.cycle}, stream {turn} at turn, pieces {pieces}, port {port}"
        assert found == wanted, f"{OUTPUTS} are {found}, expected {wanted}: {story}"
        if shown is not None:
            (data,) = await outputs_for(self.dut, {}, "port_data")
            assert data == shown, f"port_data is {data:#x}, expected {shown:#x}: {story}"
        self.shown = None if turn is None else pieces[(turn + 1) % self.streams]


@cocotb.test()
async def shows_each_stream_its_piece_at_its_turn(dut):
    bench = PortBench(dut)
    start_clock(dut)
    for _ in range(RUNS):
        await bench.reset()
        await bench.settle()
        parts = [random.choice((0.1, 0.5, 0.9)) for _ in range(3)]
        for _ in range(random.randint(1, CYCLES)):
            await bench.step(*parts)
