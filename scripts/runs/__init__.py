# SPDX-License-Identifier: Apache-2.0
"""What tests there are, how one is run, and how those that ran have ended."""
