# SPDX-License-Identifier: Apache-2.0
"""The parser of the register map: what it reads, and what it refuses."""

from __future__ import annotations

import pytest

from tb.bus.register_map import markdown, parse

MAP = """
    // ---- register map ----
    localparam [7:0] ADDRESS_STATUS = 8'h1C;   // RO: what goes on
    localparam       STATUS_BUSY    = 0;       // bit: a tensor runs
    localparam       STATUS_LEVEL   = 4;       // field of 12 bits: how full
{more}
    // ---- end of the register map ----
    localparam [7:0] ADDRESS_OTHER  = 8'h20;   // no register
"""


def test_reads_addresses_access_and_fields():
    (status,) = parse(MAP.format(more="")).values()
    assert (status.name, status.address, status.access) == ("STATUS", 0x1C, "RO")
    assert status.text == "what goes on"
    assert status.word(BUSY=1, LEVEL=0xABC) == 0xABC1
    assert status.fields["LEVEL"].of(0xFABC1) == 0xABC
    assert status.names(0xFFF1) == {"BUSY"}
    with pytest.raises(ValueError, match="16 in the 1 bits of BUSY"):
        status.word(BUSY=16)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("localparam ADDRESS_X = 8'h20;", "not a line"),
        ("localparam [7:0] ADDRESS_X = 8'h20;  // what it is", "has no access"),
        ("localparam OTHER_X = 3;  // bit: of nothing", "no field of STATUS"),
        ("localparam STATUS_X = 3;  // 4 bits: unclear", "no field of STATUS"),
        ("reg x;", "not a line"),
    ],
)
def test_refuses_a_line_it_cannot_read(line, message):
    with pytest.raises(ValueError, match=f"line 6: .*{message}"):
        parse(MAP.format(more=line))


def test_markdown_has_a_row_for_each_register_and_field():
    table = markdown(parse(MAP.format(more=""))).splitlines()
    assert len(table) == 2 + 1 + 2
    assert table[2].startswith("| 0x1C | `STATUS` ") and "| `LEVEL` | 15..4 |" in table[4]
