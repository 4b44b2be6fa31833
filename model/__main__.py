"""`python -m model`: compress tensors, look into containers, solve tables."""

import sys

try:
    # What is imported takes long enough to be interrupted too.
    from .cli.main import main

    sys.exit(main())
except KeyboardInterrupt:
    print("model: stopped", file=sys.stderr)
    sys.exit(130)
