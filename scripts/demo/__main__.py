"""python -m scripts.demo: see scripts.demo.command."""

import sys

for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(errors="replace")  # names that the locale cannot write do not end the demo

try:
    from scripts.demo.command import main

    code = main()
except KeyboardInterrupt:  # while the libraries load; main reports its own
    code = 130
sys.exit(code)
