# SPDX-License-Identifier: Apache-2.0
"""What the commands print: plain tables on stdout, progress on stderr."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from .progress import Progress

# The longest cell of a table; names of any length come from files.
_CELL_LENGTH = 100


@contextmanager
def progress(title: str, values: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, or a line now and then; yields the function that advances it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
    with bar:
        task = bar.add_task(title, total=max(1, values))
        yield lambda done: bar.advance(task, done)


def encode_anything() -> None:
    """Print escapes for what the terminal's encoding lacks: names may have any character."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns under their headers: the first one left-aligned, the others right-aligned."""
    cells = [[_shortened(printable(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        texts = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        texts[0] = row[0].ljust(widths[0])
        print("  ".join(texts).rstrip())


def printable(text: str) -> str:
    """Text from a file without the control characters that could steer a terminal."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _shortened(text: str) -> str:
    half = _CELL_LENGTH // 2
    return text if len(text) <= _CELL_LENGTH else f"{text[:half]}...{text[3 - half :]}"


def percent(part: float, whole: float) -> str:
    """A share with two decimals, or a dash of nothing."""
    return f"{100 * part / whole:.2f} %" if whole else "-"
