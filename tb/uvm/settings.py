# SPDX-License-Identifier: Apache-2.0
"""Where the components of an environment find what they are told of the unit under test.

The agents ask it for `dut`, the unit's signals, and `unit.bus`, its register bus.
"""

from __future__ import annotations

from pyuvm import ConfigDB

CONFIG = "config"  # its name in the configuration database


def configure(config: object) -> None:
    """Make a configuration known to all components."""
    ConfigDB().set(None, "*", CONFIG, config)
