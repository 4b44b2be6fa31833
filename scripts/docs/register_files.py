# SPDX-License-Identifier: Apache-2.0
"""Register maps as files for others: SystemRDL, and the C header that is made of it.

Both are written by `make docs` into docs/<system>/, for each module of rtl/ that states a map.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from peakrdl_cheader.c_standards import CStandard
from peakrdl_cheader.exporter import CHeaderExporter
from systemrdl import RDLCompiler

from tb.bus.register_map import MAP_BEGIN, Field, Register, read_map
from tb.sim.modules import rtl_modules
from tb.sim.paths import ROOT

DOCS = ROOT / "docs"
WHOLE = "VALUE"  # the field of a register that is one number
ACCESS = {
    "RO": "sw = r; hw = w;",
    "RW": "sw = rw; hw = r;",
    "WO": "sw = w; hw = r;",
    "W1C": "sw = rw; onwrite = woclr; hw = w;",
}
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
HEAD = """\
// Register map of {name}. Written by make docs from {source}.
// An address that is not in the map answers with an error.

addrmap {name} {{
    name = "{name}";
    default regwidth = 32;
    default accesswidth = 32;
"""


def system_rdl(name: str, registers: dict[str, Register], source: str) -> str:
    """A map of this name in SystemRDL 2.0; registers without fields get one. `source` has it."""
    parts = [LICENCE, HEAD.format(name=name, source=source)]
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
        return LICENCE + header.read_text(encoding="utf-8")


def register_files() -> dict[Path, str]:
    """Path and text of the files of every map."""
    files = {}
    for module, path in rtl_modules().items():
        if f"// ---- {MAP_BEGIN}" in path.read_text(encoding="utf-8"):
            source = str(path.relative_to(ROOT))
            rdl, header = (
                DOCS / path.parent.name / f"{module}.{ending}" for ending in ("rdl", "h")
            )
            files[rdl] = system_rdl(path.parent.name, read_map(path), source)
            files[header] = c_header(files[rdl], header.name)
    return files


def write_register_files() -> None:
    """Write them all."""
    for path, text in register_files().items():
        path.write_text(text, encoding="utf-8")
