# SPDX-License-Identifier: Apache-2.0
"""Where compiled code and the settings of plots are kept: in build/, whatever home there is.

An installed package has no build/: there, Numba and matplotlib have their own places.
"""

from __future__ import annotations

import atexit
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

_ABOVE = Path(__file__).resolve().parent.parent
CACHE = _ABOVE / "build" / "cache" if (_ABOVE / "pyproject.toml").is_file() else None
VARIABLES = {"NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib"}


def place_caches(cache: Path | None = CACHE) -> None:
    """Tell Numba and matplotlib where to write, unless their variables do already.

    Both take their variable when they are imported. Without `cache`, and where it cannot be
    written, they are left to choose. Where they would choose the home folder and cannot write
    there, they get a folder for this process alone: a name that others could foresee would let
    them put code there.
    """
    if not set(VARIABLES) - set(os.environ):
        return
    if cache is None or not _is_writable(cache):
        home = os.environ.get("HOME")
        if home and Path(home).is_dir() and _is_writable(Path(home) / ".cache"):
            return
        cache = Path(mkdtemp(prefix="apack-"))
        atexit.register(shutil.rmtree, cache, ignore_errors=True)
    for name, folder in VARIABLES.items():
        os.environ.setdefault(name, str(cache / folder))


def _is_writable(folder: Path) -> bool:
    """Whether a folder can be written, or made in the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
