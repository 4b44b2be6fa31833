"""Run the tests: models, scripts and, on the chosen simulator, the hardware.

The seed of the random stimulus is drawn here once, so that one number reproduces a whole run.
Results go to build/test/<simulator>/junit.xml; the last line printed is pytest's.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

from scripts.simulators import SIMULATORS, ToolMissing, find_simulator

ROOT = Path(__file__).resolve().parent.parent
NOTHING_COLLECTED = 5
USAGE_ERROR = 4


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the test run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sim", default="verilator", choices=SIMULATORS)
    parser.add_argument("-k", dest="expression", help="run only what this expression selects")
    parser.add_argument("--seed", type=non_negative, help="seed of the random stimulus")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1)
    parser.add_argument("--waves", action="store_true", help="record FST waveforms")
    return parser.parse_args(arguments)


def non_negative(text: str) -> int:
    """An integer of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def positive(text: str) -> int:
    """An integer of 1 or more."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def pytest_command(options: argparse.Namespace) -> list[str]:
    """The pytest call that runs what `options` ask for."""
    junit = ROOT / "build" / "test" / options.sim / "junit.xml"
    command = [sys.executable, "-m", "pytest", f"--junitxml={junit}"]
    if options.expression:
        command += ["-k", options.expression]
    if options.jobs > 1:
        command += ["--numprocesses", str(options.jobs), "--dist", "worksteal"]
    return command


def test_environment(options: argparse.Namespace, seed: int) -> dict[str, str]:
    """Environment that tells the hardware tests their simulator, seed and waveforms."""
    environment = dict(os.environ)
    environment.update(SIM=options.sim, SEED=str(seed), WAVES=str(int(options.waves)))
    environment["PYTHONPATH"] = str(ROOT)
    return environment


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when every test passed, 1 when one failed, 2 when the run could not start."""
    options = parse_arguments(arguments)
    try:
        simulator = find_simulator(options.sim)
    except ToolMissing as error:
        print(f"test: {error}", file=sys.stderr)
        return 2
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"{simulator.banner}, SEED={seed}", flush=True)
    code = subprocess.run(
        pytest_command(options), cwd=ROOT, env=test_environment(options, seed)
    ).returncode
    if code == NOTHING_COLLECTED and options.expression:
        print(f"test: no test matches TEST={options.expression!r}", file=sys.stderr)
    return 2 if code in (NOTHING_COLLECTED, USAGE_ERROR) else code


if __name__ == "__main__":
    sys.exit(main())
