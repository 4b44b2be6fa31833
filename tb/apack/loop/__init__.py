# SPDX-License-Identifier: Apache-2.0
"""Compressor and decompressor in a loop, with a memory between them."""
