# SPDX-License-Identifier: Apache-2.0
"""Where the commands write: a file, a device, a pipe, or standard output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from ..errors import InputError
from ..tensors.files import descriptor_of

STANDARD_OUTPUT = Path("/dev/stdout")


def output_path(text: str) -> Path:
    """The path that the argument of -o means: "-" is standard output.

    Raises ArgumentTypeError for one that no file can have: `Path` would drop a slash at the end.
    """
    if not text or text.endswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} does not name a file")
    return STANDARD_OUTPUT if text == "-" else Path(text)


def check_output(output: Path, *sources: Path, binary: bool = True) -> None:
    """Raise InputError for an output that cannot be written, or is one of the sources.

    A terminal takes text only.
    """
    if output.is_dir():
        raise InputError(f"{output} is a folder; name a file")
    descriptor = descriptor_of(output)
    if descriptor is None and not output.parent.is_dir():
        raise InputError(f"{output}: there is no folder {output.parent}")
    if binary and descriptor is not None and os.isatty(descriptor):
        raise InputError(f"{output} is a terminal, and the output is binary; redirect it")
    if descriptor == 1 and sys.__stdout__ is None:
        raise InputError(f"{output} is closed; name a file for the output")
    for source in sources:
        if output.exists() and output.samefile(source):
            raise InputError(f"{output} is the input {source}; name another file for the output")


@contextmanager
def messages_apart_from(output: Path | None) -> Iterator[None]:
    """Keeps what is printed off standard output while a command writes its output there."""
    if output is None or descriptor_of(output) != 1:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield
