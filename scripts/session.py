"""The pytest plugin of `make test`: a run that is interrupted ends with its summary.

Loaded with `-p scripts.session`. Its process begins with SIGINT blocked: while Python still
imports what pytest needs, an interrupt would end in a traceback.
"""

from __future__ import annotations

import signal

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Take an interrupt from here on, where pytest ends in order."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
