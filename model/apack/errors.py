# SPDX-License-Identifier: Apache-2.0
"""What only APack's input can be wrong in, beside the errors of all codecs."""

from ..errors import InputError

ApackError = InputError


class IllegalTable(InputError):
    """A symbol table breaks a rule; the message names the row and the rule."""
