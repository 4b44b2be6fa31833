# SPDX-License-Identifier: Apache-2.0
"""Code coverage of the simulations that have run: python -m scripts.coverage."""

import sys

from scripts.coverage.command import main

sys.exit(main())
