# SPDX-License-Identifier: Apache-2.0
"""What both kinds of coverage ask of the runs they add up."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from scripts.runs.collect import SelectionError, collect

WITHOUT_CODE = "without_code.json"  # tests that ran with coverage and simulate nothing that counts


class CoverageError(ValueError):
    """Coverage that cannot be read; the message is one line."""


def tests_there(simulator: str) -> set[str]:
    """The hardware tests that pytest collects, by their ids.

    Raises:
        CoverageError: pytest cannot collect them.
    """
    try:
        return set(collect(None, simulator))
    except SelectionError as error:
        raise CoverageError(str(error)) from None


def read_without_code(folder: Path) -> set[str]:
    """The tests that have run with coverage and count no code: they drive no cocotb simulation."""
    try:
        return set(json.loads((folder / WITHOUT_CODE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return set()


def note_without_code(folder: Path, ran: Collection[str], counted: Collection[str]) -> None:
    """Keep in mind which of the tests that ran to their end have counted no code."""
    without = (read_without_code(folder) | set(ran)) - set(counted)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WITHOUT_CODE).write_text(json.dumps(sorted(without), indent=1) + "\n", "utf-8")
