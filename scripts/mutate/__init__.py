# SPDX-License-Identifier: Apache-2.0
"""Mutation score of the hardware's tests: small faults put in, one at a time, and who notices."""
