"""What both kinds of coverage ask of the runs they add up."""

from __future__ import annotations

from scripts.regress.collect import SelectionError, collect


class CoverageError(ValueError):
    """Coverage that cannot be read; the message is one line."""


def tests_there(simulator: str) -> set[str]:
    """The hardware tests that pytest collects, by their ids.

    Raises:
        CoverageError: pytest cannot collect them.
    """
    try:
        return set(collect(None, simulator))
    except SelectionError as error:
        raise CoverageError(str(error)) from None
