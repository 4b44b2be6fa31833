# SPDX-License-Identifier: Apache-2.0
"""Strings of bits, MSB first, and fields in them: what the streams of all codecs are made of."""

from .bits import Bits

__all__ = ["Bits"]
