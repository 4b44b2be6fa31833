# SPDX-License-Identifier: Apache-2.0
"""Benches of APack's modules, one file a module."""
