# SPDX-License-Identifier: Apache-2.0
"""The report: footprints of the zoo under APack and under what it is compared with."""
