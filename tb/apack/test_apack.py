"""Runs the cocotb tests of every APack module on the simulator of SIM, for several parameters.

The tests of module M are in tb/apack/M.py. One pytest test is one simulation: a module, one set
of parameters, all its cocotb tests. ROUNDS=n in the environment makes the random ones longer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tb.sim.cocotb_run import (
    chosen_coverage,
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    run_cocotb,
)
from tb.sim.modules import rtl_sources

HERE = Path(__file__).parent
LOOP_SOURCES = (HERE / "apack_loop.v", HERE / "bulk" / "apack_bulk_fifo.v")

CODERS = ("apack_loop", "apack_decoder", "apack_encoder")
CODER_WIDTHS = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "BLOCK_W")
CODER_SETS = {
    "default": (8, 16, 10, 16, 32, 24),
    "smallest": (2, 2, 1, 3, 3, 3),
    "narrow": (4, 5, 6, 8, 8, 6),
    "one-row": (12, 1, 4, 10, 16, 5),
    "wide": (16, 32, 14, 16, 64, 16),
    "long-code": (7, 11, 16, 20, 40, 10),
}

# module -> parameters and the sets of their values
PARTS: dict[str, tuple[tuple[str, ...], list[tuple[int, ...]]]] = {
    "apack_scale": (("COUNT_W", "CODE_W"), [(10, 16), (1, 3), (6, 8), (16, 20)]),
    "apack_interval": (("COUNT_W", "CODE_W"), [(10, 16), (1, 3), (6, 8), (16, 20)]),
    "apack_renorm": (("CODE_W",), [(16,), (3,), (7,), (20,)]),
    "apack_leading_ones": (("IN_W",), [(16,), (1,), (7,), (20,), (32,)]),
    "apack_row_select": (("ROWS", "ROW_W"), [(16, 8), (1, 3), (11, 40), (32, 60)]),
    "apack_symbol_lookup": (
        ("VALUE_W", "SYMBOLS", "COUNT_W"),
        [(8, 16, 10), (2, 2, 1), (12, 1, 4), (16, 32, 14), (4, 5, 6)],
    ),
    "apack_symbol_search": (
        ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W"),
        [(8, 16, 10, 16), (2, 2, 1, 3), (12, 1, 4, 10), (16, 32, 14, 16), (4, 5, 6, 8)],
    ),
    "apack_table": (
        ("VALUE_W", "SYMBOLS", "COUNT_W"),
        [(8, 16, 10), (2, 2, 1), (12, 1, 4), (16, 32, 14), (4, 5, 6)],
    ),
    "apack_pending": (
        ("CODE_W", "WORD_W", "PENDING_W"),
        [(16, 32, 28), (3, 3, 5), (8, 16, 7), (16, 64, 6)],
    ),
    "apack_bit_packer": (("IN_W", "WORD_W"), [(8, 32), (32, 32), (2, 3), (5, 7)]),
    "apack_bit_unpacker": (("OUT_W", "WORD_W"), [(16, 32), (3, 3), (8, 16), (5, 9)]),
}


def sources_of(top: str) -> list[Path]:
    """Verilog files of a module under test."""
    if top != "apack_loop":
        return list(rtl_sources(top))
    return [*LOOP_SOURCES, *sorted({*rtl_sources("apack_encoder"), *rtl_sources("apack_decoder")})]


def run(top: str, names: tuple[str, ...], values: tuple[int, ...]) -> None:
    """Run the cocotb tests of one module."""
    run_cocotb(
        top,
        sources_of(top),
        f"tb.apack.{top}",
        dict(zip(names, values, strict=True)),
        chosen_simulator(),
        chosen_seed(),
        chosen_waves(),
        coverage=chosen_coverage(),
    )


@pytest.mark.parametrize("top", CODERS)
@pytest.mark.parametrize("values", CODER_SETS.values(), ids=CODER_SETS)
def test_coder(top: str, values: tuple[int, ...]) -> None:
    run(top, CODER_WIDTHS, values)


@pytest.mark.parametrize(
    ("top", "values"),
    [
        pytest.param(top, values, id="-".join(map(str, (top, *values))))
        for top, (_, sets) in PARTS.items()
        for values in sets
    ],
)
def test_part(top: str, values: tuple[int, ...]) -> None:
    run(top, PARTS[top][0], values)


def test_every_module_of_the_encoder_and_the_decoder_is_tested_on_its_own() -> None:
    """Whatever they are built from has its tests, under its own name."""
    modules = {path.stem for top in ("apack_encoder", "apack_decoder") for path in rtl_sources(top)}
    assert modules == {*PARTS, *CODERS} - {"apack_loop"}
    assert all((HERE / f"{name}.py").is_file() for name in modules)
