"""The register map as files for others: SystemRDL, and the C header that is made of it.

Both are written by `make docs` into docs/, from the map that the Verilog states.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from peakrdl_cheader.c_standards import CStandard
from peakrdl_cheader.exporter import CHeaderExporter
from systemrdl import RDLCompiler

from scripts.rtl import ROOT
from tb.apack.registers import Field, Register, register_map

DOCS = ROOT / "docs"
RDL = DOCS / "apack_registers.rdl"
HEADER = DOCS / "apack_registers.h"
WHOLE = "VALUE"  # the field of a register that is one number
ACCESS = {
    "RO": "sw = r; hw = w;",
    "RW": "sw = rw; hw = r;",
    "WO": "sw = w; hw = r;",
    "W1C": "sw = rw; onwrite = woclr; hw = w;",
}
HEAD = """\
// Register map of {name}. Written by make docs from rtl/{name}/{name}_registers.v.
// An address that is not in the map answers with an error.

addrmap {name} {{
    name = "{name}";
    default regwidth = 32;
    default accesswidth = 32;
"""


def system_rdl(name: str, registers: dict[str, Register]) -> str:
    """A register map as an address map of SystemRDL 2.0; registers without fields get one."""
    parts = [HEAD.format(name=name)]
    for register in registers.values():
        fields = register.fields.values() or [Field(WHOLE, 0, 32, register.text)]
        parts.append(f"\n    reg {{\n        desc = {quoted(register.text)};\n")
        for access in ACCESS[register.access].split("; "):
            parts.append(f"        default {access.removesuffix(';')};\n")
        for part in fields:
            top = part.low + part.width - 1
            text = f" desc = {quoted(part.text)}; " if register.fields else ""
            parts.append(f"        field {{{text}}} {part.name}[{top}:{part.low}];\n")
        parts.append(f"    }} {register.name} @ 0x{register.address:02X};\n")
    return "".join([*parts, "};\n"])


def quoted(text: str) -> str:
    """A string of SystemRDL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def c_header(rdl: str, name: str) -> str:
    """The C header of a register map in SystemRDL, for C99 and C++; `name` is the file's.

    Raises:
        RDLCompileError: the map is no SystemRDL.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, header = Path(folder) / "map.rdl", Path(folder) / name
        source.write_text(rdl, encoding="utf-8")
        compiler = RDLCompiler()
        compiler.compile_file(str(source))
        CHeaderExporter().export(compiler.elaborate(), str(header), std=CStandard.gnu99)
        return header.read_text(encoding="utf-8")


def register_files() -> dict[Path, str]:
    """Path and text of both files."""
    rdl = system_rdl("apack", register_map())
    return {RDL: rdl, HEADER: c_header(rdl, HEADER.name)}


def write_register_files() -> None:
    """Write both files."""
    for path, text in register_files().items():
        path.write_text(text, encoding="utf-8")
