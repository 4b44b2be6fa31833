"""Runs the cocotb tests of every APack module on the simulator of SIM, for several parameters.

The tests of module M are in tb/apack/M.py. One pytest test is one simulation: a module, one set
of parameters, all its cocotb tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.rtl import rtl_sources
from scripts.simulators import chosen_seed, chosen_simulator, chosen_waves, run_cocotb

HERE = Path(__file__).parent

# VALUE_W, SYMBOLS, COUNT_W, CODE_W, WORD_W, BLOCK_W of a coder
CODERS = {
    "default": (8, 16, 10, 16, 32, 24),
    "smallest": (2, 2, 1, 3, 3, 3),
    "narrow": (4, 5, 6, 8, 8, 6),
    "one-row": (12, 1, 4, 10, 16, 5),
    "wide": (16, 32, 14, 16, 64, 16),
    "long-code": (7, 11, 16, 20, 40, 10),
}
CODER_PARAMETERS = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "BLOCK_W")


LOOP_SOURCES = (HERE / "apack_loop.v", HERE / "bulk" / "apack_bulk_fifo.v")


def sources_of(top: str) -> list[Path]:
    """Verilog files of a module under test."""
    if top == "apack_loop":
        return [
            *LOOP_SOURCES,
            *sorted({*rtl_sources("apack_encoder"), *rtl_sources("apack_decoder")}),
        ]
    return list(rtl_sources(top))


def run(top: str, parameters: dict[str, int]) -> None:
    """Run the cocotb tests of one module."""
    run_cocotb(
        top,
        sources_of(top),
        f"tb.apack.{top}",
        parameters,
        chosen_simulator(),
        chosen_seed(),
        chosen_waves(),
    )


@pytest.mark.parametrize("widths", CODERS.values(), ids=CODERS)
@pytest.mark.parametrize("top", ["apack_encoder", "apack_decoder", "apack_loop"])
def test_coder(top: str, widths: tuple[int, ...]) -> None:
    run(top, dict(zip(CODER_PARAMETERS, widths, strict=True)))
