# SPDX-License-Identifier: Apache-2.0
"""The register map of the tops has no two things in one place."""

from __future__ import annotations

from tb.apack.env.register_map import register_map


def test_the_map_has_no_two_registers_at_an_address_and_no_overlapping_fields():
    registers = register_map()
    addresses = [register.address for register in registers.values()]
    assert len(set(addresses)) == len(addresses)
    assert all(address % 4 == 0 for address in addresses)
    for register in registers.values():
        used = [
            bit
            for field in register.fields.values()
            for bit in range(field.low, field.low + field.width)
        ]
        assert len(set(used)) == len(used), register.name
        assert max(used, default=0) < 32, register.name
