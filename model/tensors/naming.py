# SPDX-License-Identifier: Apache-2.0
"""Choosing tensors by name."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ..errors import InputError, shown

_NAMES_SHOWN = 5


def chosen(names: Sequence[str], patterns: Sequence[str]) -> list[int]:
    """The places of the names that any pattern matches, in the order of `names`, each once.

    A pattern is a whole name or has wildcards: * for any text, ? for one character, [abc] for one
    of these. What is the very name of a tensor stands for that name alone, so that names with
    brackets can be given as they are. Upper and lower case differ. Raises InputError that lists
    some names for a pattern that matches none.
    """
    taken: set[int] = set()
    for pattern in patterns:
        matches = [place for place, name in enumerate(names) if name == pattern]
        if not matches:
            matches = [place for place, name in enumerate(names) if fnmatchcase(name, pattern)]
        if not matches:
            raise InputError(f"no tensor {shown(pattern)}; {_some_of(names)}")
        taken.update(matches)
    return sorted(taken)


def _some_of(names: Sequence[str]) -> str:
    if not names:
        return "there are none"
    more = ", ..." if len(names) > _NAMES_SHOWN else ""
    return f"there are {', '.join(map(shown, names[:_NAMES_SHOWN]))}{more}"
