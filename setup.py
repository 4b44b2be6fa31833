# SPDX-License-Identifier: Apache-2.0
"""The folder `model` as the package `apack_model`: all of it but its tests. See pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup

FOLDERS = find_packages("model", exclude=("tests", "tests.*"))
# What setuptools writes on the way, which would stand among the sources; none of it is used twice.
SCRATCH = Path("build/package")

shutil.rmtree(SCRATCH, ignore_errors=True)
SCRATCH.mkdir(parents=True)
setup(
    packages=["apack_model", *(f"apack_model.{folder}" for folder in FOLDERS)],
    options={"build": {"build_base": str(SCRATCH)}, "egg_info": {"egg_base": str(SCRATCH)}},
)
