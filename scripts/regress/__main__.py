# SPDX-License-Identifier: Apache-2.0
"""`python -m scripts.regress`, what `make regress` runs."""

import sys

from scripts.regress.command import main

if __name__ == "__main__":
    sys.exit(main())
