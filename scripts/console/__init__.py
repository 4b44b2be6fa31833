# SPDX-License-Identifier: Apache-2.0
"""What commands have in common at the terminal."""
