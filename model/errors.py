# SPDX-License-Identifier: Apache-2.0
"""Errors a user can cause. Each message is one line: what was wrong, where, what to do."""


class InputError(ValueError):
    """Base of every error that comes from the input rather than from the program."""


class CorruptStream(InputError):
    """A stream of bits or a container cannot have come from an encoder."""


def shown(value: object) -> str:
    """A name or a value of a user for a message: escaped, and shortened to 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}...{text[-17:]}"
