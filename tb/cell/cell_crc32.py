# SPDX-License-Identifier: Apache-2.0
"""cell_crc32: one step of the CRC-32 against zlib's."""

from __future__ import annotations

import random
import zlib

import cocotb

from tb.bus.combinational import outputs_for, parameter

PARAMETERS = ("DATA_W",)
SETS = {
    "default": (8,),
    "smallest": (2,),
    "two-bytes": (9,),
    "wide": (16,),
}
ILLEGAL = {
    "DATA_W": (0, 17),
}


@cocotb.test()
async def matches_zlib_for_any_values(dut):
    value_w = parameter("DATA_W")
    size = 2 if value_w > 8 else 1
    for _ in range(40):
        values = [random.getrandbits(value_w) for _ in range(random.randint(1, 40))]
        crc = 0xFFFFFFFF
        for value in values:
            (crc,) = await outputs_for(dut, {"crc": crc, "data": value}, "next")
        wanted = zlib.crc32(b"".join(value.to_bytes(size, "little") for value in values))
        assert crc ^ 0xFFFFFFFF == wanted, f"{values}: {crc ^ 0xFFFFFFFF:08x}, not {wanted:08x}"
