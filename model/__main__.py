# SPDX-License-Identifier: Apache-2.0
"""`python -m model`, and `apack` where it is installed: compress, look into containers, solve."""

import sys


def run(program: str) -> int:
    """Run the command line under the name that its user typed; returns the exit code."""
    try:
        # What is imported takes long enough to be interrupted too.
        from .cli.main import main

        return main(program=program)
    except KeyboardInterrupt:
        print(f"{program.split()[-1]}: stopped", file=sys.stderr)
        return 130


def apack() -> int:
    """The command of an installed package."""
    return run("apack")


if __name__ == "__main__":
    sys.exit(run(f"python -m {__package__}"))
