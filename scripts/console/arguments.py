# SPDX-License-Identifier: Apache-2.0
"""Command lines that make calls: one line for a bad argument, and the types of numbers."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any, NoReturn

from model.cli.terminal import encode_anything


class OneLineParser(argparse.ArgumentParser):
    """Reports a bad argument in one line, by the name it has as a variable of make."""

    def __init__(self, command: str, description: str | None = None, **options: Any) -> None:
        """The parser of scripts.`command`; `options` are those of ArgumentParser.

        What is printed from then on has escapes for what the terminal's encoding lacks.

        Args:
            description: its first line is shown; None where Python strips docstrings.
        """
        first = (description or "").partition("\n")[0]
        super().__init__(prog=f"python -m scripts.{command}", description=first, **options)
        self.command = command.rpartition(".")[2]
        encode_anything()

    def error(self, message: str) -> NoReturn:
        """Print `message` and end with exit code 2."""
        message = re.sub(r"argument --(\w+)", lambda match: match[1].upper(), message)
        self.exit(2, f"{self.command}: {message}\n")


def at_least(least: int) -> Callable[[str], int]:
    """The type of an argument: a whole number of `least` or more."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
        return int(text)

    return number


def number_to(most: int) -> Callable[[str], int]:
    """The type of an argument: a whole number from 1 to `most`."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {most}")
        return int(text)

    return number
