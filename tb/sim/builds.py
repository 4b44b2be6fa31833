# SPDX-License-Identifier: Apache-2.0
"""Builds of designs, made once for each combination of sources, parameters, flags and tools.

A build lives in `build/sim/<simulator>/<top>-<key>/`. It is made beside that folder and moved
there when complete, under a lock: an interrupted build leaves nothing that looks finished, and
parallel test processes share one build.

Verilator's generated C++ is compiled here rather than by its make files. Its run-time library is
thus compiled once for all designs, which makes the build of a small module five times faster.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tb.sim.disk import raise_if_full
from tb.sim.paths import ROOT
from tb.sim.tools import Icarus, Simulator, ToolMissing, Verilator

BUILDS = ROOT / "build" / "sim"
WAIVERS = "lint_waivers.vlt"  # beside the modules that it is for
UNUSED_DAYS = 7
ESCAPE = re.compile(r"\\([0-3][0-7][0-7]|.)")
PREFIX = "Vtop"  # name of Verilator's top class; cocotb's main program expects it

Parameters = Mapping[str, int | str]


class BuildError(Exception):
    """The simulator or the compiler rejected the sources; the message has their output."""


@dataclass(frozen=True)
class Build:
    """One finished build of a design."""

    simulator: Simulator
    top: str
    folder: Path
    program: Path  # executable (Verilator) or byte code (Icarus)
    trace: bool
    coverage: bool = False


def parameter_flags(simulator: Simulator, top: str, parameters: Parameters) -> list[str]:
    """Command line flags that override the parameters of the top module."""
    head = f"-P{top}." if isinstance(simulator, Icarus) else "-G"
    quoted = {
        name: f'"{value}"' if isinstance(value, str) else str(int(value))
        for name, value in sorted(parameters.items())
    }
    return [f"{head}{name}={value}" for name, value in quoted.items()]


def cached(
    simulator: str, stem: str, facts: Iterable[object], make: Callable[[Path], None]
) -> Path:
    """The folder of a build, made by `make(folder)` unless one with the same facts exists.

    Args:
        simulator: subfolder of the cache.
        stem: start of the folder's name, for people.
        facts: everything the result depends on; files by their contents.
        make: fills the empty folder it is given; what it raises leaves no build behind.
    """
    folder = BUILDS / simulator / f"{stem}-{_key(facts)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        with FileLock(folder.with_name(folder.name + ".lock")):
            if not folder.is_dir():
                _make_folder(folder, make)
                _drop_unused(folder.parent, stem)
    os.utime(folder)
    return folder


def _make_folder(folder: Path, make: Callable[[Path], None]) -> None:
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        make(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(folder)


def _drop_unused(parent: Path, stem: str) -> None:
    """Remove builds of the same design that nothing has used for a week."""
    oldest = time.time() - UNUSED_DAYS * 24 * 3600
    for folder in parent.glob(f"{stem}-*"):
        if folder.is_dir() and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


def _key(facts: Iterable[object]) -> str:
    digest = hashlib.sha256()
    for fact in facts:
        data = fact.read_bytes() if isinstance(fact, Path) else str(fact).encode()
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()[:12]


def source_facts(sources: Sequence[Path]) -> list[object]:
    """What a build depends on in its sources: contents, order, headers beside them, waivers."""
    headers = sorted({header for source in sources for header in source.parent.glob("*.vh")})
    files = [*sources, *headers, *waivers(sources)]
    return [fact for path in files for fact in (path, path.name)]


def waivers(sources: Sequence[Path]) -> list[Path]:
    """The lint waivers of the sources: those of the folders that they are in."""
    files = {source.parent / WAIVERS for source in sources}
    return sorted(path for path in files if path.is_file())


def include_flags(sources: Sequence[Path]) -> list[str]:
    """Flags that find the headers beside the sources."""
    return [f"-I{folder}" for folder in sorted({source.parent for source in sources})]


def run_tool(command: Sequence[object], cwd: Path, environment: Mapping[str, str]) -> str:
    """Run one build step and return its output.

    Raises:
        BuildError: it failed; the message has the command and the output.
        OSError: the disk is full.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=environment, text=True, encoding="utf-8", errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    # Verilator ends well with half of its files.
    raise_if_full(cwd, done.stdout if done.returncode else "")
    if done.returncode:
        raise BuildError(
            f"{Path(words[0]).name} failed\n{done.stdout.strip()}\n  {' '.join(words)}"
        )
    return done.stdout


def compile_icarus(
    simulator: Icarus, top: str, sources: Sequence[Path], flags: Sequence[str], program: Path
) -> None:
    """Compile Verilog to vvp byte code."""
    command = [simulator.iverilog, "-g2005", "-o", program.name, "-s", top, *flags]
    run_tool([*command, *include_flags(sources), *sources], program.parent, os.environ)


def compile_verilator(
    simulator: Verilator,
    top: str,
    sources: Sequence[Path],
    flags: Sequence[str],
    program: Path,
    cxx_flags: Sequence[str],
    link_flags: Sequence[str] = (),
    main: Path | None = None,
    prelude: str = "",
) -> None:
    """Translate Verilog to C++ and compile that to an executable.

    Args:
        flags: for Verilator.
        program: the executable to write; its folder receives nothing else.
        cxx_flags: for the C++ compiler, generated code and run-time library alike.
        link_flags: for the linker, after the objects.
        main: C++ file with the main program, when Verilator does not write one (`--main`).
        prelude: C++ text before everything that Verilator writes.
    """
    work = program.parent / "obj"
    work.mkdir()
    command = [simulator.executable, "--cc", "--make", "json", "--prefix", PREFIX]
    command += ["--Mdir", work, "--top-module", top, "--default-language", "1364-2005", *flags]
    files = [*waivers(sources), *include_flags(sources), *sources]
    run_tool([*command, *files], work, simulator.environment())
    plan = read_plan(work / f"{PREFIX}.json")
    options = [*_cxx_options(plan, simulator), *cxx_flags]
    runtime = _runtime_library(simulator, plan, options)
    generated = sorted(path.name for path in work.glob(f"{PREFIX}*.cpp"))
    unity = work / "unity.cpp"
    includes = [*generated, *([str(main)] if main else [])]
    text = prelude + "".join(f'#include "{name}"\n' for name in includes)
    unity.write_text(text, encoding="utf-8")
    libraries = ["-lz", "-llz4"] if plan["options"]["trace_fst"] else []
    objects = sorted(runtime.glob("*.o"))
    command = [*simulator.cxx, *options, "-I.", "-o", program, unity, *objects]
    run_tool([*command, *link_flags, *libraries, "-lpthread"], work, os.environ)
    shutil.rmtree(work)


def read_plan(path: Path) -> dict:
    r"""What Verilator wrote for a build system.

    It is JSON but for its strings, which have each byte that is not printable ASCII as an octal
    escape: the letter \u00fc is \303\274.
    """
    text = ESCAPE.sub(_json_escape, path.read_text(encoding="utf-8"))
    return _with_text(json.loads(text))


def _json_escape(escape: re.Match[str]) -> str:
    return f"\\u{int(escape[1], 8):04x}" if len(escape[1]) == 3 else escape[0]


def _with_text(value: object) -> object:
    """A value of JSON whose strings are bytes, one a character, with what they say."""
    if isinstance(value, dict):
        return {key: _with_text(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_text(entry) for entry in value]
    return os.fsdecode(value.encode("latin-1")) if isinstance(value, str) else value


def _cxx_options(plan: dict, simulator: Verilator) -> list[str]:
    """The compiler options that Verilator's own make file would give."""
    options = plan["options"]
    defines = {
        "VERILATOR": 1,
        "VM_COVERAGE": options["coverage"],
        "VM_SC": 0,
        "VM_TIMING": options["use_timing"],
        "VM_TRACE": options["trace"],
        "VM_TRACE_FST": options["trace_fst"],
        "VM_TRACE_VCD": options["trace_vcd"],
        "VM_TRACE_SAIF": options["trace_saif"],
    }
    include = simulator.include
    return [
        "-std=gnu++20",
        *(f"-D{name}={int(value)}" for name, value in defines.items()),
        f"-I{include}",
        f"-I{include / 'vltstd'}",
    ]


def require_compiler(simulator: Verilator, folder: Path) -> None:
    """Check that the compiler builds a program in the C++ that Verilator writes.

    Raises:
        ToolMissing: it does not; the message has its first error.
    """
    program = "#include <coroutine>\nint main() {}\n"
    command = [*simulator.cxx, "-std=gnu++20", "-x", "c++", "-", "-o", folder / "probe"]
    done = subprocess.run(
        command, input=program, capture_output=True, text=True, encoding="utf-8", errors="replace"
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
        command = shlex.join(simulator.cxx)
        raise ToolMissing(f"{command} cannot build C++20 (GCC 11 can): {errors[0]}")
    (folder / "probe").unlink()


def _runtime_library(simulator: Verilator, plan: dict, options: Sequence[str]) -> Path:
    """Folder with the objects of Verilator's run-time library, compiled with `options`."""
    sources = [Path(source) for source in plan["sources"]["global"]]

    def compile_all(folder: Path) -> None:
        require_compiler(simulator, folder)

        def compile_one(source: Path) -> None:
            command = [*simulator.cxx, *options, "-c", source, "-o", folder / f"{source.stem}.o"]
            run_tool(command, folder, os.environ)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile_one, sources))

    facts = [simulator, *options, *sources]
    return cached(simulator.name, "runtime", facts, compile_all)
