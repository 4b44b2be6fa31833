"""The waveform of one hardware test, for people: groups of signals, and what passes as text.

make waves TEST='test_module[apack_compressor-one-engine]' SEED=7
"""
