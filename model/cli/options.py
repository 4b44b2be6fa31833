# SPDX-License-Identifier: Apache-2.0
"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..apack.coder import CODE_W, CODE_W_RANGE
from ..apack.solver import MAX_SYMBOLS, METHODS
from ..apack.table import COUNT_W_RANGE, VALUE_W_RANGE
from ..tensors import FLOAT_WAYS, PATTERNS, QUANTIZE
from .output import output_path


def add_command(
    commands: argparse._SubParsersAction,
    run: Callable[[argparse.Namespace], None],
    name: str,
    summary: str,
    examples: str,
) -> argparse.ArgumentParser:
    """A command with its help line and its examples."""
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def add_solver(command: argparse.ArgumentParser) -> None:
    """--method, --groups and --count-width."""
    command.add_argument(
        "--method", choices=METHODS, default="exact", help="how to find the table (default exact)"
    )
    command.add_argument(
        "--groups",
        type=number(1, MAX_SYMBOLS),
        default=16,
        metavar="N",
        help=f"groups a table may have, 1 to {MAX_SYMBOLS} (default 16)",
    )
    command.add_argument(
        "--count-width",
        type=number(COUNT_W_RANGE.start, COUNT_W_RANGE.stop - 1),
        default=10,
        metavar="BITS",
        help="bits of a probability count (default 10)",
    )


def add_reading(command: argparse.ArgumentParser, value_width: int | None, floats: str) -> None:
    """--tensor, --value-width, --float and --strict, with these defaults."""
    command.add_argument(
        "--tensor",
        action="append",
        default=[],
        metavar="NAME",
        help="only this tensor; * ? [abc] are wildcards, and the option can be repeated",
    )
    default = value_width or "that of each tensor's type, 8 for quantized floats"
    command.add_argument(
        "--value-width",
        type=number(VALUE_W_RANGE.start, VALUE_W_RANGE.stop - 1),
        default=value_width,
        metavar="BITS",
        help="bits of a value, 2 to 16, of integers of wider types, if they fit, and of quantized "
        f"floats (default {default})",
    )
    command.add_argument(
        "--float",
        choices=FLOAT_WAYS,
        default=floats,
        help=f"{PATTERNS}: floats of up to 16 bits as their bit patterns, without loss, and wider "
        f"ones quantized; {QUANTIZE}: all floats quantized, symmetric (default {floats})",
    )
    command.add_argument(
        "--strict",
        action="store_true",
        help="write nothing and end with exit code 2 when a tensor would be left out",
    )


def add_code_width(command: argparse.ArgumentParser) -> None:
    """--code-width."""
    command.add_argument(
        "--code-width",
        type=number(CODE_W_RANGE.start, CODE_W_RANGE.stop - 1),
        default=CODE_W,
        metavar="BITS",
        help=f"bits of the coder's interval, at least count width + 2 (default {CODE_W})",
    )


def add_json(command: argparse.ArgumentParser) -> None:
    """--json."""
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_output(command: argparse.ArgumentParser, help_text: str, required: bool = True) -> None:
    """-o."""
    command.add_argument(
        "-o",
        "--output",
        type=output_path,
        required=required,
        metavar="FILE",
        help=f"{help_text}; - is standard output, and all messages go to stderr then",
    )


def number(least: int, most: int) -> Callable[[str], int]:
    """A converter for whole numbers of least .. most."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return value

    return convert
