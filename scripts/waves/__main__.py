# SPDX-License-Identifier: Apache-2.0
"""`python -m scripts.waves`, what `make waves` runs."""

import sys

from scripts.waves.command import main

if __name__ == "__main__":
    sys.exit(main())
