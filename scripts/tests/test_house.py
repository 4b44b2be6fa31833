"""Rules of the house that no tool knows: where things stand, and what names mean."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from scripts.rtl import ROOT, rtl_modules
from tb.sim.sets import bench_files, bench_of

PARAMETER = re.compile(r"(?://\s*([^\n]*)\n\s*)?\bparameter\s+(\w+)\s*=")
# What a parameter is; what follows in its comment is what a module asks of the value.
MEANING = re.compile(r"[^,;:]*")
# Names that mean several things: how many.
SEVERAL = {
    "BEAT_W": 2, "COUNT_W": 4, "DEPTH": 2, "LANES": 2, "PIECE_W": 3, "REGION_W": 2, "ROW_W": 2,
    "WORD_W": 2,
}  # fmt: skip


def imports(path: Path) -> set[str]:
    """Dotted names of what a Python file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}", *(f"{node.module}.{each.name}" for each in node.names)}
    return found


def test_each_module_has_its_bench_and_each_bench_its_module() -> None:
    for module, source in rtl_modules().items():
        bench = ROOT / "tb" / source.parent.name / f"{module}.py"
        assert bench_files().get(module) == bench, f"{module} has no bench {bench}"
    for module in bench_files():
        bench = bench_of(module)
        assert bench.sets
        assert bench.sources[0].stem == module


def test_what_looks_like_a_bench_of_a_module_is_one() -> None:
    """A bench of a module that is gone, or was renamed, is found by its name."""
    for system in {source.parent.name for source in rtl_modules().values()}:
        named = {path.stem for path in (ROOT / "tb" / system).rglob(f"{system}_*.py")}
        assert named - set(bench_files()) == set()


def test_no_bench_imports_a_bench() -> None:
    benches = {bench_of(module).test_module: path for module, path in bench_files().items()}
    for path in benches.values():
        shared = imports(path) & set(benches)
        assert not shared, f"{path.name} imports {shared}: what benches share stands in env/"


def meanings() -> dict[str, dict[str, list[str]]]:
    """What each parameter means, by its name: the meaning, and the modules that say so."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for module, source in rtl_modules().items():
        for comment, name in PARAMETER.findall(source.read_text(encoding="utf-8")):
            found[name][MEANING.match(comment)[0].strip()].append(module)
    return found


def test_a_parameter_means_the_same_everywhere() -> None:
    for name, said in meanings().items():
        assert "" not in said, f"{name} has no comment in {said['']}"
        assert len(said) == SEVERAL.get(name, 1), f"{name}: {dict(said)}"
