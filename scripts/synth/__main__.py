# SPDX-License-Identifier: Apache-2.0
"""python -m scripts.synth: see scripts.synth.command."""

import sys

from scripts.synth.command import main

sys.exit(main())
