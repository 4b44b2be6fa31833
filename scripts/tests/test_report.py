# SPDX-License-Identifier: Apache-2.0
"""The command that writes the report: a user's mistake is one line and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import InputError
from scripts import report


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("the package rapidocr is not installed"), "the package rapidocr is not"),
        (ModuleNotFoundError("No module", name="onnxruntime"), "onnxruntime is not installed; pip"),
    ],
)
def test_something_missing_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    error: Exception,
    line: str,
) -> None:
    def run(*_: object) -> None:
        raise error

    monkeypatch.setattr(report, "run", run)
    assert report.main(["--out", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"report: {line}") and message.count("\n") == 1


def test_a_file_in_place_of_the_folder_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "taken").write_text("")
    assert report.main(["--out", str(tmp_path / "taken")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
