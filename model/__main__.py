"""`python -m model`: compress tensors, look into containers, solve tables."""

import sys

from model.cli.main import main

sys.exit(main())
