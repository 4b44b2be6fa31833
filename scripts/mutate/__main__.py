# SPDX-License-Identifier: Apache-2.0
"""`python -m scripts.mutate`: which small faults in the hardware its tests find."""

import sys

from scripts.mutate.command import main

if __name__ == "__main__":
    sys.exit(main())
