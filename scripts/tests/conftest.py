# SPDX-License-Identifier: Apache-2.0
"""What the tests of scripts need: runs of tests that they start write nothing of their own run."""

import pytest

from scripts import start
from scripts.runs import last_run


@pytest.fixture(scope="session")
def results_of_inner_runs(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("results"))


@pytest.fixture(autouse=True)
def inner_runs_keep_apart(results_of_inner_runs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the runs of a process of tests in a folder of their own: others run at the same time."""
    monkeypatch.setenv(last_run.RESULTS, results_of_inner_runs)
    monkeypatch.setenv(start.HOLDER, "tests")  # as under make: no waiting for one another
