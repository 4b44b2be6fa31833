# SPDX-License-Identifier: Apache-2.0
"""Area and speed of the hardware: standard cells with Yosys and ABC, an ECP5 with nextpnr."""
