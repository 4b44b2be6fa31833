"""Code coverage of the simulations that have run: python -m scripts.coverage."""

import sys

from scripts.coverage.command import main

sys.exit(main())
