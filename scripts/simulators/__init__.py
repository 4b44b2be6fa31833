"""Find the simulators, build designs with them once, and run cocotb tests and benches.

from scripts.simulators import build_bench, find_simulator, run_bench, run_cocotb
"""

from scripts.simulators.bench import BenchFailure, BenchRun, build_bench, run_bench
from scripts.simulators.builds import Build, BuildError, Parameters
from scripts.simulators.cocotb_run import (
    CocotbFailure,
    CocotbResult,
    CocotbRun,
    chosen_coverage,
    chosen_seed,
    chosen_simulator,
    chosen_waves,
    require_coverage,
    run_cocotb,
)
from scripts.simulators.tools import (
    SIMULATORS,
    Icarus,
    Simulator,
    ToolMissing,
    Verilator,
    find_simulator,
)

__all__ = [
    "SIMULATORS",
    "BenchFailure",
    "BenchRun",
    "Build",
    "BuildError",
    "CocotbFailure",
    "CocotbResult",
    "CocotbRun",
    "Icarus",
    "Parameters",
    "Simulator",
    "ToolMissing",
    "Verilator",
    "build_bench",
    "chosen_coverage",
    "chosen_seed",
    "chosen_simulator",
    "chosen_waves",
    "find_simulator",
    "require_coverage",
    "run_bench",
    "run_cocotb",
]
