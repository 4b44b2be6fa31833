# SPDX-License-Identifier: Apache-2.0
"""Benches of the hardware, and what they stand on."""
