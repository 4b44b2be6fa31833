# SPDX-License-Identifier: Apache-2.0
"""The dashboard of a regression: one HTML file that needs nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import yaml

from scripts.console.shown import rounded
from scripts.coverage.code import RESULT as CODE_RESULT
from scripts.coverage.functional import Point, merged, total_percent
from scripts.regress.code_coverage import read_code_coverage
from scripts.regress.merge import FOLDER, RESULT
from scripts.regress.results import ordered, read_history, without_command
from scripts.regress.run import Run
from scripts.regress.signature import names_its_test, signature
from scripts.runs.collect import ROOT, module_of, name_of, unit_of
from scripts.runs.coverage import CoverageError
from scripts.runs.evidence import cited, nodes_of
from scripts.runs.jobs import BAD, FAILED, LOST, PASSED, SKIPPED, STATUSES, Outcome
from tb.sim.paths import relative
from tb.sim.systems import system_files

TESTPLANS = tuple(system_files("testplan.yaml"))
SLOWEST = 12
HISTORY_RUNS = 40
CHART_WIDTH, CHART_HEIGHT = 720, 150


@dataclass
class Row:
    """A feature of the test plan or a module, with what its tests came to."""

    name: str
    title: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    tests: int = 0  # of those that are planned, how many have run
    planned: int = 0

    @property
    def ran(self) -> int:
        """Number of jobs that were not skipped."""
        return self.counts.total() - self.counts[SKIPPED]

    @property
    def rate(self) -> float | None:
        """Share of passed jobs among those that were not skipped; None when there are none."""
        return self.counts["passed"] / self.ran if self.ran else None


@dataclass(frozen=True)
class Bucket:
    """Failures of one unit with the same signature."""

    unit: str  # the module or the file, and the test if the message does not name it
    signature: str
    outcomes: list[Outcome]

    @property
    def tests(self) -> int:
        """Number of different tests among them."""
        return len({outcome.job.node for outcome in self.outcomes})


@dataclass(frozen=True)
class Bar:
    """One run in the chart of the history: bottom and height of each part, in pixels."""

    x: float
    width: float
    parts: list[tuple[str, float, float]]  # kind, y, height
    title: str


def write_dashboard(run: Run, folder: Path) -> Path:
    """Write dashboard.html into the folder of the results, from the run and the history there."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("scripts.regress"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    features = feature_rows(run.outcomes, TESTPLANS, run.left_out)
    history = read_history(folder)
    coverage = list(merged_coverage(folder).values())
    path = folder / "dashboard.html"
    result = folder / FOLDER / RESULT if run.coverage else CODE_RESULT
    code_page = result.with_suffix(".html")
    text = environment.get_template("dashboard.html").render(
        run=run,
        statuses=STATUSES,
        bad=sum(run.counts[status] for status in BAD),
        missing=run.total - len(run.outcomes),
        rows=module_rows(run.outcomes) if features is None else features,
        row_kind="module" if features is None else "planned feature",
        coverage=coverage,
        bins_hit=total_percent(coverage),
        code=read_code_coverage(result),
        code_page=relative(code_page) if code_page.is_file() else None,
        rounded=rounded,
        slowest=slowest(run.outcomes),
        buckets=buckets(run.outcomes),
        skipped=skipped(run.outcomes),
        bars=bars(history),
        history=history[-HISTORY_RUNS:],
        chart=(CHART_WIDTH, CHART_HEIGHT),
        name_of=name_of,
        without_command=without_command,
        module_of=module_of,
        up="../" * len(folder.relative_to(ROOT).parts) if folder.is_relative_to(ROOT) else "",
    )
    path.write_text(text, encoding="utf-8")
    return path


def module_rows(outcomes: Iterable[Outcome]) -> list[Row]:
    """One row for each file of tests."""
    rows: dict[str, Row] = {}
    for outcome in ordered(outcomes):
        module = module_of(outcome.job.node)
        rows.setdefault(module, Row(module)).counts[outcome.status] += 1
    return list(rows.values())


def feature_rows(
    outcomes: Iterable[Outcome], plans: Iterable[Path], left_out: Iterable[str] = ()
) -> list[Row] | None:
    """One row for each feature of the test plans; None when there is no plan that can be read.

    Args:
        left_out: tests that there are and that did not run.
    """
    features: list[tuple[str, Mapping]] = []
    for plan in plans:
        try:
            features += _features(yaml.safe_load(plan.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError, TypeError, AttributeError):
            return None
    outcomes = list(outcomes)
    rows = []
    for name, feature in features:
        tests = [cited(str(test)) for test in feature.get("tests") or []]
        counts = Counter(
            status_of(outcome, named[0])
            for outcome in outcomes
            if (named := [test for test in tests if belongs(outcome.job.node, test)])
        )
        ran = {outcome.job.node for outcome in outcomes if outcome.status != SKIPPED}
        ran = {node for node in ran if any(belongs(node, test) for test in tests)}
        missed = [node for node in left_out if any(belongs(node, test) for test in tests)]
        title = str(feature.get("title", ""))
        rows.append(Row(name, title, counts, len(ran), len(ran) + len(missed)))
    return rows or None


def _features(document: object) -> Iterable[tuple[str, Mapping]]:
    """Name and entry of each feature, from a mapping or a list, at the top or under `features`."""
    if isinstance(document, Mapping):
        document = document.get("features", document)
    if isinstance(document, Mapping):
        yield from ((str(name), feature) for name, feature in document.items())
    else:
        for feature in document:
            yield str(feature.get("name") or feature.get("id") or feature.get("feature")), feature


def belongs(node: str, test: str) -> bool:
    """Whether a collected test is one that the plan names.

    That is a pytest test or file by its id, or, in a file that pytest does not collect, a test
    that a simulation runs: a UVM test by its class, a cocotb test by its module.
    """
    path, _, name = test.partition("::")
    if Path(path).name.startswith("test_"):
        return node.startswith(f"{test}::") or bool(nodes_of(test, [node]))
    beside = Path(path).is_relative_to(Path(node.split("::")[0]).parent)
    parameters = name_of(node).partition("[")[2].rstrip("]").split("-")
    return beside and (name in parameters or Path(path).stem in parameters)


def status_of(outcome: Outcome, test: str) -> str:
    """The status of a planned test: a failure that names other cocotb tests is not its own."""
    path, _, name = test.partition("::")
    own = {line.partition(": ")[0] for line in outcome.message.splitlines()}
    of_cocotb = "repeat with" in own and "the simulation ended without results" not in own
    inside = not Path(path).name.startswith("test_") and name.islower()
    others = outcome.status == FAILED and of_cocotb and inside and name not in own
    return PASSED if others else outcome.status


def merged_coverage(folder: Path) -> dict[str, Point]:
    """The functional coverage of the jobs of this run, added up."""
    try:
        return merged(sorted(folder.glob("jobs/*/*/runs/*/coverage.json")))
    except (OSError, CoverageError):
        return {}


def slowest(outcomes: Iterable[Outcome]) -> list[tuple[str, float, float]]:
    """Test, mean and longest seconds of those that take longest."""
    times: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        times[outcome.job.node].append(outcome.seconds)
    rows = [(name_of(node), sum(took) / len(took), max(took)) for node, took in times.items()]
    return sorted(rows, key=lambda row: -row[1])[:SLOWEST]


def buckets(outcomes: Iterable[Outcome]) -> list[Bucket]:
    """Failures by unit and signature, the most frequent first: each is one fault, as it seems."""
    found: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in ordered(outcomes):
        if outcome.status in BAD:
            found[faulty_unit(outcome), signature(outcome.message)].append(outcome)
    return sorted(
        (Bucket(*key, members) for key, members in found.items()),
        key=lambda bucket: -len(bucket.outcomes),
    )


def faulty_unit(outcome: Outcome) -> str:
    """What a failure is one of, whatever parameters and seed it had.

    That is the module whose bench it is, or else the file, and the test where the message does
    not begin with a test; a process that was lost is no test's fault.
    """
    node = outcome.job.node
    if outcome.status == LOST:
        return ""
    test = [] if names_its_test(outcome.message) else [name_of(node).partition("[")[0]]
    return " ".join([unit_of(node) or module_of(node), *test])


def skipped(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    """Test and reason of what was skipped."""
    found = {
        (name_of(outcome.job.node), outcome.message): None
        for outcome in ordered(outcomes)
        if outcome.status == SKIPPED
    }
    return list(found)


def bars(history: list[dict]) -> list[Bar]:
    """The chart of the latest runs: a bar each, as high as the share of its jobs."""
    shown = history[-HISTORY_RUNS:]
    step = CHART_WIDTH / max(len(shown), 12)
    return [_bar(entry, place * step, step * 0.8) for place, entry in enumerate(shown)]


def _bar(entry: dict, x: float, width: float) -> Bar:
    counts = entry["counts"]
    bad = sum(counts.get(status, 0) for status in BAD)
    shares = [(PASSED, counts.get(PASSED, 0)), (SKIPPED, counts.get(SKIPPED, 0)), ("bad", bad)]
    done = sum(count for _, count in shares)
    total = max(done, entry.get("jobs", 0), 1)
    shares.append(("missing", total - done))
    parts, y = [], float(CHART_HEIGHT)
    for kind, count in shares:
        height = CHART_HEIGHT * count / total
        height = max(height, 3.0) if count else 0.0
        y -= height
        parts.append((kind, max(y, 0.0), height))
    title = (
        f"{entry.get('started', '?')} {entry.get('commit', '')} {entry.get('sim', '')}: "
        f"{counts.get(PASSED, 0)} passed, {bad} failed of {entry.get('jobs', '?')}, "
        f"SEED={entry.get('first_seed', '?')}"
    )
    return Bar(round(x, 2), round(width, 2), parts, title)
