# SPDX-License-Identifier: Apache-2.0
"""Reference models and analysis: what the hardware must do, and what it saves."""

from .caches import place_caches

__version__ = "0.1.0"

place_caches()
