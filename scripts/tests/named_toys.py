# SPDX-License-Identifier: Apache-2.0
"""Tests that fail and whose names are hard to tell apart or to quote, for test_simulators.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.tests.regress_toys import simulate


def test_fails(tmp_path: Path) -> None:
    simulate(tmp_path, FAIL="1")


def test_fails_too(tmp_path: Path) -> None:
    simulate(tmp_path, FAIL="1")


@pytest.mark.parametrize("name", ["it's $HOME", "a b"])
def test_fails_by_name(tmp_path: Path, name: str) -> None:
    simulate(tmp_path, FAIL=name)
