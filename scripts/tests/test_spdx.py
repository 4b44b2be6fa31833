# SPDX-License-Identifier: Apache-2.0
"""Each source says in its first two lines under which licence it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tb.sim.paths import ROOT

LICENCE = "SPDX-License-Identifier: Apache-2.0"
ENDINGS = (".v", ".vh", ".f", ".vlt", ".py", ".yaml", ".yml", ".toml", ".sh", ".rdl", ".h", ".core")
NAMES = ("Makefile", ".ci/run")


def sources() -> list[Path]:
    """Every tracked source that has something in it."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, text=True, capture_output=True)
    except OSError:
        pytest.skip("git is missing")
    if done.returncode:
        pytest.skip("this is no clone: git lists no files")
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if is_source(path) and path.is_file() and path.stat().st_size]


def is_source(path: Path) -> bool:
    return path.name.endswith(ENDINGS) or str(path.relative_to(ROOT)) in NAMES


def test_each_source_states_its_licence() -> None:
    found = sources()
    assert len(found) > 300
    missing = [
        str(path.relative_to(ROOT))
        for path in found
        if LICENCE not in "".join(path.read_text(encoding="utf-8").splitlines()[:2])
    ]
    assert not missing, f"no {LICENCE} in the first two lines of {missing}"
