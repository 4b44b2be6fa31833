# SPDX-License-Identifier: Apache-2.0
"""How far a long command is: a bar at a terminal, elsewhere a line now and then."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich import progress
from rich.console import Console
from rich.progress import ProgressColumn, TaskID

SECONDS = 10.0  # from line to line


class Progress(progress.Progress):
    """rich's bar where the console is a terminal; a log gets a line about every ten seconds."""

    def __init__(self, *columns: ProgressColumn, console: Console, transient: bool = False) -> None:
        """`columns`, `console` and `transient` are those of rich."""
        super().__init__(
            *columns, console=console, transient=transient, disable=not console.is_terminal
        )
        self._said = time.monotonic()

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """As in rich; `changes` are those of the task."""
        super().update(task_id, **changes)
        self._say(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """As in rich."""
        super().advance(task_id, advance)
        self._say(task_id)

    def _say(self, task_id: TaskID) -> None:
        """Print where the task is, unless there is a bar or a line has just been printed."""
        now = time.monotonic()
        if not self.disable or now - self._said < SECONDS:
            return
        self._said = now
        task = self._tasks[task_id]
        of = f" of {task.total:,.0f} ({task.percentage:.0f} %)" if task.total else ""
        text = f"{task.description or 'done'}: {task.completed:,.0f}{of}, {task.elapsed:.0f} s"
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def stage(console: Console, title: str) -> AbstractContextManager[object]:
    """What is being done, without a measure of it: rich's status at a terminal, or a line."""
    if console.is_terminal:
        return console.status(title)
    console.print(title, markup=False, highlight=False)
    return nullcontext()
