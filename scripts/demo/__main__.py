"""python -m scripts.demo: see scripts.demo.command."""

import sys

try:
    from scripts.demo.command import main

    code = main()
except KeyboardInterrupt:  # while the libraries load; main reports its own
    code = 130
sys.exit(code)
