"""Runs the cocotb tests of the memories, registers, stream and block parts of the tops.

The tests of module M are in tb/apack/M.py. One pytest test is one simulation: a module, one set
of parameters, all its cocotb tests.
"""

from __future__ import annotations

import pytest

from tb.sim.cocotb_run import (
    chosen_coverage,
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    run_cocotb,
)
from tb.sim.modules import rtl_sources

REGISTER_WIDTHS = (
    "DECOMPRESSOR", "ENGINES", "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W",
    "LANES", "BLOCK_VALUES", "BITS_W",
)  # fmt: skip

# module -> parameters and the sets of their values
PARTS: dict[str, tuple[tuple[str, ...], list[tuple[int, ...]]]] = {
    "apack_crc": (("VALUE_W",), [(8,), (2,), (9,), (16,)]),
    "apack_skid": (("DATA_W",), [(9,)]),
    "apack_read_buffer": (("DATA_W",), [(9,)]),
    "apack_ram": (("DEPTH", "LANES", "LANE_W"), [(1, 1, 3), (24, 4, 16)]),
    "apack_block_ram": (("REGIONS", "WORDS", "LANES", "LANE_W"), [(1, 1, 1, 2), (5, 7, 3, 4)]),
    "apack_gearbox": (("IN_W", "OUT_W"), [(64, 64), (128, 64), (12, 16), (5, 1), (40, 16)]),
    "apack_region_track": (("STREAMS",), [(1,), (3,), (8,)]),
    "apack_block_queue": (("STREAMS", "DATA_W"), [(1, 3), (3, 9), (8, 16)]),
    # The first has words at the end of a region's address range that are the next region's.
    "apack_block_store": (
        ("STREAMS", "VALUE_W", "PIECE_W", "WORD_W", "BLOCK_VALUES", "BITS_W"),
        [
            (5, 9, 4, 16, 32, 9),
            (1, 2, 8, 8, 8, 7),
            (2, 9, 16, 16, 8, 8),
            (4, 8, 16, 64, 32, 10),
            (8, 16, 32, 64, 16, 9),
        ],
    ),
    "apack_block_feed": (
        ("STREAMS", "VALUE_W", "LANES", "BLOCK_VALUES"),
        [(5, 5, 4, 16), (1, 2, 1, 8), (3, 16, 8, 8), (8, 9, 2, 32)],
    ),
    "apack_piece_lane": (
        ("DEPTH", "PIECE_W", "ADDRESS_W", "LEFT_W"),
        [(2, 5, 6, 4), (4, 16, 9, 8)],
    ),
    "apack_slot_sequence": (
        ("STREAMS", "BLOCK_W"),
        [(3, 5), (1, 1), (2, 2), (8, 13)],
    ),
    "apack_block_check": (
        ("STREAMS", "VALUE_W", "CODE_W", "BLOCK_VALUES", "BITS_W"),
        [(2, 4, 8, 8, 7), (1, 2, 3, 1, 2), (8, 12, 16, 64, 11), (3, 16, 18, 4096, 17)],
    ),
    "apack_block_drain": (
        ("STREAMS", "VALUE_W", "LANES", "BLOCK_VALUES"),
        [(2, 3, 2, 8), (1, 2, 1, 1), (6, 12, 8, 8), (4, 8, 8, 4096)],
    ),
    "apack_entry_check": (
        ("VALUE_W", "WORD_W", "BLOCK_VALUES"),
        [(8, 64, 128), (5, 16, 32), (3, 32, 4), (16, 64, 4096)],
    ),
    "apack_block_deal": (
        ("ENGINES", "VALUE_W", "WORD_W", "BLOCK_VALUES"),
        [(3, 5, 16, 32), (1, 8, 64, 128), (4, 16, 32, 4), (64, 2, 16, 8)],
    ),
    "apack_piece_port": (("STREAMS", "PIECE_W"), [(3, 8), (1, 5), (4, 16), (8, 3)]),
    "apack_piece_fetch": (
        ("STREAMS", "PIECE_W", "PIECES", "DEPTH", "REGION_WORDS"),
        [(3, 4, 4, 4, 5), (1, 16, 1, 2, 3), (2, 8, 8, 4, 16), (8, 5, 2, 2, 7)],
    ),
    # The last has blocks of so many bits that BITS overflows.
    "apack_registers": (
        REGISTER_WIDTHS,
        [
            (1, 1, 4, 8, 16, 10, 16, 64, 8, 4096, 46),
            (0, 1, 1, 2, 1, 1, 3, 16, 1, 8, 5),
            (1, 64, 8, 16, 255, 16, 32, 64, 128, 65536, 47),
        ],
    ),
}


@pytest.mark.parametrize(
    ("top", "values"),
    [
        pytest.param(top, values, id="-".join(map(str, (top, *values))))
        for top, (_, sets) in PARTS.items()
        for values in sets
    ],
)
def test_part(top: str, values: tuple[int, ...]) -> None:
    run_cocotb(
        top,
        rtl_sources(top),
        f"tb.apack.{top}",
        dict(zip(PARTS[top][0], values, strict=True)),
        chosen_simulator(),
        chosen_seed(),
        chosen_waves(),
        coverage=chosen_coverage(),
    )
