# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of one design: build it once, run it, and report failures for people."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import cocotb_tools.config
from cocotb_tools.runner import get_runner

from tb.sim import breakpoints
from tb.sim.builds import (
    ROOT,
    Build,
    Parameters,
    cached,
    compile_icarus,
    compile_verilator,
    parameter_flags,
    source_facts,
)
from tb.sim.disk import raise_if_full
from tb.sim.paths import relative, variable_of_test
from tb.sim.surroundings import clean, is_on
from tb.sim.tools import Icarus, Simulator, ToolMissing, find_simulator

VERILATOR_FLAGS = ["--exe", "--no-timing", "--vpi", "--x-initial", "unique"]
# Tests see what stands in the top module and nothing below, which Verilator is then free to
# optimise: builds of the large designs take a tenth of the time.
PUBLIC = '`verilator_config\npublic_flat_rw -module "{top}" -var "*"\n'
# Vectors of all engines and streams are wide; without the limit they would not be counted at all.
COVERAGE_FLAGS = ["--coverage-line", "--coverage-toggle", "--coverage-max-width", "4096"]
COVERAGE_FILE = "code_coverage.dat"
COVERED_BY = "code_coverage.test"  # beside it: the test, by its id of pytest
# Verilator 5.48 counts the toggles of a word of a vector over 64 bits for all words above it, too.
# This is how; the prelude is known to fit no other text.
TOGGLES_OF_5_48 = """\
static inline void VL_COV_TOGGLE_CHG_ST_W(const int width, uint32_t* covp, WDataInP newData,
                                          WDataInP oldData) {
    for (int i = 0; i < VL_WORDS_I(width); ++i) {
        const EData chgData = newData[i] ^ oldData[i];
        if (chgData) {
            for (int j = 0; j < width - i * VL_EDATASIZE; ++j) {
                *(covp + (i * VL_EDATASIZE + j) * 2 + ((newData[i] >> j) & 1))
                    += (chgData >> j) & 1;
            }
        }
    }
}
"""
COVERAGE_PRELUDE = """\
#include "verilated_cov.h"
static inline void toggles_of_words(int width, uint32_t* counts, WDataInP now, WDataInP before) {
    for (int word = 0; word < VL_WORDS_I(width); ++word) {
        EData changed = now[word] ^ before[word];
        for (int bit = word * VL_EDATASIZE; changed; ++bit, changed >>= 1) {
            counts[2 * bit + (VL_BITISSET_W(now, bit) ? 1 : 0)] += changed & 1;
        }
    }
}
#define VL_COV_TOGGLE_CHG_ST_W toggles_of_words
"""
CXX_FLAGS = ["-O1"]
# What counts is more code: to optimise it takes longer than it saves.
COVERAGE_CXX_FLAGS = ["-O0"]
# A simulation that hangs is ended after so many seconds; in a regression its job has the limit.
RUN_SECONDS: int | None = 900
LOG_LINES = 60
WAVES_MODULE = "waves"
SELECTABLE = re.compile(r"[\w:+.\-\[\]\\/]+")


class CocotbFailure(AssertionError):
    """Tests failed or the simulation died; the message has the seed and how to repeat it."""


@dataclass(frozen=True)
class CocotbResult:
    """The outcome of one cocotb test."""

    name: str
    passed: bool
    skipped: bool
    message: str
    seconds: float = 0.0
    module: str = ""
    ended_ns: float | None = None  # time of the simulation at which it ended


@dataclass(frozen=True)
class CocotbRun:
    """The outcome of one simulation with all its cocotb tests."""

    results: tuple[CocotbResult, ...]
    seed: int
    folder: Path
    log: Path
    waves: Path | None
    coverage: Path | None


def chosen_simulator() -> str:
    """The simulator that `make test SIM=...` asked for."""
    return os.environ.get("SIM") or "verilator"


def chosen_seed() -> int:
    """The seed of this test run."""
    return int(os.environ.get("SEED") or 0)


def chosen_waves() -> bool:
    """Whether this test run records waveforms."""
    return is_on(os.environ.get("WAVES"))


def chosen_coverage() -> bool:
    """Whether this test run counts which code ran."""
    return is_on(os.environ.get("COVERAGE"))


def chosen_debug() -> bool:
    """Whether this test run has a terminal, for a debugger, and as much time as it takes."""
    return is_on(os.environ.get("DEBUG"))


def run_cocotb(
    top: str,
    sources: Sequence[Path],
    test_module: str,
    parameters: Parameters,
    sim: str,
    seed: int,
    waves: bool = False,
    testcase: str | Sequence[str] | None = None,
    build_name: str | None = None,
    extra_env: Mapping[str, str] | None = None,
    coverage: bool = False,
) -> CocotbRun:
    """Build `top` (once) and run the cocotb tests of a module on it.

    Args:
        top: module under test.
        sources: its Verilog files, any order.
        test_module: dotted name of the Python module with the cocotb tests.
        parameters: values for parameters of `top`.
        sim: "icarus" or "verilator".
        seed: seed of Python's random generator in the tests; with Verilator also of the values
            that registers hold before reset, which are 0 with `coverage`.
        waves: record `waves.fst` in the run's folder.
        testcase: names of the cocotb tests to run; all when None.
        build_name: name of the run's folder under `build/test/<sim>/`; by default that of the
            pytest test, or of `top`.
        extra_env: environment of the simulation, for tests that take options.
        coverage: count lines, branches and toggles into `code_coverage.dat` in the run's folder.

    Raises:
        ToolMissing: no such simulator here, or it has no code coverage.
        BuildError: the sources are rejected.
        CocotbFailure: a test failed, none ran, or the simulation died or hung.
        OSError: the disk is full.
    """
    __tracebackhide__ = True
    if coverage:
        require_coverage(sim)
    build = build_cocotb(top, sources, parameters, find_simulator(sim), waves, coverage)
    folder = ROOT / "build" / "test" / sim / folder_name(build_name or _pytest_name() or top)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if coverage:
        (folder / COVERED_BY).write_text(_pytest_node() or "", encoding="utf-8")
    debug = chosen_debug()
    run = simulate_cocotb(
        build, folder, test_module, seed, testcase, extra_env, None if debug else RUN_SECONDS, debug
    )
    failed = [result for result in run.results if not result.passed and not result.skipped]
    if failed or not any(result.passed for result in run.results):
        raise_if_full(folder)
        raise CocotbFailure(_failure_message(sim, run, failed))
    return run


def require_coverage(sim: str) -> None:
    """Check that a simulator counts which code ran, in the way that is corrected here.

    Raises:
        ToolMissing: it does not, or is not there.
    """
    if sim == "icarus":
        raise ToolMissing("Icarus has no code coverage: COVERAGE=1 needs SIM=verilator")
    simulator = find_simulator(sim)
    if not counts_as_5_48(simulator.include / "verilated_cov.h"):
        raise ToolMissing(
            f"Verilator {simulator.version} counts toggles of wide vectors in another way than "
            "5.48, which COVERAGE=1 needs"
        )


def counts_as_5_48(header: Path) -> bool:
    """Whether a Verilator's header counts the toggles of wide vectors as that of 5.48 does."""
    if not header.is_file():
        return False
    text = " ".join(header.read_text(encoding="utf-8").split())
    return " ".join(TOGGLES_OF_5_48.split()) in text


def build_cocotb(
    top: str,
    sources: Sequence[Path],
    parameters: Parameters,
    simulator: Simulator,
    waves: bool = False,
    coverage: bool = False,
) -> Build:
    """Build `top` for cocotb, or find it already built; arguments as those of `run_cocotb`.

    Raises:
        BuildError: the sources are rejected.
    """
    files = [Path(source).resolve() for source in sources]
    flags = [
        *parameter_flags(simulator, top, parameters),
        *(COVERAGE_FLAGS if coverage else []),
    ]
    cxx_flags = COVERAGE_CXX_FLAGS if coverage else CXX_FLAGS
    prelude = COVERAGE_PRELUDE if coverage else ""
    if isinstance(simulator, Icarus):
        name, kind = "sim.vvp", ["icarus", waves]
    else:
        name, kind = (
            top,
            [*VERILATOR_FLAGS, *cxx_flags, PUBLIC, str(cocotb_tools.config.libs_dir), waves],
        )

    def make(folder: Path) -> None:
        if isinstance(simulator, Icarus):
            _make_icarus(simulator, top, files, flags, folder / name, waves)
        else:
            _make_verilator(simulator, top, files, flags, folder / name, waves, cxx_flags, prelude)

    facts = ["cocotb", simulator, top, *kind, *flags, *source_facts(files)]
    # A build that counts names its sources.
    facts += [prelude, *map(str, files)] if coverage else []
    folder = cached(simulator.name, top, facts, make)
    return Build(simulator, top, folder, folder / name, waves, coverage)


def _make_icarus(simulator, top, files, flags, program: Path, waves: bool) -> None:
    if waves:
        dump = program.parent / f"{WAVES_MODULE}.v"
        dump.write_text(
            f"module {WAVES_MODULE};\n"
            f'    initial begin $dumpfile("waves.fst"); $dumpvars(0, {top}); end\n'
            "endmodule\n",
            encoding="utf-8",
        )
        files, flags = [*files, dump], [*flags, "-s", WAVES_MODULE]
    compile_icarus(simulator, top, files, flags, program)


def _make_verilator(
    simulator, top, files, flags, program: Path, waves: bool, cxx_flags: list[str], prelude: str
) -> None:
    libraries = cocotb_tools.config.libs_dir
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    rpath = ["-Xlinker", "-rpath", "-Xlinker", str(libraries)]  # -Wl would part it at commas
    link_flags = [*rpath, f"-L{libraries}", "-lcocotbvpi_verilator"]
    public = program.parent / "public.vlt"
    public.write_text(PUBLIC.format(top=top), encoding="utf-8")
    trace = ["--trace-fst"] if waves else []
    compile_verilator(
        simulator, top, files, [*VERILATOR_FLAGS, *trace, *flags, str(public)], program,
        cxx_flags, link_flags, main, prelude,
    )  # fmt: skip


def simulate_cocotb(
    build: Build,
    folder: Path,
    test_module: str | Sequence[str],
    seed: int,
    testcase: str | Sequence[str] | None = None,
    extra_env: Mapping[str, str] | None = None,
    seconds: int | None = None,
    debug: bool = False,
) -> CocotbRun:
    """Run the cocotb tests of a module in an existing folder; what fails is in the results.

    Args:
        seconds: after which the simulation is ended; None for never.
        debug: leave the simulation this process's terminal, in place of a log.
    """
    log, results = folder / "sim.log", folder / "results.xml"
    waves = folder / "waves.fst" if build.trace else None
    coverage = folder / COVERAGE_FILE if build.coverage else None
    if isinstance(build.simulator, Icarus):
        test_args: list[str] = []
    else:
        reset_seed = seed % (2**31 - 1) + 1
        # From random values the bits of any register would toggle once, in its first reset.
        start = 0 if build.coverage else 2
        test_args = [f"+verilator+rand+reset+{start}", f"+verilator+seed+{reset_seed}"]
        test_args += ["--trace-file", str(waves)] if waves else []
        test_args += [f"+verilator+coverage+file+{coverage}"] if coverage else []
    environment = simulation_environment(extra_env or {}, seconds)
    if not debug:
        environment["PYTHONBREAKPOINT"] = breakpoints.REFUSE
    # For cocotb, any of these goes before its arguments.
    # The results file tells what failed, and its absence that the simulation died.
    with patch.dict(os.environ, environment, clear=True), suppress(SystemExit, RuntimeError):
        get_runner(build.simulator.name).test(
            test_module=test_module,
            hdl_toplevel=build.top,
            hdl_toplevel_lang="verilog",
            build_dir=build.folder,
            test_dir=folder,
            results_xml=str(results),
            seed=seed,
            testcase=testcase,
            test_args=test_args,
            waves=build.trace,
            log_file=None if debug else log,
        )
    return CocotbRun(read_results(results), seed, folder, log, waves, coverage)


def simulation_environment(extra: Mapping[str, str], seconds: int | None) -> dict[str, str]:
    """The environment of a simulation: what is in `extra`, and nothing that would change it.

    With a limit of `seconds`, the simulation ends with the process that started it, too.
    """
    environment = clean(os.environ)
    for name in ("WAVES", "COVERAGE", "TEST"):  # cocotb has its own meaning for some
        environment.pop(name, None)
    # cocotb has pytest rewrite assertions, for which no plugins of pytest need be loaded.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if seconds:
        limit = ["timeout", "--foreground", "--kill-after=10", str(seconds)]
        ends = ["setpriv", "--pdeathsig", "KILL"]
        present = [part for part in (ends, limit, ends) if shutil.which(part[0])]
        environment["SIM_CMD_PREFIX"] = " ".join(word for part in present for word in part)
    return {**environment, **extra}


def read_results(path: Path) -> tuple[CocotbResult, ...]:
    """What cocotb wrote about its tests; empty when it came to writing nothing."""
    try:
        return tuple(_read_case(case) for case in ElementTree.parse(path).iter("testcase"))
    except (FileNotFoundError, ElementTree.ParseError):
        return ()


def _read_case(case: ElementTree.Element) -> CocotbResult:
    problems = [*case.findall("failure"), *case.findall("error")]
    messages = [problem.get("message") or problem.text or "failed" for problem in problems]
    skipped = case.find("skipped") is not None
    seconds = float(case.get("time") or 0)
    name = case.get("name", "?")
    module = case.get("classname", "")
    stop = case.find("properties/property[@name='sim_time_stop']")
    ended = None if stop is None else float(stop.get("value", 0))
    return CocotbResult(name, not problems, skipped, "\n".join(messages), seconds, module, ended)


def _failure_message(sim: str, run: CocotbRun, failed: list[CocotbResult]) -> str:
    if failed:
        lines = [f"{result.name}: {result.message}" for result in failed]
        if any("BdbQuit" in result.message for result in failed) and not chosen_debug():
            lines.append(breakpoints.hint())  # a debugger that was called by name
    elif run.results:
        lines = ["every cocotb test was skipped"]
    else:
        lines = ["the simulation ended without results", *_end_of(run.log)]
    log = f", log {relative(run.log)}" if run.log.is_file() else ""
    waves = f", waveform {relative(run.waves)}" if run.waves else ""
    return "\n".join(
        [
            *lines,
            f"seed {run.seed}{log}{waves}",
            *_commands(sim, run.seed, _pytest_node()),
        ]
    )


def _commands(sim: str, seed: int, node: str | None) -> list[str]:
    """How the waveform of a failure is had, and how it is repeated: of this test and no other."""
    if node is None:
        return [f"repeat with: make test SIM={sim} SEED={seed}"]
    variables = f"SIM={sim} SEED={seed} {variable_of_test(node)}"
    return [f"see it with: make waves {variables}", f"repeat with: make test {variables}"]


def _end_of(log: Path) -> list[str]:
    if not log.is_file():
        return []
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]


def _pytest_name() -> str | None:
    """Name of the running pytest test, with its parameters."""
    node = _pytest_node()
    return node.rsplit("::", 1)[-1] if node else None


def _pytest_node() -> str | None:
    """Id of the running pytest test, without its phase."""
    node = os.environ.get("PYTEST_CURRENT_TEST")
    return node.rsplit(" ", 1)[0] if node else None


def folder_name(name: str) -> str:
    """The name of a test, or of a build, as the folder of its run is called."""
    return re.sub(r"[^\w.=-]+", "-", name).strip("-")
