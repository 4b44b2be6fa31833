# SPDX-License-Identifier: Apache-2.0
"""What finds, builds and runs simulations: below all that runs them."""
