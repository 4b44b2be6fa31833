# SPDX-License-Identifier: Apache-2.0
"""What the surroundings of a command may decide, and what they may not.

A shell brings variables that other work needed: packages for another Python, options of pytest
and of cocotb, a notebook's plots. Here is the one list of those that would change what is run or
found, and the places that caches get where there is no home folder. Standard library only: it is
used before `.venv` exists.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tb.sim.paths import ROOT

CACHE = ROOT / "build" / "cache"

# Variables of other tools that would narrow, change or break what is run, by the start of their
# names; those of Python are set anew where they are needed.
FOREIGN_PREFIXES = (
    "COCOTB_", "GPI_", "PYGPI_", "LIBPYTHON_", "PYTEST_", "HYPOTHESIS_", "NUMBA_",
    "PYTHON", "COV_CORE_", "COVERAGE_",
)  # fmt: skip
FOREIGN = frozenset(
    ("MODULE", "TESTCASE", "TOPLEVEL", "TOPLEVEL_LANG", "RANDOM_SEED", "ROUNDS", "GUI",
     "SIM_CMD_PREFIX", "SIM_CMD_SUFFIX", "__PYVENV_LAUNCHER__")
)  # fmt: skip
# What says where things are, not what is to be done, and what a run tells its own parts.
KEPT = frozenset(
    ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER",
     "PYTHONBREAKPOINT",
     "PYTEST_CURRENT_TEST", "NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")
)  # fmt: skip
OFF = ("", "0", "false", "f", "no", "n", "off")


def is_on(text: str | None) -> bool:
    """Whether a variable such as WAVES is on: no, off, false, 0 and nothing, in any case, are not.

    Makefile has the same list.
    """
    return (text or "").strip().lower() not in OFF


def is_foreign(name: str) -> bool:
    """Whether an environment variable is one of those that no run may depend on."""
    return name in FOREIGN or (name.startswith(FOREIGN_PREFIXES) and name not in KEPT)


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what belongs to other work, with text in UTF-8 and plots in files."""
    kept = {name: value for name, value in environment.items() if not is_foreign(name)}
    return {
        **kept,
        "PYTHONUTF8": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "MPLBACKEND": "agg",
    }


def with_home(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment whose HOME is a folder that can be written: caches and settings go there."""
    home = environment.get("HOME", "")
    if home and Path(home).is_dir() and os.access(home, os.W_OK | os.X_OK):
        return dict(environment)
    own = CACHE / "home"
    own.mkdir(parents=True, exist_ok=True)
    return {**environment, "HOME": str(own)}
