# SPDX-License-Identifier: Apache-2.0
"""UVM environment of the compressor and the decompressor, in pyuvm.

    test        selects sequences (tests.py)
    environment one for either top (environment.py, config.py)
      registers   agent of the register bus, with a register model in front (register_model.py)
      <port>      agent of each stream, over the drivers and monitors of tb/bus/streams.py
      scoreboard  predicts from what the pins were given, with the reference model (prediction.py)
      coverage    samples what monitors and scoreboard have seen (coverage.py)
      sequencer   where the sequences for a whole top run (sequences.py)

The agents are those of tb/uvm. Functional coverage of all runs: `make coverage`.
"""
