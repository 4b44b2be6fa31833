# SPDX-License-Identifier: Apache-2.0
"""What a person or the CI runs: each command is a module, `python -m scripts.NAME`."""

import sys

from scripts.console import ending

if sys.argv[0] == "-m":  # so it is called while a command is looked for, and never in a test
    ending.install()
