# SPDX-License-Identifier: Apache-2.0
"""Measurements of speed and size, each beside a named reference in the same run."""
