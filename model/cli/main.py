# SPDX-License-Identifier: Apache-2.0
"""The command line, `python -m model` or `apack`, and how its errors reach people."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..errors import InputError
from ..tensors.files import descriptor_of
from . import compare, compress, container_views, decompress, tables
from .output import messages_apart_from
from .terminal import encode_anything, printable

DESCRIPTION = """Study and size APack compression of quantized tensors.

examples:
  %(prog)s compress weights.npy -o weights.apack
  %(prog)s info weights.apack
  %(prog)s decompress weights.apack -o back.npy
"""


class Parser(argparse.ArgumentParser):
    """Reports a bad argument in one line."""

    def error(self, message: str) -> NoReturn:
        """Print `message` and end with exit code 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser(program: str) -> argparse.ArgumentParser:
    """The parser of all commands of `program`; each sets `run`."""
    top = Parser(
        prog=program,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"apack {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for module in (compress, decompress, container_views, tables, compare):
        module.add_commands(commands)
    return top


def main(arguments: list[str] | None = None, program: str = "python -m model") -> int:
    """Run one command; 0, or 2 after one line on stderr when the input is at fault."""
    encode_anything()
    options = parser(program).parse_args(arguments)
    name = program.split()[-1]
    try:
        with messages_apart_from(getattr(options, "output", None)):
            options.run(options)
        if sys.stdout is not None:  # as it is when it was closed before
            sys.stdout.flush()
    except InputError as error:
        return _fail(name, str(error))
    except OSError as error:
        lost = _stdout_is_lost()
        if isinstance(error, BrokenPipeError) and (
            lost or error.filename is None or descriptor_of(Path(str(error.filename))) == 1
        ):
            # The reader of our output has left, as `head` does; nothing more can be said to it.
            return 1
        # Files that are written have their names in the error.
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        where = error.filename or ("standard output" if lost or full else "file")
        return _fail(name, f"{where}: {error.strerror or error}")
    except MemoryError:
        return _fail(name, "not enough memory for this input")
    except KeyboardInterrupt:
        print(f"{name}: stopped", file=sys.stderr)
        return 130
    return 0


def _stdout_is_lost() -> bool:
    """Whether standard output takes nothing more; what is left is dropped, which Python would try
    again at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _fail(name: str, message: str) -> int:
    print(printable(f"{name}: {' '.join(message.split())}"), file=sys.stderr)
    return 2
