# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin of a collection: names the tests that a selection leaves out, too."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

LEFT_OUT = "left out: "  # begins the line of such a test


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Print them as pytest prints those that are selected."""
    for item in items:
        print(f"{LEFT_OUT}{item.nodeid}")
