# SPDX-License-Identifier: Apache-2.0
"""The register map as SystemRDL and as a C header is that of the Verilog; the example runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from systemrdl import RDLCompileError, RDLCompiler
from systemrdl.rdltypes import OnWriteType

from scripts.docs.register_files import DOCS, WHOLE, c_header, register_files, system_rdl
from tb.apack.env.register_map import register_map
from tb.bus.register_map import parse

PAGE = DOCS / "apack" / "architecture.md"
RDL, HEADER = (DOCS / "apack" / f"apack_registers.{ending}" for ending in ("rdl", "h"))
COMPILERS = {"C": ("gcc", "-std=c99"), "C++": ("g++", "-std=c++11", "-x", "c++")}
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")
# (readable, writable, what a write does) of a field, as software sees it
ACCESS = {
    "RO": (True, False, None),
    "RW": (True, True, None),
    "WO": (False, True, None),
    "W1C": (True, True, OnWriteType.woclr),
}
# A unit that has this table and keeps a count of bits; it prints what is written to it.
UNIT = """
#include <assert.h>
#include <stdio.h>

void reg_write(size_t offset, uint32_t data) { printf("%zx %x\\n", offset, (unsigned)data); }

uint32_t reg_read(size_t offset)
{
    switch (offset) {
    case REG(STATUS): return APACK__STATUS__TABLE1_VALID_bm;
    case REG(EVENTS): return APACK__EVENTS__DONE_bm;
    case REG(BITS_LO): return 7;
    case REG(BITS_HI): return 5;
    default: return 0;
    }
}

void stream_tensor(void) { printf("stream\\n"); }

int main(void)
{
    static const uint16_t base[] = { 0, 0x80 };
    static const uint32_t cum[] = { 0, 512, 1024 };
    int64_t none = run_tensor(base, cum, 2, 0, 1);

    assert(none == -1);
    printf("bank 1\\n");
    assert(run_tensor(base, cum, 2, 1, 0x300000009) == 0x500000007);
    return 0;
}
"""


def test_files_are_those_of_the_verilog() -> None:
    files = register_files()
    assert {RDL, HEADER} <= set(files)
    old = [path.name for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    assert not old, f"{old} are old: make docs"


def test_the_systemrdl_has_every_address_field_and_access() -> None:
    compiler = RDLCompiler()
    compiler.compile_file(str(RDL))
    found = {}
    for register in compiler.elaborate().top.registers():
        fields = {
            part.inst_name: (part.low, part.width, part.get_property("desc"), access(part))
            for part in register.fields()
        }
        text = register.get_property("desc")
        found[register.inst_name] = (register.absolute_address, register.size, text, fields)
    wanted = {}
    for name, register in register_map().items():
        its = ACCESS[register.access]
        fields = {
            part.name: (part.low, part.width, part.text, its) for part in register.fields.values()
        }
        whole = {WHOLE: (0, 32, None, its)}
        wanted[name] = (register.address, 4, register.text, fields or whole)
    assert found == wanted


def access(part) -> tuple:
    return part.is_sw_readable, part.is_sw_writable, part.get_property("onwrite")


def test_a_map_that_is_no_systemrdl_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    lines = ("// ---- register map", "// ---- end of the register map")
    source = "localparam [7:0] ADDRESS_{} = 8'h{};  // RO: \"a\\"
    twice = "\n".join([lines[0], source.format("A", "00"), source.format("B", "00"), lines[1]])
    rdl = system_rdl("unit", parse(twice), "unit.v")
    assert "from unit.v." in rdl
    assert r'desc = "\"a\\";' in rdl
    with pytest.raises(RDLCompileError):
        c_header(rdl, "unit.h")
    assert "overlaps" in capfd.readouterr().err
    assert "A;" in c_header(rdl.replace("B @ 0x00", "B @ 0x04"), "unit.h")


@pytest.mark.parametrize("language", COMPILERS)
def test_the_header_has_every_offset_and_mask(language: str, tmp_path: Path) -> None:
    checks = [f"sizeof(apack_t) == {max(one.address for one in register_map().values()) + 4}"]
    for register in register_map().values():
        checks.append(f"offsetof(apack_t, {register.name}) == {register.address}")
        for part in register.fields.values():
            name = f"APACK__{register.name}__{part.name}"
            checks.append(f"{name}_bm == {((1 << part.width) - 1) << part.low}u")
            checks.append(f"{name}_bp == {part.low} && {name}_bw == {part.width}")
    lines = [f'#include "{HEADER.name}"', "#include <stddef.h>", "#include <stdio.h>"]
    lines += ["int main(void)", "{", "    int wrong = 0;"]
    lines += [f'    if (!({check})) wrong += !!puts("{check}");' for check in checks]
    lines += ["    return wrong != 0;", "}", ""]
    assert len(checks) > 100
    assert compiled(language, "\n".join(lines), tmp_path) == ""


@pytest.mark.parametrize("language", COMPILERS)
def test_the_programming_example_writes_what_the_page_says(language: str, tmp_path: Path) -> None:
    (example,) = re.findall(r"```c\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = compiled(language, example + UNIT, tmp_path).splitlines()
    names = {f"{one.address:x}": name for name, one in register_map().items()}
    found = [(names.get(line.split()[0], line), line.split()[-1]) for line in lines]
    registers = register_map()

    def rows(bank: int) -> list[tuple[str, str]]:
        row = registers["TABLE_CUM"].word
        first, last = row(CUM=512, BANK=bank), row(CUM=1024, BANK=bank, LAST=1)
        return [
            ("TABLE_BASE", "0"),
            ("TABLE_CUM", f"{first:x}"),
            ("TABLE_BASE", "80"),
            ("TABLE_CUM", f"{last:x}"),
        ]

    enabled = registers["EVENTS"].word(DONE=1, ABORTED=1, BLOCK_BAD=1)
    start = registers["CONTROL"].word(START=1, BANK=1)
    assert found == [
        *rows(0),
        ("bank 1", "1"),
        *rows(1),
        ("BLOCK", f"{1024:x}"),
        ("VALUES_LO", "9"),
        ("VALUES_HI", "3"),
        ("IRQ_ENABLE", f"{enabled:x}"),
        ("CONTROL", f"{start:x}"),
        ("stream", "stream"),
        ("EVENTS", "1"),
    ]


def compiled(language: str, text: str, folder: Path) -> str:
    """What a program with the header prints, compiled without a warning."""
    compiler, *options = COMPILERS[language]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is missing")
    source, program = folder / "program.c", folder / "program"
    source.write_text(text, encoding="utf-8")
    command = [compiler, *options, *WARNINGS, f"-I{HEADER.parent}", str(source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run([str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
