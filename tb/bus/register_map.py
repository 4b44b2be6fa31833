# SPDX-License-Identifier: Apache-2.0
"""A unit's register map, as the localparams of its Verilog and their comments state it.

    localparam [7:0] ADDRESS_STATUS = 8'h18;   // RO: what goes on
    localparam       STATUS_BUSY    = 0;       // bit: a tensor runs
    localparam       CODER_VALUE_W  = 0;       // field of 8 bits: VALUE_W

The lines stand between the comments `---- register map` and `---- end of the register map`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

MAP_BEGIN, MAP_END = "register map", "end of the register map"
LINE = re.compile(r"^\s*localparam\s+(?:\[7:0\]\s+)?(\w+)\s*=\s*(8'h[0-9A-F]{2}|\d+);\s*// (.*)$")
ADDRESS = "ADDRESS_"
ACCESS = re.compile(r"(RO|RW|WO|W1C): (.*)")
EXTENT = re.compile(r"(?:bit|field of (\d+) bits): (.*)")


@dataclass(frozen=True)
class Field:
    """Some bits of a register; `low` is the lowest of `width`."""

    name: str
    low: int
    width: int
    text: str

    def of(self, word: int) -> int:
        """What a register's content holds here."""
        return word >> self.low & ((1 << self.width) - 1)

    def at(self, value: int) -> int:
        """The content of a register that holds a value here and zeros elsewhere."""
        if value >> self.width:
            raise ValueError(f"{value} in the {self.width} bits of {self.name}")
        return value << self.low


@dataclass(frozen=True)
class Register:
    """One register; `access` is RO, RW, WO or W1C."""

    name: str
    address: int
    access: str
    text: str
    fields: dict[str, Field] = field(default_factory=dict)

    def names(self, word: int) -> set[str]:
        """Names of the single-bit fields that are set in a content."""
        return {name for name, bit in self.fields.items() if bit.width == 1 and bit.of(word)}

    def word(self, **values: int) -> int:
        """The content with these fields and zeros elsewhere."""
        return sum(self.fields[name].at(value) for name, value in values.items())


@cache
def read_map(path: Path) -> dict[str, Register]:
    """Every register of a Verilog file by name, in the order of the file.

    Raises ValueError for a line of the map that is none of the forms above.
    """
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(source: str, name: str = "register map") -> dict[str, Register]:
    """The register map of a Verilog source; `name` is what messages call it."""
    lines = source.splitlines()
    begin, end = (
        next(
            number
            for number, line in enumerate(lines)
            if line.lstrip().startswith(f"// ---- {mark}")
        )
        for mark in (MAP_BEGIN, MAP_END)
    )
    registers: dict[str, Register] = {}
    for number, line in enumerate(lines[begin + 1 : end], start=begin + 2):
        if line.strip():
            try:
                _parse_line(line, registers)
            except ValueError as error:
                raise ValueError(f"{name}, line {number}: {error}") from None
    return registers


def _parse_line(line: str, registers: dict[str, Register]) -> None:
    match = LINE.match(line)
    if not match:
        raise ValueError(f"not a line of the register map: {line.strip()}")
    name, number, comment = match.groups()
    if name.startswith(ADDRESS):
        access = ACCESS.fullmatch(comment)
        if not access:
            raise ValueError(f"{name} has no access")
        name = name.removeprefix(ADDRESS)
        registers[name] = Register(name, int(number.removeprefix("8'h"), 16), *access.groups())
        return
    register = list(registers.values())[-1]
    extent = EXTENT.fullmatch(comment)
    if not extent or not name.startswith(f"{register.name}_"):
        raise ValueError(f"{name} is no field of {register.name}")
    name = name.removeprefix(f"{register.name}_")
    register.fields[name] = Field(name, int(number), int(extent[1] or 1), extent[2])


def markdown(registers: dict[str, Register]) -> str:
    """A map as a Markdown table, a row for each register and each field."""
    rows = ["| address | register | bits | access | meaning |", "| --- | --- | --- | --- | --- |"]
    for register in registers.values():
        rows.append(
            f"| 0x{register.address:02X} | `{register.name}` | | {register.access} "
            f"| {register.text} |"
        )
        for part in register.fields.values():
            top = part.low + part.width - 1
            bits = f"{part.low}" if part.width == 1 else f"{top}..{part.low}"
            rows.append(f"| | `{part.name}` | {bits} | | {part.text} |")
    return "\n".join(rows) + "\n"
