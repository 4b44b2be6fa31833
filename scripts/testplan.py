# SPDX-License-Identifier: Apache-2.0
"""Check tb/<system>/testplan.yaml: each feature has tests that passed, coverage met, an owner.

    python -m scripts.testplan

Says one line for each fault and writes build/testplan/testplan.json. Results and coverage are those
of what has run in this tree: `make test` on either simulator runs all that is planned.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from scripts.console.shown import rounded
from scripts.coverage.functional import Point, coverage_files, merged, total_percent
from scripts.runs.collect import SelectionError, collect
from scripts.runs.coverage import CoverageError
from scripts.runs.evidence import Evidence, EvidenceError, cited, nodes_of, read_evidence
from scripts.runs.job_summary import add_to_summary
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.modules import rtl_modules
from tb.sim.paths import ROOT, relative
from tb.sim.systems import system_files

RESULT = ROOT / "build" / "testplan" / "testplan.json"
TEXTS, LISTS = ("name", "title", "description"), ("tests", "owner")
OPTIONAL = {"cover": list, "goal": int}
DECORATORS = ("cocotb.test", "pyuvm.test")
NONE = "there is no coverage: run make test first"


class PlanError(ValueError):
    """A plan that is no plan; the message is one line."""


@dataclass(frozen=True)
class Feature:
    """One thing the hardware must do.

    tests: `file::test`; a pytest function, a cocotb test or a UVM test. A pytest function may have
        brackets, with how its parameters begin; a cocotb test is cited as `module::test`.
    owner: modules of rtl/ that do it.
    cover: names of cover points, `*` for any part of a name.
    goal: percent of the bins of each of them that must be hit.
    """

    name: str
    title: str
    description: str
    tests: tuple[str, ...]
    owner: tuple[str, ...]
    cover: tuple[str, ...] = ()
    goal: int = 100


@dataclass
class Report:
    """What was found of each feature, and every fault in one line."""

    faults: list[str] = field(default_factory=list)
    features: list[dict] = field(default_factory=list)


def read_plan(text: str) -> list[Feature]:
    """The features of a plan.

    Raises PlanError for text that is no YAML, and for a feature without all it needs.
    """
    try:
        plan = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PlanError(f"no YAML: {' '.join(str(error).split())}") from None
    entries = plan.get("features") if isinstance(plan, dict) else None
    if not isinstance(entries, list) or not entries:
        raise PlanError("has no list of features")
    return [_feature(number, entry) for number, entry in enumerate(entries, start=1)]


def plans() -> list[Path]:
    """The plan of every system."""
    return system_files("testplan.yaml")


def read_plans(paths: Iterable[Path]) -> list[Feature]:
    """The features of all plans.

    Raises PlanError, which names the file, for one that cannot be read.
    """
    features: list[Feature] = []
    for path in paths:
        try:
            features += read_plan(path.read_text(encoding="utf-8"))
        except (PlanError, OSError) as error:
            raise PlanError(f"{relative(path)}: {error}") from None
    return features


def _feature(number: int, entry: object) -> Feature:
    if not isinstance(entry, dict):
        raise PlanError(f"feature {number} is no mapping")
    where = f"feature {entry.get('name', number)}"
    for key in TEXTS:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise PlanError(f"{where} has no {key}")
    if unknown := set(entry) - {*TEXTS, *LISTS, *OPTIONAL}:
        raise PlanError(f"{where} has an unknown key {sorted(map(str, unknown))[0]}")
    for key, kind in OPTIONAL.items():
        if not isinstance(entry.get(key, kind()), kind):
            raise PlanError(f"{where}: {key} is no {kind.__name__}")
    lists = {}
    for key in (*LISTS, "cover"):
        found = entry.get(key) or []
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise PlanError(f"{where}: {key} is no list of names")
        lists[key] = tuple(map(cited, found) if key == "tests" else found)
    texts = {key: entry[key].strip() for key in TEXTS}
    return Feature(**texts, **lists, goal=entry.get("goal", 100))


@cache
def tests_in(path: Path) -> frozenset[str]:
    """Names of the tests in a Python file: pytest functions, cocotb tests, UVM tests."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            decorators = {ast.unparse(each).split("(")[0] for each in node.decorator_list}
            is_pytest = path.stem.startswith("test_") and node.name.startswith("test_")
            if is_pytest or decorators & set(DECORATORS):
                names.add(node.name)
    return frozenset(names)


def is_there(test: str, root: Path = ROOT) -> bool:
    """Whether `file::test` is there; parameters in brackets do not count."""
    file, separator, name = test.partition("::")
    path = root / file
    return bool(separator) and path.is_file() and name.split("[")[0] in tests_in(path)


def tests_of_pytest(features: list[Feature], root: Path = ROOT) -> list[str]:
    """The tests, with their parameters, in the files of pytest that a plan names.

    Raises SelectionError when pytest cannot collect them.
    """
    files = {test.partition("::")[0] for feature in features for test in feature.tests}
    names = sorted(
        name for name in files if Path(name).name.startswith("test_") and (root / name).is_file()
    )
    return collect(None, chosen_simulator(), names) if names else []


def check(
    features: list[Feature],
    points: dict[str, Point],
    modules: set[str],
    evidence: Evidence,
    collected: list[str],
    root: Path = ROOT,
) -> Report:
    """Compare a plan with the tests, their results, the coverage and the modules that there are.

    Args:
        collected: the tests of pytest with their parameters, all of which have to pass.
    """
    report = Report()
    names = [feature.name for feature in features]
    for name in sorted({name for name in names if names.count(name) > 1}):
        report.faults.append(f"{name}: stands {names.count(name)} times in the plan")
    covered: set[str] = set()
    for feature in features:
        matched = [name for name in points if _matches(name, feature)]
        covered |= set(matched)
        report.faults += _faults_of_tests(feature, evidence, collected, root)
        report.faults += _faults(feature, points, modules)
        percents = {name: round(points[name].percent, 2) for name in matched}
        report.features.append(asdict(feature) | {"coverage": percents})
    owned = {module for feature in features for module in feature.owner}
    report.faults += [f"module {name} belongs to no feature" for name in sorted(modules - owned)]
    report.faults += [
        f"cover point {name} belongs to no feature" for name in sorted(set(points) - covered)
    ]
    return report


def _matches(point: str, feature: Feature) -> bool:
    return any(fnmatchcase(point, pattern) for pattern in feature.cover)


def _faults_of_tests(
    feature: Feature, evidence: Evidence, collected: list[str], root: Path
) -> Iterator[str]:
    if not feature.tests:
        yield f"{feature.name}: has no test"
    for test in feature.tests:
        if not is_there(test, root) or (test.endswith("]") and not nodes_of(test, collected)):
            yield f"{feature.name}: there is no test {test}"
        elif missing := evidence.missing(test, collected):
            yield f"{feature.name}: {missing}"


def _faults(feature: Feature, points: dict[str, Point], modules: set[str]) -> Iterator[str]:
    name = feature.name
    if not feature.owner:
        yield f"{name}: has no owner"
    for module in feature.owner:
        if module not in modules:
            yield f"{name}: there is no module {module} in rtl/"
    for pattern in feature.cover:
        matched = [point for point in points.values() if fnmatchcase(point.name, pattern)]
        if not matched:
            yield f"{name}: no simulation has sampled the cover point {pattern}"
        for point in matched:
            if point.percent < feature.goal:
                yield (
                    f"{name}: {point.name} is at {point.percent:.0f} % of {feature.goal} %, "
                    f"missing {', '.join(point.missed)}"
                )


def main() -> int:
    """Exit code 0 for a plan that holds, 1 with a line for each fault, 2 when it cannot be told."""
    try:
        features = read_plans(plans())
        files = coverage_files()
        points = merged(files)
        evidence, collected = read_evidence(), tests_of_pytest(features)
    except (PlanError, CoverageError, EvidenceError, SelectionError) as error:
        print(f"testplan: {error}", file=sys.stderr)
        return 2
    if not files:
        print(f"testplan: {NONE}", file=sys.stderr)
        return 2
    report = check(features, points, set(rtl_modules()), evidence, collected)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    for fault in report.faults:
        print(fault)
    tests = {test for feature in features for test in feature.tests}
    print(
        f"testplan: {len(features)} features, {len(tests)} tests, {len(points)} cover points from "
        f"{len(files)} simulations, {len(report.faults)} faults"
    )
    add_to_summary(
        "Test plan",
        {
            "features": len(features),
            "tests": len(tests),
            "cover points": len(points),
            "bins hit": f"{rounded(total_percent(points.values()))} %",
            "faults": len(report.faults),
        },
        report.faults,
    )
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
