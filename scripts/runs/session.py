# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin of `make test`: interrupted or with a full disk it ends with its summary.

Loaded with `-p scripts.runs.session`. Its process begins with SIGINT blocked: while Python still
imports what pytest needs, an interrupt would end in a traceback.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Generator

import pytest

from scripts.console import ending


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Take an interrupt from here on, where pytest ends in order."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """End at the first test that found the disk full: the others would, too."""
    words = os.strerror(errno.ENOSPC)
    lines = report.longreprtext.splitlines() if report.failed else []
    found = [line[1:].strip() for line in lines if line.startswith("E ") and words in line]
    if found:
        pytest.exit(found[0], ending.UNUSABLE)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Let the summary be printed when junit.xml cannot be written."""
    try:
        return (yield)
    except OSError as error:
        if not ending.is_full(error):
            raise
        print(f"test: {error}", file=sys.stderr)
        session.exitstatus = ending.UNUSABLE
        return None
