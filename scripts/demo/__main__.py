# SPDX-License-Identifier: Apache-2.0
"""python -m scripts.demo: see scripts.demo.command."""

import sys

from scripts.demo.command import main

sys.exit(main())
