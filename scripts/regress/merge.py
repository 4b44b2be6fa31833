# SPDX-License-Identifier: Apache-2.0
"""The code coverage of regressions, added up over tests, seeds and runs of the same hardware.

Each job of `make regress COVERAGE=1` leaves what its simulation counted. This adds it to what
earlier runs with the same sources in rtl/ have left, one file a test, in a folder named after a
digest of the sources: what other sources have counted stays apart. Renamed and removed tests do
not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.coverage.code import EXCLUSIONS, RTL, CodeCoverage, coverage_files, measure, test_of
from scripts.coverage.command import write_files
from scripts.coverage.points import add_up, write_records
from scripts.regress.run import Run
from scripts.runs.coverage import CoverageError, note_without_code, read_without_code
from scripts.runs.jobs import PASSED, SKIPPED
from tb.sim.cocotb_run import COVERAGE_FILE, COVERED_BY, folder_name

FOLDER, LEDGER, RESULT = "coverage", "runs.json", "code.json"
DIGITS = 12


@dataclass(frozen=True)
class Merged:
    """The coverage of a run with that of earlier ones, and where its page is."""

    coverage: CodeCoverage
    page: Path
    lost: int  # jobs of this run that passed and whose coverage is not here


def state_of(rtl: Path = RTL) -> str:
    """What tells the sources of the hardware apart."""
    digest = hashlib.sha256()
    for path in sorted(rtl.glob("*/*.v")):
        digest.update(f"{path.relative_to(rtl)}\n".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:DIGITS]


def merge(
    run: Run, folder: Path, state: str, rtl: Path = RTL, exclusions: Sequence[Path] = EXCLUSIONS
) -> Merged:
    """Add the coverage of a run to that of earlier ones with the same sources, and measure it.

    Args:
        run: the regression that has ended.
        folder: where its results are, and the coverage of earlier ones.
        state: of the sources when the run began.

    Raises:
        CoverageError: the sources have changed since, or nothing was counted.
    """
    if state_of(rtl) != state:
        raise CoverageError("the sources have changed during the run: its code coverage is dropped")
    store = folder / FOLDER / state
    found = sorted(folder.glob(f"jobs/*/*/runs/*/{COVERAGE_FILE}"))
    _add(found, store, rtl)
    passed = {outcome.job.node for outcome in run.outcomes if outcome.status in (PASSED, SKIPPED)}
    counted = {test_of(path) for path in coverage_files(store)}
    note_without_code(store, passed, counted)
    runs = [*_ledger(store), _entry(run, len(found))]
    (store / LEDGER).write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")

    tests = set(run.nodes) | set(run.left_out)
    coverage = measure(
        coverage_files(store), tests - read_without_code(store), rtl, exclusions, same_sources=True
    )
    others = sum(len(_ledger(other)) for other in store.parent.glob("*/") if other != store)
    coverage = replace(
        coverage,
        simulations=sum(entry["simulations"] for entry in runs),
        merged=story(runs, state, others),
    )
    page = write_files(coverage, folder / FOLDER / RESULT)
    with_coverage = {path.parents[2] for path in found}
    lost = sum(
        outcome.status == PASSED
        and outcome.job.node in counted
        and not any(str(place).endswith(outcome.log) for place in with_coverage)
        for outcome in run.outcomes
    )
    return Merged(coverage, page, lost)


def story(runs: Iterable[dict], state: str, others: int) -> str:
    """What has been added up, in words."""
    runs = list(runs)
    seeds = {seed for entry in runs for seed in entry["seeds"]}
    words = f"{_count(len(runs), 'run')} with {_count(len(seeds), 'seed')} of sources {state}"
    return f"{words}; {_count(others, 'run')} of other sources left out" if others else words


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _add(files: Collection[Path], store: Path, rtl: Path) -> None:
    """Add what simulations counted to the file of each test."""
    by_test: dict[str, list[Path]] = {}
    for path in files:
        by_test.setdefault(test_of(path) or "", []).append(path)
    for test, paths in sorted(by_test.items()):
        name = f"{folder_name(test)[:120]}-{hashlib.sha256(test.encode()).hexdigest()[:DIGITS]}"
        merged = store / name / COVERAGE_FILE
        records, _ = add_up([*paths, *([merged] if merged.is_file() else [])], rtl)
        merged.parent.mkdir(parents=True, exist_ok=True)
        merged.with_name(COVERED_BY).write_text(test, encoding="utf-8")
        write_records(merged, records)


def _ledger(store: Path) -> list[dict]:
    """The runs that have been added up in a folder."""
    try:
        runs = json.loads((store / LEDGER).read_text(encoding="utf-8"))
        return [{**entry, "seeds": list(entry["seeds"])} for entry in runs]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _entry(run: Run, simulations: int) -> dict[str, object]:
    return {
        "started": run.started,
        "commit": run.commit,
        "seeds": sorted({outcome.job.seed for outcome in run.outcomes}),
        "simulations": simulations,
    }
