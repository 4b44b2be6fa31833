"""Reference models and analysis: what the hardware must do, and what it saves."""

from .caches import place_caches

place_caches()
