# SPDX-License-Identifier: Apache-2.0
"""Who imports whom inside the model: arrows run one way, and modules name each other relatively."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from model.tests.imports import imported

MODEL = Path(__file__).resolve().parents[1]
ALL = sorted(MODEL.rglob("*.py"))
SOURCES = [path for path in ALL if "tests" not in path.relative_to(MODEL).parts]
# What all codecs stand on.
COMMON = {"bitstream", "caches", "errors", "tensors"}


def parts() -> set[str]:
    """The folders and the single modules of the model."""
    return {path.relative_to(MODEL).parts[0].removesuffix(".py") for path in SOURCES}


def part_imports() -> dict[str, set[str]]:
    """Which parts each part of the model imports."""
    graph: dict[str, set[str]] = {part: set() for part in parts()}
    for path in SOURCES:
        part = path.relative_to(MODEL).parts[0].removesuffix(".py")
        for name in imported(path):
            words = name.split(".")
            if words[0] == "model" and len(words) > 1 and words[1] in graph:
                graph[part].add(words[1])
        graph[part].discard(part)
    return graph


def absolute(path: Path) -> Iterator[str]:
    """What a file names of the model by its whole name, in imports and as text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = re.fullmatch(r"model\.(\w+)[.\w]*", node.value)
            names = [node.value] if named and named[1] in parts() else []
        yield from (name for name in names if name.split(".")[0] == "model")


def test_nothing_imports_benches_or_scripts() -> None:
    names = [(path, name.split(".")[0]) for path in ALL for name in imported(path)]
    assert not [(str(path), name) for path, name in names if name in ("tb", "scripts")]


def test_imports_inside_the_model_are_relative() -> None:
    """Installed, the package has another name."""
    assert not {str(path): names for path in SOURCES if (names := list(absolute(path)))}


def test_parts_of_the_model_import_each_other_in_no_ring() -> None:
    graph = part_imports()
    assert graph["codecs"] >= {"apack", "baselines"}  # the graph is not empty
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the ring


def test_codecs_stand_beside_each_other() -> None:
    graph = part_imports()
    for codec in graph["codecs"] - COMMON:
        assert graph[codec] <= COMMON, f"{codec} imports {graph[codec] - COMMON}"
