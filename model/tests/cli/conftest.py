# SPDX-License-Identifier: Apache-2.0
"""Runs commands in this process, as a user would see them."""

import pytest

from model.cli.main import main


@pytest.fixture
def run(capsys):
    """Runs a command that must succeed; returns what it printed on stdout."""

    def run_command(*arguments: object) -> str:
        status = main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        assert status == 0, output.err
        return output.out

    return run_command


@pytest.fixture
def fail(capsys):
    """Runs a command that must end with exit code 2; returns its one line on stderr."""

    def run_command(*arguments: object) -> str:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        output = capsys.readouterr()
        assert status == 2
        assert output.err.count("\n") == 1 and "Traceback" not in output.err
        return output.err

    return run_command
