# SPDX-License-Identifier: Apache-2.0
"""Reader of Liberty cell libraries: groups of attributes, complex attributes and inner groups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = re.compile(r'/\*.*?\*/|\\\n|\s+|("[^"]*"|[^\s:;(){},"]+|[:;(){},])', re.DOTALL)


class LibertyError(ValueError):
    """The file is no Liberty library, or lacks what is asked of it; the message is one line."""


@dataclass
class Group:
    """`kind (name) { ... }`: a library, a cell, a pin, a timing arc or a table."""

    kind: str
    name: str
    attributes: dict[str, list[str]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def find(self, kind: str, name: str | None = None, **attributes: str) -> Group:
        """The first inner group of this kind, name and attributes.

        Raises:
            LibertyError: there is none.
        """
        for group in self.groups:
            values = (group.attributes.get(key) == [value] for key, value in attributes.items())
            if group.kind == kind and name in (None, group.name) and all(values):
                return group
        wanted = " ".join([kind, name or "", *attributes.values()]).replace("  ", " ").strip()
        raise LibertyError(f"no {wanted} in {self.kind} {self.name}".strip())

    def number(self, attribute: str) -> float:
        """A simple attribute, or the first entry of a table's complex one.

        Raises:
            LibertyError: there is no such attribute, or it is no number.
        """
        values = self.attributes.get(attribute, [])
        try:
            return float(values[0].split(",")[0])
        except (IndexError, ValueError):
            raise LibertyError(f"no {attribute} in {self.kind} {self.name}".strip()) from None


def read_liberty(path: Path) -> Group:
    """The library in a file.

    Raises:
        LibertyError: it is no Liberty library.
        OSError: it cannot be read.
    """
    tokens = _tokens(path.read_text(encoding="utf-8", errors="replace"))
    top = Group("file", path.name)
    try:
        _read_statements(tokens, top)
    except StopIteration:
        raise LibertyError(f"{path} ends in the middle of a group") from None
    return top.find("library")


def _tokens(text: str) -> Iterator[str]:
    """Words and signs of a library, comments and quotation marks left out; "" ends it."""
    for match in TOKEN.finditer(text):
        if match[1]:
            yield match[1].strip('"')
    yield ""


def _read_statements(tokens: Iterator[str], into: Group) -> None:
    """Read statements up to the brace that closes `into`, or to the end of the file."""
    while (word := next(tokens)) not in ("}", ""):
        if word == ";":
            continue
        sign = next(tokens)
        if sign == ":":
            into.attributes[word] = list(iter(lambda: next(tokens), ";"))
        elif sign == "(":
            arguments = [part for part in iter(lambda: next(tokens), ")") if part != ","]
            _read_body(tokens, into, word, arguments)
        else:
            raise LibertyError(f"{into.kind} {into.name}: {word!r} is followed by {sign!r}")


def _read_body(tokens: Iterator[str], into: Group, word: str, arguments: list[str]) -> None:
    """What follows `word (arguments)`: a brace opens a group, else it was an attribute."""
    sign = next(tokens)
    if sign == "{":
        group = Group(word, arguments[0] if arguments else "")
        _read_statements(tokens, group)
        into.groups.append(group)
    elif sign == ";":
        into.attributes[word] = arguments
    else:
        raise LibertyError(f"{into.kind} {into.name}: no {{ or ; after {word}(...)")
