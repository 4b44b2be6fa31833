# SPDX-License-Identifier: Apache-2.0
"""The timing diagrams of the pages: short runs, and what is shown of them."""
