# SPDX-License-Identifier: Apache-2.0
"""Hypothesis without time limits: the first example of a compiled function also compiles it."""

from hypothesis import HealthCheck, settings

settings.register_profile("compiled", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("compiled")
