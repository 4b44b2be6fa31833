# SPDX-License-Identifier: Apache-2.0
"""What benches of APack share: stimulus, expectations, drivers of its ports."""
