# SPDX-License-Identifier: Apache-2.0
"""Check all sources: Verilator, Icarus, Yosys and slang on all hardware, ruff on Python.

Each module is checked as the top with its defaults and with every set of parameters that its bench
states, and every warning counts. The waivers are in `lint_waivers.vlt` beside the modules, each
with its reason. Verilator and Icarus read each module twice, as Verilog-2005 and, with its
defaults, as SystemVerilog, which most tools take it for unless told otherwise; slang (in Yosys) is
stricter than both about what stands before what. The Verilog of the benches must be both languages
too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from model.cli.progress import Progress
from scripts.console.arguments import OneLineParser, at_least
from tb.sim.builds import WAIVERS, Parameters, parameter_flags, waivers
from tb.sim.modules import free_parameters, rtl_modules, rtl_sources, verilog_text
from tb.sim.paths import ROOT
from tb.sim.sets import SetsError, bench_files, bench_of
from tb.sim.tools import Icarus, ToolMissing, Verilator, find_simulator

VERILATOR_LANGUAGES = ("1364-2005", "1800-2023")
ICARUS_LANGUAGES = ("-g2005", "-g2012")
SHOWN_LINES = 25  # of a finding, from its first warning on
SLANG_WARNINGS = ("-Wextra", "-Wpedantic", "-Wconversion")
# The house's rules for hardware alone, and those for the Verilog of the benches as well.
PREAMBLE = ("`resetall", "`timescale 1ns / 1ps", "`default_nettype none")
FORBIDDEN = {
    r"\bcasex\b": "casex",
    r"\binitial\b": "initial block",
    r"#\s*\d": "delay",
    r"@\s*\*": "@* in place of @(*)",
}
PROCESS = re.compile(r"\b(?:always(?:_comb|_ff|_latch)?|initial|final)\b")
SCOPE = re.compile(r"\b(?:begin|end|case[xz]?|endcase|else|fork|join(?:_any|_none)?)\b|[();]")
ROUTINE = re.compile(r"\b(function|task)\b.*?\bend\1\b", re.DOTALL)
STRING = re.compile(r'"(?:\\.|[^"\\])*"')
LOOP = re.compile(
    r"\bfor\s*\(\s*(?:(int|integer|reg|logic|byte|shortint|longint)\b[^=;]*?)?(\w+)\s*="
)
COUNTED = re.compile(r"\b(\w+)\s*=\s*\1\b")  # a variable that is changed from what it was


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
        lines = done.stdout.strip().splitlines() or [f"exit code {done.returncode}"]
        first = next((at for at, line in enumerate(lines) if re.search(self.warning, line)), None)
        if done.returncode == 0 and first is None:
            return None
        shown = lines[-SHOWN_LINES:] if first is None else lines[first : first + SHOWN_LINES]
        return "\n".join([f"{self.name}:", *(f"  {line}" for line in shown)])


def verilator_check(
    tool: Verilator,
    language: str,
    top: str,
    files: list[Path],
    parameters: Parameters,
    flags: tuple[str, ...] = ("-Wall",),
) -> Check:
    """Verilator, by default with every warning on."""
    command = [tool.executable, "--lint-only", *flags, "--default-language", language]
    command += ["--top-module", top, *parameter_flags(tool, top, parameters)]
    command += [*waivers(files), *files]
    environment = {"VERILATOR_ROOT": str(tool.root)}
    name = f"verilator {language} {top} {describe(parameters)}"
    return Check(name, [str(word) for word in command], environment=environment)


def icarus_check(
    tool: Icarus,
    language: str,
    top: str,
    files: list[Path],
    parameters: Parameters,
    flags: tuple[str, ...] = (),
) -> Check:
    """Icarus Verilog with every warning on."""
    command = [tool.iverilog, language, "-Wall", "-t", "null", "-s", top, *flags]
    command += [*parameter_flags(tool, top, parameters), *files]
    return Check(
        f"iverilog {language} {top} {describe(parameters)}", [str(word) for word in command]
    )


def slang_check(
    top: str,
    files: list[Path],
    parameters: Parameters,
    flags: tuple[str, ...] = SLANG_WARNINGS,
) -> Check:
    """The slang front-end of Yosys, as SystemVerilog.

    It splits its command at spaces, quoted or not, so that paths are those from where it runs.
    """
    values = [f"-G {name}={value}" for name, value in parameters.items()]
    sources = [os.path.relpath(path, ROOT) for path in files]
    command = " ".join(["read_slang", "--top", top, *flags, *values, *sources])
    return Check(
        f"slang {top} {describe(parameters)}",
        [sys.executable, "-m", "scripts.yosys", command],
        r"\bWarning:|ERROR:",
    )


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
    """Every tool on one module with each of its parameter sets."""
    verilator, icarus = find_simulator("verilator"), find_simulator("icarus")
    files = list(rtl_sources(top))
    for parameters in parameter_sets(top):
        # What a text is in a language does not depend on the parameters.
        languages = slice(1 if parameters else None)
        for language in VERILATOR_LANGUAGES[languages]:
            yield verilator_check(verilator, language, top, files, parameters)
        for language in ICARUS_LANGUAGES[languages]:
            yield icarus_check(icarus, language, top, files, parameters)
        yield yosys_check(top, files, parameters)
        yield slang_check(top, files, parameters)


def parameter_sets(top: str) -> Iterator[Parameters]:
    """The defaults of a module, and each set of its bench that is not those.

    Raises:
        SetsError: its bench does not state its sets as it should.
    """
    yield {}
    defaults = free_parameters(rtl_modules()[top])
    for parameters in bench_of(top).sets.values() if top in bench_files() else ():
        if {**defaults, **parameters} != defaults:
            yield parameters


def bench_verilog() -> list[Path]:
    """The Verilog of the benches: what surrounds a module in simulations and in proofs."""
    return sorted((ROOT / "tb").rglob("*.v"))


def bench_checks(path: Path) -> Iterator[Check]:
    """Every tool that reads both languages on one file of the benches.

    The style of hardware is not asked for there: benches read files and count in variables.
    """
    top = path.stem
    folders = {file.parent for file in (*rtl_modules().values(), *bench_verilog())}
    libraries: list[str] = []
    for folder in sorted(folders):
        libraries += ["-y", os.path.relpath(folder, ROOT)]
    for language in VERILATOR_LANGUAGES:
        flags = ("--timing", "-Wno-lint", "-Wno-style", *libraries)
        yield verilator_check(find_simulator("verilator"), language, top, [path], {}, flags)
    for language in ICARUS_LANGUAGES:
        yield icarus_check(find_simulator("icarus"), language, top, [path], {}, tuple(libraries))
    yield slang_check(top, [path], {}, ("--ast-compilation-only", *libraries))


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
    if "verilator lint_off" in path.read_text(encoding="utf-8"):
        yield f"{where}: waives a warning by itself; waivers belong in {WAIVERS}"
    for pattern, what in FORBIDDEN.items():
        if re.search(pattern, re.sub(r"#\s*\(", "", text)):
            yield f"{where}: has a {what}"


def process_findings(path: Path) -> Iterator[str]:
    """What a process shares with another one by mistake, in any Verilog file.

    A variable that counts the turns of a loop in two combinational processes makes each of them
    wake the other for ever, by the letter of IEEE 1364-2005, also through a function or a task
    that both call; and a process that waits for `@*` waits for other things than one with `@(*)`
    in old tools.
    """
    where, text = path.name, STRING.sub('""', verilog_text(path))
    routines = [routine[0] for routine in ROUTINE.finditer(text)]
    text = ROUTINE.sub(" ", text)
    if re.search(r"@\s*\*", text):
        yield f"{where}: has @*, which is written @(*)"
    counting: Counter[str] = Counter()  # processes that count in a variable of the module
    for block in (*processes(text), *routines):
        for kind, name in sorted(set(LOOP.findall(block))):
            if not kind and not declares(block, name):
                yield f"{where}: loop variable {name} is not declared in the block that uses it"
        counters = {name for name in loop_counters(block) if not declares(block, name)}
        counting.update(dict.fromkeys(counters, 2 if block in routines else 1))
    for name in sorted(name for name, users in counting.items() if users > 1):
        yield f"{where}: loops of several blocks count in {name}; each declares its own"


def loop_counters(block: str) -> set[str]:
    """Variables that a block with `while`, `repeat` or `forever` counts in, for places or turns."""
    if not re.search(r"\b(?:while|repeat|forever)\b", block):
        return set()
    uses = "".join(re.findall(r"\[[^\]]*\]|\bwhile\s*\((?:[^()]|\([^()]*\))*\)", block))
    return {name for name in COUNTED.findall(block) if re.search(rf"\b{name}\b", uses)}


def processes(text: str) -> Iterator[str]:
    """Each `always` and `initial` of a Verilog text without comments, to its end."""
    for start in PROCESS.finditer(text):
        depth = 0
        for token in SCOPE.finditer(text, start.end()):
            word = token[0]
            depth += word in ("(", "begin", "fork") or word.startswith("case")
            depth -= word in (")", "end", "endcase") or word.startswith("join")
            ends = word == ";" or word.startswith(("end", "join"))
            if ends and depth == 0 and not re.match(r"\s*else\b", text[token.end() :]):
                yield text[start.start() : token.end()]
                break


def declares(text: str, name: str) -> bool:
    """Whether a block declares a variable of this name; a function's own name is one."""
    kinds = r"\b(?:integer|reg|logic|int|byte|shortint|longint|input|output|inout|function)\b"
    return re.search(rf"{kinds}[^;=()]*\b{name}\b", text) is not None


def has_preamble(text: str) -> bool:
    """Whether the directives of the preamble come first, in order."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(lines[: len(PREAMBLE)]) == PREAMBLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when nothing was found, 1 with the findings, 2 when it cannot be told."""
    parser = OneLineParser("lint", description=__doc__)
    parser.add_argument("--jobs", type=at_least(1), default=os.cpu_count(), help="checks at once")
    jobs = parser.parse_args(arguments).jobs
    modules, benches = rtl_modules(), bench_verilog()
    try:
        checks = [check for top in modules for check in module_checks(top)]
        checks += [check for path in benches for check in bench_checks(path)]
    except (ToolMissing, SetsError) as error:
        print(f"lint: {error}", file=sys.stderr)
        return 2
    checks += python_checks()
    findings = [finding for path in modules.values() for finding in style_findings(path)]
    for path in (*modules.values(), *benches):
        findings += process_findings(path)
    with (
        ThreadPoolExecutor(jobs) as pool,
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
