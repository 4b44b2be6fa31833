"""Check all sources: Verilator, Icarus and Yosys on every hardware module, ruff on Python.

Each module is checked as the top with several sets of parameters, and every warning counts.
The waivers are all in `scripts/lint_waivers.vlt`, each with its reason.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from model.cli.progress import Progress
from scripts.rtl import ROOT, free_parameters, rtl_modules, rtl_sources, verilog_text
from scripts.simulators import Icarus, ToolMissing, Verilator, find_simulator
from scripts.simulators.builds import WAIVERS, Parameters, parameter_flags

SIZES = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "BLOCK_W", "IN_W", "OUT_W")
PARAMETER_SETS: tuple[Parameters, ...] = (
    {},  # the defaults
    dict(zip(SIZES, (2, 1, 1, 3, 3, 2, 1, 1), strict=True)),  # the smallest legal hardware
    dict(zip(SIZES, (5, 7, 9, 13, 24, 9, 5, 5), strict=True)),  # odd sizes
    dict(zip(SIZES, (16, 64, 14, 16, 64, 32, 33, 33), strict=True)),  # large ones
)
# The same for what holds blocks: memory words are powers of two there.
BLOCK_SIZES = (
    *("ENGINES", "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W"),
    *("PIECE_W", "WORD_W", "LANES", "BLOCK_VALUES"),
)
BLOCK_SETS: tuple[Parameters, ...] = (
    {},
    dict(zip(BLOCK_SIZES, (1, 1, 2, 1, 1, 3, 4, 16, 1, 1), strict=True)),
    dict(zip(BLOCK_SIZES, (3, 3, 5, 7, 9, 13, 16, 32, 4, 64), strict=True)),
    dict(zip(BLOCK_SIZES, (2, 8, 16, 64, 14, 16, 32, 64, 16, 4096), strict=True)),
)
PREAMBLE = ("`resetall", "`timescale 1ns / 1ps", "`default_nettype none")
FORBIDDEN = {
    r"\bcasex\b": "casex",
    r"\binitial\b": "initial block",
    r"#\s*\d": "delay",
}


@dataclass(frozen=True)
class Check:
    """One command whose warnings are findings."""

    name: str
    command: list[str]
    warning: str = r"(?i)\b(warning|error)\b"
    environment: dict[str, str] = field(default_factory=dict)

    def finding(self) -> str | None:
        """What the command complains about, None when it is content."""
        done = subprocess.run(
            self.command, cwd=ROOT, env={**os.environ, **self.environment},
            text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode == 0 and not re.search(self.warning, done.stdout):
            return None
        lines = done.stdout.strip().splitlines()[-25:] or [f"exit code {done.returncode}"]
        return "\n".join([f"{self.name}:", *(f"  {line}" for line in lines)])


def verilator_check(tool: Verilator, top: str, files: list[Path], parameters: Parameters) -> Check:
    """Verilator with every warning on."""
    command = [tool.executable, "--lint-only", "-Wall", "--default-language", "1364-2005"]
    command += ["--top-module", top, *parameter_flags(tool, top, parameters), WAIVERS, *files]
    environment = {"VERILATOR_ROOT": str(tool.root)}
    name = f"verilator {top} {describe(parameters)}"
    return Check(name, [str(word) for word in command], environment=environment)


def icarus_check(tool: Icarus, top: str, files: list[Path], parameters: Parameters) -> Check:
    """Icarus Verilog with every warning on, as Verilog-2005."""
    command = [tool.iverilog, "-g2005", "-Wall", "-t", "null", "-s", top]
    command += [*parameter_flags(tool, top, parameters), *files]
    return Check(f"iverilog {top} {describe(parameters)}", [str(word) for word in command])


def yosys_check(top: str, files: list[Path], parameters: Parameters) -> Check:
    """Yosys elaborates the module, finds no latch, no loop and no undriven net."""
    override = "".join(f" -chparam {name} {value}" for name, value in parameters.items())
    commands = [
        *(f'read_verilog "{path}"' for path in files),
        f"hierarchy -check -top {top}{override}",
        "proc",
        "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr",
        "check -assert",
    ]
    command = [sys.executable, "-m", "scripts.yosys", *commands]
    return Check(f"yosys {top} {describe(parameters)}", command, r"Warning:|ERROR:")


def describe(parameters: Parameters) -> str:
    """A parameter set for people."""
    return " ".join(f"{name}={value}" for name, value in parameters.items()) or "defaults"


def module_checks(top: str) -> Iterator[Check]:
    """Every tool on one module with every distinct parameter set."""
    verilator, icarus = find_simulator("verilator"), find_simulator("icarus")
    files = list(rtl_sources(top))
    known = free_parameters(files[0])
    seen: list[Parameters] = []
    for wanted in BLOCK_SETS if "BLOCK_VALUES" in known else PARAMETER_SETS:
        parameters = {name: value for name, value in wanted.items() if name in known}
        if parameters not in seen:
            seen.append(parameters)
            yield verilator_check(verilator, top, files, parameters)
            yield icarus_check(icarus, top, files, parameters)
            yield yosys_check(top, files, parameters)


def python_checks() -> Iterator[Check]:
    """Ruff's rules and its formatting."""
    ruff = [sys.executable, "-m", "ruff"]
    yield Check("ruff check", [*ruff, "check", "--quiet", "."], r"(?!)")
    yield Check("ruff format", [*ruff, "format", "--check", "--quiet", "."], r"(?!)")


def style_findings(path: Path) -> Iterator[str]:
    """House rules for one hardware file that no tool checks."""
    where, text = path.name, verilog_text(path)
    names = re.findall(r"\bmodule\s+(\w+)", text)
    if names != [path.stem]:
        yield f"{where}: holds module {', '.join(names) or 'nothing'}, not {path.stem}"
    if not has_preamble(text):
        yield f"{where}: does not start with {' '.join(PREAMBLE)}"
    if "verilator lint_off" in path.read_text():
        yield f"{where}: waives a warning by itself; waivers belong in {WAIVERS.name}"
    for pattern, what in FORBIDDEN.items():
        if re.search(pattern, re.sub(r"#\s*\(", "", text)):
            yield f"{where}: has a {what}"


def has_preamble(text: str) -> bool:
    """Whether the directives of the preamble come first, in order."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(lines[: len(PREAMBLE)]) == PREAMBLE


def main() -> int:
    """Exit code 0 when nothing was found, 1 with the findings, 2 when a tool is missing."""
    modules = rtl_modules()
    try:
        checks = [check for top in modules for check in module_checks(top)]
    except ToolMissing as error:
        print(f"lint: {error}", file=sys.stderr)
        return 2
    checks += python_checks()
    findings = [finding for path in modules.values() for finding in style_findings(path)]
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        Progress(*Progress.get_default_columns(), console=Console(), transient=True) as bar,
    ):
        results = pool.map(Check.finding, checks)
        findings += filter(None, bar.track(results, len(checks), description="lint"))
    for finding in findings:
        print(finding)
    print(f"lint: {len(modules)} modules, {len(checks)} checks, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
