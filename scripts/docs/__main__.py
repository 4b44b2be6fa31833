# SPDX-License-Identifier: Apache-2.0
"""python -m scripts.docs."""

import sys

from scripts.docs.command import main

sys.exit(main())
