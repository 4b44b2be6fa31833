# SPDX-License-Identifier: Apache-2.0
"""Verilog benches that read and write files: whole tensors through the units and back."""
