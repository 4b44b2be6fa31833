"""Where compiled code and the settings of plots are kept: in build/, whatever home there is."""

from __future__ import annotations

import atexit
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

CACHE = Path(__file__).resolve().parent.parent / "build" / "cache"
VARIABLES = {"NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib"}


def place_caches(cache: Path = CACHE) -> None:
    """Tell Numba and matplotlib where to write, unless their variables do already.

    Both take their variable when they are imported. Where neither the project nor the home folder
    can be written, they get a folder for this process alone: a name that others could foresee
    would let them put code there.
    """
    if not set(VARIABLES) - set(os.environ):
        return
    if not _is_writable(cache):
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
