"""Model files inside installed PyPI packages, found without importing the packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from model.apack import ApackError


def package_file(distribution: str, module: str, relative: str) -> Path:
    """Path of a file that a package ships; `module` is the package's top-level import name.

    The package's code is never run, so that none of its dependencies is needed. Raises ApackError
    when the package is not installed or ships no such file.
    """
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ApackError(f"the package {distribution} is not installed: pip install {distribution}")
    path = Path(next(iter(spec.submodule_search_locations))) / relative
    if not path.is_file():
        raise ApackError(f"the installed package {distribution} ships no {relative}")
    return path
