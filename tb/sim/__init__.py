"""The simulators: found, given designs to build once, run, and what they leave looked at."""
