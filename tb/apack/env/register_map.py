# SPDX-License-Identifier: Apache-2.0
"""The register map of the compressor and the decompressor, read from its Verilog."""

from __future__ import annotations

from tb.bus.register_map import Register, read_map
from tb.sim.modules import rtl_modules


def register_map() -> dict[str, Register]:
    """Every register by name, in the order of the source."""
    return read_map(rtl_modules()["apack_registers"])
