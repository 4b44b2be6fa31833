# SPDX-License-Identifier: Apache-2.0
"""Encoder and decoder in a loop, with streams between them."""
