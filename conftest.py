# SPDX-License-Identifier: Apache-2.0
"""What all tests need: assertions that are not stripped."""

import pytest


def pytest_configure() -> None:
    """Refuse a Python that leaves assertions out: the tests would pass whatever they find."""
    if not __debug__:
        raise pytest.UsageError("Python strips assertions: unset PYTHONOPTIMIZE, or leave out -O")
