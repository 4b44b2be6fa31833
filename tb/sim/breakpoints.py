# SPDX-License-Identifier: Apache-2.0
"""breakpoint() in a test: refused where nobody could answer its prompt."""

from __future__ import annotations

import os

from tb.sim.paths import variable_of_test

REFUSE = f"{__name__}.refuse"  # a value of PYTHONBREAKPOINT


class BreakpointRefused(RuntimeError):
    """breakpoint() was called in a run without a terminal; the message says how to have one."""


def refuse(*_: object, **__: object) -> None:
    """Stand in for the debugger.

    Raises:
        BreakpointRefused: always.
    """
    raise BreakpointRefused(hint())


def hint() -> str:
    """What to run for the prompt of a breakpoint in the running test."""
    node = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0] or "..."
    variables = [f"{name}={os.environ[name]}" for name in ("SIM", "SEED") if name in os.environ]
    words = ["make test", *variables, variable_of_test(node), "DEBUG=1"]
    return f"a breakpoint needs a terminal: {' '.join(words)}"
