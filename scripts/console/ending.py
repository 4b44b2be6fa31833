# SPDX-License-Identifier: Apache-2.0
"""How a command ends that is interrupted or finds the disk full: with one line, and no traceback.

Standard library only: it is at work while the libraries of a command load.
"""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tb.sim.disk import is_full

INTERRUPTED, UNUSABLE, NO_READER = 130, 2, 141


def install() -> None:
    """Have this process end as described; for the process of a command, not of its tests."""
    sys.excepthook = end
    atexit.register(flush)


def end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Stand in for sys.excepthook.

    Raises:
        SystemExit: the exit code of an interrupt, a full disk or an output that nobody reads.
    """
    if isinstance(error, KeyboardInterrupt):
        say("interrupted")
        raise SystemExit(INTERRUPTED)
    if isinstance(error, BrokenPipeError):  # as of `| head`
        drop_output()
        raise SystemExit(NO_READER)
    if is_full(error):
        say(str(error))
        drop_output()
        raise SystemExit(UNUSABLE)
    sys.__excepthook__(kind, error, trace)


def flush() -> None:
    """Write what was printed, which Python itself does too late to say that it failed."""
    try:
        sys.stdout.flush()
    except OSError as error:
        drop_output()
        with suppress(SystemExit):
            end(type(error), error, None)
        os._exit(NO_READER if isinstance(error, BrokenPipeError) else UNUSABLE)


def say(what: str) -> None:
    """Print a line of the command that this process is: its module's last name."""
    words = sys.orig_argv
    module = words[words.index("-m") + 1] if "-m" in words else Path(sys.argv[0]).stem
    name = module.rpartition(".")[2]
    with suppress(OSError):
        print(f"{name}: {what}", file=sys.stderr)


def drop_output() -> None:
    """Let nothing more be written to where it cannot be."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
