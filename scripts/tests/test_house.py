# SPDX-License-Identifier: Apache-2.0
"""Where things stand and who may know whom: the rules of CONTRIBUTING.md that a test can hold."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from model.tests.imports import imported
from tb.sim.modules import rtl_modules, verilog_text
from tb.sim.paths import ROOT
from tb.sim.sets import bench_files, bench_of

PARAMETER = re.compile(r"(?://\s*([^\n]*)\n\s*)?\bparameter\s+(\w+)\s*=")
# What a parameter is; what follows in its comment is what a module asks of the value.
MEANING = re.compile(r"[^,;:]*")
# What a comment asks of the value.
RULE = re.compile(r"\d\.\.|at least|at most|power of two|multiple of")
SHARED = {"sim", "bus", "uvm", "cell"}  # folders of tb/ that know no system
ABOVE = {"model": {"tb", "scripts"}, "tb": {"scripts"}, "scripts": set()}
# The places that may know several systems, beside the tests of scripts.
MEETING = ("model/codecs.py", "model/report/", "scripts/benchmark/", "scripts/report.py")


def python_files(folder: str) -> list[Path]:
    """Python files below a folder of the repository."""
    return sorted((ROOT / folder).rglob("*.py"))


def systems() -> set[str]:
    """The folders of rtl/ that are systems."""
    return {path.name for path in (ROOT / "rtl").iterdir() if path.is_dir()} - SHARED


def system_of(name: str) -> str | None:
    """The system whose folder a dotted name lies in."""
    parts = name.split(".")
    inside = len(parts) > 1 and parts[0] in ("tb", "model") and parts[1] in systems()
    return parts[1] if inside else None


@pytest.mark.parametrize("folder", ABOVE)
def test_arrows_run_from_scripts_to_benches_to_the_model(folder: str) -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in python_files(folder)
        for name in imported(path)
        if name.split(".")[0] in ABOVE[folder]
    }
    assert not found
    assert python_files(folder)


def test_what_is_shared_by_benches_knows_no_system() -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for folder in sorted(SHARED)
        for path in python_files(f"tb/{folder}")
        for name in imported(path)
        if system_of(name)
    }
    assert not found


def test_no_system_imports_another() -> None:
    found = set()
    for system in systems():
        for place in ("model", "tb"):
            for path in python_files(f"{place}/{system}"):
                shown = str(path.relative_to(ROOT))
                if not shown.startswith(MEETING):
                    others = {system_of(name) for name in imported(path)} - {None, system}
                    found |= {(shown, other) for other in others}
    assert not found


def test_no_command_names_a_system() -> None:
    """A tool that knows one codec by name does not know the next."""
    tools = [path for path in python_files("scripts") if "tests" not in path.parts]
    words = re.compile(r"(?<![\w-])[a-z]+_\w+|(?<=tb/)\w+(?=/)")
    named = set(rtl_modules()) | systems()
    found = {
        (str(path.relative_to(ROOT)), match[0])
        for path in [*tools, *(ROOT / "scripts").rglob("*.html"), ROOT / "Makefile"]
        for match in words.finditer(path.read_text(encoding="utf-8"))
        if match[0] in named
    }
    reached = {
        (shown, name)
        for path in tools
        if not (shown := str(path.relative_to(ROOT))).startswith(MEETING)
        for name in imported(path)
        if system_of(name)
    }
    assert not found and not reached


def test_names_of_modules_begin_with_their_folder_s() -> None:
    assert all(name.startswith(f"{path.parent.name}_") for name, path in rtl_modules().items())


@pytest.mark.parametrize("system", sorted(systems() | {"cell"}))
def test_a_system_is_the_same_in_each_folder(system: str) -> None:
    assert (ROOT / "tb" / system / "testplan.yaml").is_file()
    if system != "cell":
        assert (ROOT / "model" / system).is_dir()
        assert (ROOT / "docs" / system).is_dir()


def test_each_system_of_the_benches_is_one_of_the_hardware() -> None:
    folders = {path.parent.name for path in (ROOT / "tb").glob("*/__init__.py")}
    assert folders - {"sim", "bus", "uvm"} == systems() | {"cell"}


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
    for path in python_files("tb"):
        shared = set(imported(path)) & set(benches)
        assert not shared, f"{path.name} imports {shared}: what benches share stands in env/"


def meanings() -> dict[str, dict[str, list[str]]]:
    """What each parameter means, by its name: the meaning, and the modules that say so."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for module, source in rtl_modules().items():
        for comment, name in PARAMETER.findall(source.read_text(encoding="utf-8")):
            found[name][MEANING.match(comment)[0].strip()].append(module)
        declared = len(re.findall(r"\bparameter\b", verilog_text(source)))
        assert declared == len(PARAMETER.findall(source.read_text(encoding="utf-8"))), module
    return found


def test_a_parameter_means_the_same_everywhere() -> None:
    for name, said in meanings().items():
        assert "" not in said, f"{name} has no comment in {said['']}"
        assert len(said) == 1, f"{name}: {dict(said)}"


def test_a_rule_in_a_parameter_s_comment_has_a_value_that_breaks_it() -> None:
    left = set()
    for module, source in rtl_modules().items():
        tried = {name for each in bench_of(module).illegal.values() for name in each}
        for comment, name in PARAMETER.findall(source.read_text(encoding="utf-8")):
            derived = "leave at its default" in comment
            if RULE.search(comment) and not derived and name not in tried:
                left.add(f"{module}: {name}: {comment}")
    assert left == set()


def test_a_cell_s_header_has_an_example_and_no_word_of_a_system() -> None:
    words = re.compile(r"\b(symbol|interval|table|group|tensor|apack)s?\b", re.IGNORECASE)
    for module, source in rtl_modules().items():
        if source.parent.name == "cell":
            header = source.read_text(encoding="utf-8").partition("*/")[0]
            assert "Example" in header, f"{module} has no example"
            assert not words.search(header), f"{module} speaks of a {words.search(header)[0]}"
