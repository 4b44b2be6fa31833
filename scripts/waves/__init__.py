# SPDX-License-Identifier: Apache-2.0
"""The waveform of one hardware test, for people: groups of signals, and what passes as text.

make waves TEST='test_compressor[Tables]' SEED=7
"""
