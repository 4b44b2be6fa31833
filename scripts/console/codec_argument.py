# SPDX-License-Identifier: Apache-2.0
"""The argument --codec, by which a command gets what it needs of one codec."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TypeVar

from scripts.console.arguments import OneLineParser
from tb.sim.round_trip import DEFAULT, NoSuchCodec, codecs

Part = TypeVar("Part")
Value = TypeVar("Value")


def codec_argument(
    parser: OneLineParser, arguments: Sequence[str] | None, find: Callable[[str], Part]
) -> Part:
    """Give a parser the argument --codec, and return what `find` has for the codec of that name.

    It is read before the others, which may depend on it. Ends the command, in one line and with
    exit code 2, for a name that `find` does not take.
    """
    how = {"default": DEFAULT, "metavar": "NAME", "help": f"{' or '.join(codecs())}"}
    parser.add_argument("--codec", **how)
    early = OneLineParser(parser.command, add_help=False, allow_abbrev=False)
    early.add_argument("--codec", **how)
    try:
        return find(early.parse_known_args(arguments)[0].codec)
    except NoSuchCodec as error:
        parser.error(f"argument --codec: {error}")


def type_of(convert: Callable[[str], Value]) -> Callable[[str], Value]:
    """The type of an argument from a function that raises ValueError with a line to show."""

    def value(text: str) -> Value:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return value
