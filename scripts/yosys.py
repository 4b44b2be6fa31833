# SPDX-License-Identifier: Apache-2.0
"""Run Yosys commands in this process, which an error of Yosys ends.

python -m scripts.yosys 'read_verilog adder.v' 'hierarchy -check -top adder'
"""

from __future__ import annotations

import sys

from pyosys import libyosys


def main(commands: list[str]) -> None:
    """Run `commands` one after another on one design."""
    design = libyosys.Design()
    for command in commands:
        libyosys.run_pass(command, design)


if __name__ == "__main__":
    main(sys.argv[1:])
