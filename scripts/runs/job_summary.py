# SPDX-License-Identifier: Apache-2.0
"""The figures of a step, in the summary that GitHub shows of a job.

GitHub names the file in GITHUB_STEP_SUMMARY; each step adds to it. Nothing is written elsewhere,
nor by what a step runs: the tests call these commands, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

JOB_SUMMARY = "GITHUB_STEP_SUMMARY"
MOST_LINES = 20


def add_to_summary(title: str, figures: Mapping[str, object], lines: Sequence[str] = ()) -> None:
    """Add a heading, a table of figures and a list, if this is a job of GitHub's.

    Args:
        title: of the step, in a few words.
        figures: names and values, in a row each.
        lines: what is to be mended, such as tests that failed; the first of them are shown.
    """
    if not (name := os.environ.get(JOB_SUMMARY)):
        return
    rows = [f"| {_cell(key)} | {_cell(value)} |" for key, value in figures.items()]
    listed = [f"- {_code(line)}" for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        listed.append(f"- and {len(lines) - MOST_LINES} more")
    table = ["| figure | value |", "| --- | --- |", *rows, ""]
    text = "\n".join([f"### {title}", "", *table, *listed, *([""] if listed else [])])
    try:
        with Path(name).open("a", encoding="utf-8") as summary:
            summary.write(f"{text}\n")
    except OSError as error:
        print(f"summary: {name} cannot be written: {error.strerror}", file=sys.stderr)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def _code(line: str) -> str:
    """A line as code, whatever marks of Markdown it has."""
    text = " ".join(line.split()).replace("``", "` `")
    return f"`` {text} ``"
