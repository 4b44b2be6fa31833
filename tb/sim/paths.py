# SPDX-License-Identifier: Apache-2.0
"""Where the repository lies, and how its paths and tests are named on a command line.

Standard library only.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def relative(path: Path) -> str:
    """A path as it is seen from the repository, where it lies in it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def variable_of_test(node: str) -> str:
    """The variable of make that selects a test by its node id, for a command line of the shell."""
    quoted = node.replace("$", "$$").replace("'", "'\"'\"'")
    return f"TEST='{quoted}'"
