# SPDX-License-Identifier: Apache-2.0
"""What the UVM environments of all systems are made of: agents of ports, items, cover points."""
