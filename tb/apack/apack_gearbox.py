"""apack_gearbox: pieces of any size to words, in order, each bit string padded at its end."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tb.apack.combinational import outputs_for, parameter
from tb.apack.streams import start_clock


def words_of(bits: str, width: int) -> list[tuple[int, int]]:
    """The words of a bit string, each with whether it is the last."""
    words = [bits[at : at + width].ljust(width, "0") for at in range(0, len(bits), width)]
    return [(int(word, 2), int(at == len(words) - 1)) for at, word in enumerate(words)]


async def reset(dut) -> None:
    """Empty the gearbox."""
    dut.rst.value = 1
    dut.s_valid.value = 0
    for _ in range(2):
        await FallingEdge(dut.clk)
    dut.rst.value = 0


@cocotb.test()
async def repacks_bit_strings(dut):
    start_clock(dut)
    for strings in (400, *(20 * (2,))):
        await repack(dut, strings)


async def repack(dut, bit_strings: int) -> None:
    """Send some bit strings after a reset in the middle of another one, and compare the words."""
    in_w, out_w = parameter("IN_W"), parameter("OUT_W")
    await outputs_for(dut, {"s_data": random.getrandbits(in_w), "s_count": in_w, "s_valid": 1})
    await FallingEdge(dut.clk)
    await reset(dut)
    pieces: list[tuple[str, int]] = []
    wanted: list[tuple[int, int]] = []
    for _ in range(bit_strings):
        counts = [
            random.choice((in_w, random.randint(1, in_w))) for _ in range(random.randint(1, 9))
        ]
        strings = ["".join(random.choices("01", k=count)) for count in counts]
        pieces += [(string, int(at == len(strings) - 1)) for at, string in enumerate(strings)]
        wanted += words_of("".join(strings), out_w)
    offered = False
    idle = 0
    while wanted:
        await FallingEdge(dut.clk)
        offered = bool(pieces) and (offered or random.random() < 0.8)
        string, last = pieces[0] if pieces else ("", 0)
        inputs = {
            "s_data": int(string.ljust(in_w, "0") or "0", 2),
            "s_count": len(string),
            "s_last": last,
            "s_valid": int(offered),
            "m_ready": int(random.random() < 0.8),
        }
        ready, valid = await outputs_for(dut, inputs, "s_ready", "m_valid")
        if valid and inputs["m_ready"]:
            found = tuple(await outputs_for(dut, {}, "m_data", "m_last"))
            assert found == wanted.pop(0), f"{found}, {len(wanted)} words before the end"
        if offered and ready:
            pieces.pop(0)
            offered = False
        idle = 0 if valid or ready else idle + 1
        assert idle < 50, f"hang with {len(wanted)} words to come"
    assert not pieces


@cocotb.test()
async def passes_whole_words_every_cycle(dut):
    in_w, out_w = parameter("IN_W"), parameter("OUT_W")
    if in_w < out_w:
        return  # no piece is a whole word here
    start_clock(dut)
    await reset(dut)
    for word in range(20):
        inputs = {"s_data": 1 << (in_w - 1), "s_count": out_w, "s_last": word % 3 == 0}
        (ready,) = await outputs_for(dut, inputs | {"s_valid": 1, "m_ready": 1}, "s_ready")
        assert ready == 1, f"word {word} has to wait"
        await FallingEdge(dut.clk)
        (valid,) = await outputs_for(dut, {}, "m_valid")
        assert valid == 1, f"word {word} does not show in the next cycle"
