"""Where the commands write."""

from __future__ import annotations

from pathlib import Path

from model.apack import ApackError


def check_output(output: Path, source: Path) -> None:
    """Raise ApackError for an output that cannot be written or is the input."""
    if output.is_dir():
        raise ApackError(f"{output} is a folder; name a file")
    if not output.parent.is_dir():
        raise ApackError(f"{output}: there is no folder {output.parent}")
    if output.exists() and output.samefile(source):
        raise ApackError(f"{output} is the input; name another file for the output")
