# SPDX-License-Identifier: Apache-2.0
"""Coverage of the tests, gathered from what the simulations wrote."""
