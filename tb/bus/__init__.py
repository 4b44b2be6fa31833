# SPDX-License-Identifier: Apache-2.0
"""How a bench of any system touches pins: clock, streams, registers."""
