# SPDX-License-Identifier: Apache-2.0
"""The regression: every way a job can end, worker processes that die, and what people read."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest
from distributed import LocalCluster

from scripts.regress import dashboard
from scripts.regress.cluster import SAME, SOURCES, ClusterError, check_versions, digest
from scripts.regress.code_coverage import read_code_coverage
from scripts.regress.dashboard import (
    Row,
    bars,
    belongs,
    buckets,
    feature_rows,
    merged_coverage,
    write_dashboard,
)
from scripts.regress.failed import read_failed
from scripts.regress.results import read_history, write_results
from scripts.regress.run import Run, jobs_of, perform
from scripts.regress.signature import signature
from scripts.regress.workers import ClusterWorkers, LocalWorkers, Workers, WorkersError
from scripts.runs.collect import ROOT, SelectionError, collect, selection_of
from scripts.runs.jobs import FAILED, LOST, PASSED, SKIPPED, TIMED_OUT, Job, Outcome, run_job
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.waveform import Waveform

TOYS = "scripts/tests/regress_toys.py"
HANG_SECONDS = 600  # a limit for what never ends, however slow the machine


@pytest.fixture(autouse=True)
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_MARK", str(tmp_path / "mark"))


def toy(
    name: str, folder: Path, seed: int = 2, limit: float = HANG_SECONDS, waves: bool = False
) -> Job:
    return Job(f"{TOYS}::{name}", seed, chosen_simulator(), name, limit, str(folder), waves=waves)


def regress(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.regress", "--sim", chosen_simulator()]
    command += ["--tests", TOYS, "--folder", str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def results(folder: Path) -> dict[tuple[str, int], dict]:
    document = json.loads((folder / "results.json").read_text())
    found = {(entry["test"].split("::")[1], entry["seed"]): entry for entry in document["results"]}
    assert len(found) == len(document["results"])
    return found


@pytest.mark.parametrize(
    ("name", "seed", "status", "message"),
    [
        ("test_counts", 2, PASSED, ""),
        ("test_odd_seed_fails", 2, PASSED, ""),
        ("test_odd_seed_fails", 3, FAILED, "seed 3 is odd, at 0x3"),
        ("test_skips", 2, SKIPPED, "nothing to be done here"),
        ("test_counts_no_code", 2, PASSED, ""),
        ("test_has_no_terminal", 2, PASSED, ""),
        ("test_has_no_limit", 2, PASSED, ""),
        ("test_dies", 2, LOST, "its process was ended by SIGKILL"),
        ("test_no_such", 2, FAILED, "pytest ended with code 4"),
    ],
)
def test_a_job_says_how_it_ended(
    tmp_path: Path, monkeypatch, name: str, seed: int, status: str, message: str
) -> None:
    for variable in ("COVERAGE", "DEBUG"):  # are not for jobs
        monkeypatch.setenv(variable, "1")
    outcome = run_job(toy(name, tmp_path, seed))
    assert outcome.status == status, outcome.message
    assert outcome.message.startswith(message)
    assert outcome.seconds > 0


def test_a_job_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    processes: list[subprocess.Popen] = []
    outcome = run_job(toy("test_hangs", tmp_path, limit=3), processes.append)
    assert (outcome.status, outcome.message) == (TIMED_OUT, "not over after 3 s")
    with pytest.raises(ProcessLookupError):
        os.killpg(processes[0].pid, 0)


@pytest.mark.parametrize("way", ["at each edge", "in Python", "with nothing awaited"])
def test_the_waveform_of_a_simulation_that_hangs_goes_up_to_the_limit(
    tmp_path: Path, way: str
) -> None:
    job = toy(f"test_simulation_hangs[{way}]", tmp_path, limit=4, waves=True)
    outcome = run_job(replace(job, hangs=True))
    assert (outcome.status, outcome.message) == (TIMED_OUT, "not over after 4 s")
    changes = list(Waveform(ROOT / outcome.waves).changes("count"))  # raises for a torn file
    assert len(changes) > (0 if way == "in Python" else 100)


@dataclass
class Fakes:
    """Workers that give back what they are told to, and keep what they were given."""

    endings: list[tuple[str, str, str]]  # status, log, waves
    name: str = "fakes"
    jobs: list[Job] = field(default_factory=list)

    def submit(self, job: Job) -> None:
        """Keep a job."""
        self.jobs.append(job)

    def take(self, seconds: float) -> Outcome:
        """The next job's outcome."""
        status, log, waves = self.endings.pop(0)
        job = self.jobs[-1]
        return Outcome(job, status, "why", 1.0, "host", log, waves if job.waves else "")

    def close(self) -> list[Outcome]:
        """Nothing runs."""
        return []


@pytest.mark.parametrize(
    ("status", "simulated", "repeated"),
    [(FAILED, False, True), (TIMED_OUT, True, True), (TIMED_OUT, False, False),
     (LOST, True, False), (SKIPPED, True, False), (PASSED, True, False)],
)  # fmt: skip
def test_what_fails_or_hangs_is_repeated_with_a_waveform(
    tmp_path: Path, status: str, simulated: bool, repeated: bool
) -> None:
    """Where no simulation had begun at the limit, there is none to make a waveform of."""
    (tmp_path / "runs" / "x").mkdir(parents=True) if simulated else None
    workers = Fakes([(status, str(tmp_path), ""), (status, "", "waves.fst")])
    run = Run("icarus", 1, 1, 1, "here")
    perform(run, [toy("test_x", tmp_path)], workers, lambda outcome: None)
    (outcome,) = run.outcomes
    assert (outcome.status, outcome.log) == (status, str(tmp_path))
    assert (outcome.waves, outcome.repeated) == (("waves.fst", status) if repeated else ("", ""))
    assert [(job.waves, job.hangs) for job in workers.jobs] == [
        (False, False), *([(True, status == TIMED_OUT)] if repeated else [])
    ]  # fmt: skip


def test_a_failure_is_repeated_with_a_waveform_and_read_by_people(tmp_path: Path) -> None:
    done = regress(tmp_path, "--test", "told or odd or skips", "--seeds", "2", "--seed", "6")
    assert done.returncode == 1, done.stderr
    sim = chosen_simulator()
    assert f"make test SIM={sim} SEED=7 TEST='test_odd_seed_fails'" in done.stdout
    found = results(tmp_path)
    failed = found["test_told_to_fail", 7]
    assert failed["status"] == failed["repeated"] == FAILED
    assert Path(failed["waves"]).stat().st_size > 0
    assert failed["message"].startswith("draws_the_seed: told to fail")
    assert found["test_odd_seed_fails", 6]["status"] == PASSED
    assert found["test_skips", 6]["message"] == "nothing to be done here"
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "3", "2")
    page = (tmp_path / "dashboard.html").read_text()
    assert failed["waves"] in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert page.count('<span class="count">') == 2
    (entry,) = read_history(tmp_path)
    assert entry["counts"][FAILED] == 3


def test_a_run_is_reproduced_by_its_first_seed(tmp_path: Path) -> None:
    seeds = []
    for arguments in ([], ["--seed", "41"]):
        done = regress(tmp_path, "--test", "counts_no_code", "--seeds", "2", *arguments)
        assert done.returncode == 0
        first = int(re.search(r"SEED=(\d+)", done.stdout)[1])
        assert {seed for _, seed in results(tmp_path)} == {first, (first + 1) % 2**32}
        seeds.append(first)
    assert seeds[1] == 41 != seeds[0]
    assert len(read_history(tmp_path)) == 2


def test_what_failed_last_is_repeated_with_its_seeds_until_nothing_fails(tmp_path: Path) -> None:
    first = regress(tmp_path, "--test", "odd or told or skips", "--seeds", "2", "--seed", "6")
    assert first.returncode == 1
    failed = {("test_odd_seed_fails", 7), ("test_told_to_fail", 6), ("test_told_to_fail", 7)}

    part = regress(tmp_path, "--failed", "--test", "odd")
    assert part.returncode == 1, part.stderr
    assert set(results(tmp_path)) == {("test_odd_seed_fails", 7)}
    assert "1 jobs that failed last, with their seeds" in part.stdout
    assert "part of the regression: 1 of " in part.stdout

    document = json.loads((tmp_path / "results.json").read_text())
    kept = {(entry["test"].split("::")[1], entry["seed"]) for entry in document["not_run"]}
    assert kept == failed - {("test_odd_seed_fails", 7)}, "those that were not selected are lost"
    for entry in document["results"]:
        entry["status"] = PASSED
    document["not_run"] = []
    (tmp_path / "results.json").write_text(json.dumps(document))
    none = regress(tmp_path, "--failed")
    assert (none.returncode, none.stderr) == (0, "")
    assert none.stdout == "regress: nothing failed in the last regression\n"


@pytest.mark.parametrize(
    ("results_json", "arguments", "complaint"),
    [
        (None, [], "there is no earlier regression: run make regress without FAILED=1"),
        ("{", [], "results.json cannot be read: run make regress without FAILED=1"),
        ("[]", [], "results.json cannot be read: run make regress without FAILED=1"),
        ('{"results": [{}]}', [], "results.json cannot be read"),
        ("one", ["--seed", "3"], "FAILED=1 repeats the seeds that failed: leave out SEED"),
        ("one", ["--seeds", "3"], "FAILED=1 repeats the seeds that failed: leave out SEED"),
        ("one", ["--test", "skips"], "no test that failed last matches TEST='skips'"),
        ("gone", [], "no test that failed last is there any more"),
    ],
)
def test_what_cannot_be_repeated_is_told(
    tmp_path: Path, results_json: str | None, arguments: list[str], complaint: str
) -> None:
    test = {"one": "test_told_to_fail", "gone": "test_gone"}.get(results_json or "")
    if test:
        entry = {"test": f"{TOYS}::{test}", "seed": 5, "status": FAILED}
        results_json = json.dumps({"sim": chosen_simulator(), "results": [entry]})
    if results_json:
        (tmp_path / "results.json").write_text(results_json)
    done = regress(tmp_path, "--failed", *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("jobs"))


def test_an_interrupted_repetition_forgets_no_failure(tmp_path: Path) -> None:
    jobs = [toy("test_a", tmp_path, 1), toy("test_b", tmp_path, 2)]
    run = Run("icarus", 1, 2, 2, "here", interrupted=True, repeats=jobs)
    run.outcomes.append(Outcome(jobs[0], PASSED))
    write_results(run, tmp_path)
    assert read_failed(tmp_path).jobs == [(f"{TOYS}::test_b", 2)]
    assert run.part == "only what failed in the run before, 1 of 2 jobs not run"


def test_a_run_of_skipped_tests_is_none(tmp_path: Path) -> None:
    done = regress(tmp_path, "--test", "skips", "--seeds", "2")
    assert done.returncode == 2
    assert done.stderr == "regress: every test was skipped: nothing passed or failed\n"
    (entry,) = read_history(tmp_path)
    assert (entry["counts"][SKIPPED], entry["pass_rate"]) == (2, 0)


def run_toys(workers: Workers, folder: Path, names: list[str], seeds: int) -> Run:
    sim = chosen_simulator()
    nodes = [f"{TOYS}::{name}" for name in names]
    run = Run(sim, 2, seeds, len(nodes), workers.name)
    jobs = jobs_of(nodes, 2, seeds, sim, HANG_SECONDS, str(folder))
    perform(run, jobs, workers, lambda outcome: None)
    return run


def test_a_local_process_that_dies_is_replaced(tmp_path: Path) -> None:
    (outcome,) = run_toys(LocalWorkers(1), tmp_path, ["test_dies_once"], 1).outcomes
    assert (outcome.status, outcome.attempts) == (PASSED, 2)


def listen_to_interrupts() -> None:
    """A shell that runs the tests in the background makes them ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def ended(process: subprocess.Popen) -> Iterator[None]:
    """End a process however the test ends: nobody would otherwise."""
    try:
        yield
    finally:
        process.terminate()


def wait_for_outcome(folder: Path, name: str) -> None:
    """Wait until a job's test has ended; its process and its outcome may be on their way still."""
    deadline = time.monotonic() + HANG_SECONDS
    while not list(folder.glob(f"jobs/*/*{name}*/outcome.json")):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_closing_returns_the_outcome_of_each_test_that_had_ended(tmp_path: Path) -> None:
    """Its process may not have ended, nor anybody have read what it left."""
    workers = LocalWorkers(2)
    for name in ("test_lingers", "test_hangs"):
        workers.submit(toy(name, tmp_path))
    wait_for_outcome(tmp_path, "lingers")
    (outcome,) = workers.close()
    assert (outcome.job.selection, outcome.status) == ("test_lingers", PASSED)


@dataclass
class Interrupted:
    """Workers of a run that is interrupted while they have an outcome that nobody took."""

    run: Run
    jobs: list[Job] = field(default_factory=list)
    name: str = "nobody"

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def take(self, seconds: float) -> Outcome | None:
        self.run.interrupted = len(self.jobs) == 4
        return None if self.run.interrupted else Outcome(self.jobs[0], FAILED)

    def close(self) -> list[Outcome]:
        return [Outcome(self.jobs[1], PASSED)]


def test_interrupting_keeps_what_was_not_taken_and_what_was_to_be_repeated(tmp_path: Path) -> None:
    run = Run(chosen_simulator(), 2, 1, 3, "nobody")
    jobs = [toy(name, tmp_path) for name in ("test_fails", "test_passes", "test_hangs")]
    advanced: list[Outcome] = []
    perform(run, jobs, Interrupted(run), advanced.append)
    found = {outcome.job.selection: outcome.status for outcome in run.outcomes}
    assert found == {"test_fails": FAILED, "test_passes": PASSED}
    assert [outcome.job.selection for outcome in advanced] == ["test_passes"]


def test_interrupting_leaves_what_is_known(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.regress", "--sim", chosen_simulator(), "--tests"]
    command += [TOYS, "--folder", str(tmp_path), "--test", "skips or test_hangs", "--jobs", "2"]
    with (
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=listen_to_interrupts
        ) as process,
        ended(process),
    ):
        wait_for_outcome(tmp_path, "skips")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 130
    assert "interrupted: " in output and "not run" in output and "Traceback" not in output
    document = json.loads((tmp_path / "results.json").read_text())
    assert document["interrupted"]
    assert {entry["status"] for entry in document["results"]} == {SKIPPED}
    assert "interrupted" in (tmp_path / "dashboard.html").read_text()


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def test_a_killed_worker_of_a_cluster_loses_no_result(
    tmp_path: Path, cluster: LocalCluster
) -> None:
    """One of three worker processes is killed while it runs a job; every job is done."""
    workers = ClusterWorkers(cluster.scheduler_address, step_seconds=HANG_SECONDS)
    processes = [psutil.Process(number) for number in workers._client.run(os.getpid).values()]
    orphans: list[psutil.Process] = []

    def kill_one_at_work() -> None:
        while not (busy := [process for process in processes if process.children()]):
            time.sleep(0.05)
        orphans.extend(busy[0].children())
        busy[0].kill()

    threading.Thread(target=kill_one_at_work, daemon=True).start()
    run = run_toys(workers, tmp_path, [f"test_short[{part}]" for part in range(3)], 3)
    assert orphans, "no job was running on the worker that was killed"
    assert len({(outcome.job.node, outcome.job.seed) for outcome in run.outcomes}) == 9
    assert run.counts == {PASSED: 9}
    assert len(list(tmp_path.glob("jobs/*/*"))) > 9, "the job was not done again"
    alive = psutil.wait_procs(orphans, HANG_SECONDS)[1]
    assert not alive, "its process lives on"


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    dask = Dask(tmp_path)
    yield dask
    for process in dask.processes:
        process.kill()
        process.wait(HANG_SECONDS)


@dataclass
class Dask:
    """A scheduler and workers as people start them, on this machine."""

    folder: Path
    processes: list[subprocess.Popen] = field(default_factory=list)

    def start(self, command: str, *arguments: str, sources: Path | None = ROOT) -> None:
        """Start `dask scheduler` or `dask worker`; sources: where it imports the project from."""
        environment = {**os.environ, "PYTHONPATH": str(sources or self.without_project())}
        call = [sys.executable, "-m", "dask", command, "--host", "127.0.0.1", *arguments]
        call += ["--scheduler-file", str(self.folder / "scheduler.json"), "--no-dashboard"]
        with (self.folder / f"{command}.log").open("ab") as log:
            process = subprocess.Popen(
                call, cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        self.processes.append(process)

    def without_project(self) -> Path:
        """What takes the project from a Python that finds it, as that of .venv does."""
        folder = self.folder / "without"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(
            f"import sys\nsys.path[:] = [path for path in sys.path if path != {str(ROOT)!r}]\n"
        )
        return folder

    def start_both(self, scheduler: Path | None = ROOT, worker: Path | None = ROOT, *preload: str):
        """Start a scheduler and one worker."""
        self.start("scheduler", "--port", "0", sources=scheduler)
        self.start("worker", "--nthreads", "1", "--no-nanny", *preload, sources=worker)

    @property
    def address(self) -> str:
        """Where the scheduler listens, once it does."""
        path = self.folder / "scheduler.json"
        deadline = time.monotonic() + HANG_SECONDS
        while not path.is_file() or not path.read_text().endswith("}"):
            assert time.monotonic() < deadline, "the scheduler does not start"
            time.sleep(0.1)
        return json.loads(path.read_text())["address"]


@pytest.mark.parametrize("without", ["scheduler", "worker"])
def test_a_cluster_that_cannot_import_the_project_is_told(
    tmp_path: Path, dask: Dask, without: str
) -> None:
    dask.start_both(**{without: None})
    done = regress(tmp_path, "--test", "skips", "--scheduler", dask.address)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"regress: the {without}")
    assert "cannot import the project (ModuleNotFoundError: No module named 'scripts')" in line
    assert line.endswith("start it in the repository with PYTHONPATH=$PWD")


def test_a_worker_with_other_sources_is_told(tmp_path: Path, dask: Dask) -> None:
    copy = tmp_path / "copy"
    for folder in SOURCES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    assert digest(copy) == digest()
    with (copy / "rtl" / "cell" / "cell_crc32.v").open("a") as source:
        source.write("// changed\n")
    dask.start_both(ROOT, copy)
    with pytest.raises(WorkersError, match=r"the worker tcp:\S+ has other sources than are here"):
        ClusterWorkers(dask.address)


def test_a_worker_of_another_version_is_told(tmp_path: Path, dask: Dask) -> None:
    (tmp_path / "older.py").write_text(
        "from distributed import versions\nversions._version_cached = lambda package: '2020.1'\n"
    )
    dask.start_both(ROOT, ROOT, "--preload", str(tmp_path / "older.py"))
    with pytest.raises(WorkersError, match=r"worker tcp:\S+ has dask 2020.1, here it is"):
        ClusterWorkers(dask.address)


@pytest.mark.parametrize(
    ("host", "packages", "fault"),
    [
        ({"python": "3.11.2.final.0"}, {}, None),
        ({"python": "3.12.7.final.0"}, {}, "the scheduler has Python 3.12, here it is 3.11: "),
        ({}, {"msgpack": "1.0"}, "the scheduler has msgpack 1.0, here it is 1: "),
        ({}, {"dask": None}, "the scheduler has dask of no known version, here it is 1: "),
        ({}, {"pandas": "1.0"}, None),
    ],
)
def test_versions_are_compared(host: dict, packages: dict, fault: str | None) -> None:
    own = {"host": {"python": "3.11.7.final.0"}, "packages": dict.fromkeys(SAME, "1")}
    there = {
        "host": list((own["host"] | host).items()),  # as it comes over a connection
        "packages": own["packages"] | packages,
    }
    if fault is None:
        check_versions("the scheduler", there, own)
        return
    with pytest.raises(ClusterError, match=fault):
        check_versions("the scheduler", there, own)


def test_a_scheduler_without_workers_is_told(dask: Dask) -> None:
    dask.start("scheduler", "--port", "0")
    with pytest.raises(WorkersError, match="has no workers: start some with dask worker tcp://"):
        ClusterWorkers(dask.address, step_seconds=10)


def test_what_takes_a_connection_and_never_answers_is_no_scheduler() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(WorkersError, match="no Dask scheduler answers at SCHEDULER=tcp://127"):
            ClusterWorkers(address, step_seconds=2)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--sim", "vcs"], "unknown simulator 'vcs'"),
        (["--test", "nosuch"], "no test matches TEST='nosuch'"),
        (["--test", "a and"], "TEST='a and' is no selection"),
        (["--seeds", "0"], "SEEDS: '0' is not a whole number of 1 or more"),
        (["--jobs", "x"], "JOBS: 'x' is not a whole number of 1 or more"),
        (["--scheduler", "nowhere"], "SCHEDULER='nowhere' is no address"),
        (["--scheduler", "tcp://[x]:1"], "no Dask scheduler answers at SCHEDULER=tcp://[x]:1"),
        (["--scheduler", "tcp://127.0.0.1:9"], "no Dask scheduler answers"),
    ],
)
def test_bad_use_is_one_line(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    done = regress(tmp_path, *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert complaint in done.stderr
    assert not list(tmp_path.glob("*.json"))


def test_tests_are_collected_by_pytest() -> None:
    nodes = collect("short or dies", chosen_simulator(), [TOYS])
    assert nodes == [
        *(f"{TOYS}::test_short[{part}]" for part in range(4)),
        *(f"{TOYS}::{name}" for name in ("test_dies", "test_dies_once")),
    ]
    with pytest.raises(SelectionError, match=r"pytest cannot collect the tests: .*nosuch"):
        collect(None, chosen_simulator(), ["tb/nosuch"])


@pytest.mark.parametrize(
    ("node", "others", "selection"),
    [
        ("tb/test_a.py::test_x[b-1]", [], "test_x[b-1]"),
        ("tb/test_a.py::test_x[b 1]", [], "test_x"),
        ("tb/test_a.py::test_x[1]", ["tb/test_b.py::test_x[1]"], "test_a and test_x[1]"),
    ],
)
def test_selection_names_one_test(node: str, others: list[str], selection: str) -> None:
    assert selection_of(node, [node, *others]) == selection


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("code: seed 3: word 17 is 0xBEEF", "code: seed 12: word 4 is 0x1\nmore", True),
        ("log build/a/7/sim.log, value 1.5", "log build/b/sim.log, value -20", True),
        ("got [1, 2, 3]", "got [4, 5]", True),
        ("code: word 17", "offset: word 17", False),
        ("m_axis_0 stalls", "m_axis_1 stalls", False),
        ("x0 stalls", "x1 stalls", False),
        ("a5 stalls", "b6 stalls", False),
        ("feed: stuck", "dead: stuck", False),
        ("a block is added", "a block is faded", False),
        ("uint8 overflows", "uint16 overflows", False),
        ("assert 1 == 2", "assert 1 != 2", False),
        ("KeyError: 'x'", "ValueError: 'x'", False),
        ("its process was ended by SIGKILL", "its process was ended by SIGSEGV", False),
    ],
)
def test_failures_alike_share_a_signature(one: str, other: str, alike: bool) -> None:
    assert (signature(one) == signature(other)) is alike


@pytest.mark.parametrize(
    "values",
    [
        ("1234", "12ab", "a5f0", "beef", "deadbeef", "00000000", "ffffffff"),
        ("12", "ab", "a5", "5a", "f", "ff", "7ff", "fff", "BEEF", "7F", "dead"),
        ("0x12", "0XBEEF", "0x_dead_beef", "12ab_34cd", "0b1001", "0o17", "17"),
        ("8'hff", "16'HBEEF", "4'b01xz", "'d12", "3"),
        ("0101", "01xz", "xxxx", "X0ZZ", "'01XZ'", "LogicArray('01', Range(1, 'downto', 0))"),
        ("-3", "+4", "1.5", "-2.25e-07", "1e5", "1_000", "1,234,567"),
        ("[1]", "[1, 2]", "[0xff, ab]", "[ 1  2 ... 9]", "[[1, 2], [3]]", "[[1, 2]]"),
        ("(1, 2)", "(1, 2, 3)", "{1, 2}", "{1: 2}", "{1: 2, 0xa: 4}"),
        ("b'\\x00\\xff'", "b'it'", "17"),
        ("12 ab", "ab cd 12", "00 ff 12 ab 34"),
        ("10 ns", "10.25ns", "3 us", "0.5ms", "1200 s", "12:30:05", "2026-01-31T12:30:05Z"),
        ("build/a.log", "/tmp/x-STEP=2/a_1.log", "./b"),
        ("550e8400-e29b-41d4-a716-446655440000", "11111111-1111-1111-1111-111111111111"),
    ],
)
@pytest.mark.parametrize("message", ["code: word is {}, then it ended", "found {}"])
def test_one_fault_has_one_signature_whatever_the_values(message: str, values: tuple) -> None:
    """In any base, with or without letters among its digits, of any length and unit."""
    assert len({signature(message.format(value)) for value in values}) == 1


@pytest.mark.parametrize(
    ("node", "test", "belongs_to_it"),
    [
        ("tb/a/test_t.py::test_x[p-q]", "tb/a/test_t.py::test_x[p-q]", True),
        ("tb/a/test_t.py::test_x[p-q]", "tb/a/test_t.py::test_x", True),
        ("tb/a/test_t.py::test_x[p-q]", "tb/a/test_t.py", True),
        ("tb/a/test_t.py::test_xy[p-q]", "tb/a/test_t.py::test_x", False),
        ("tb/apack/uvm/test_uvm.py::test_one[a-Tables]", "tb/apack/uvm/tests.py::Tables", True),
        ("tb/apack/uvm/test_uvm.py::test_one[a-Tables2]", "tb/apack/uvm/tests.py::Tables", False),
        ("tb/a/test_t.py::test_x[apack_p-q]", "tb/a/apack_p.py::drains", True),
        ("tb/a/test_t.py::test_x[apack_pq]", "tb/a/apack_p.py::drains", False),
        ("tb/b/test_t.py::test_x[apack_p-q]", "tb/a/apack_p.py::drains", False),
        ("tb/test_t.py::test_x[apack_p-q]", "tb/a/apack_p.py::drains", True),
        ("tb/test_t.py::test_x[apack_p-q]", "tb/test_t.py::test_x[apack_p]", True),
        ("tb/test_t.py::test_x[apack_pq-q]", "tb/test_t.py::test_x[apack_p]", False),
    ],
)
def test_features_know_their_tests(node: str, test: str, belongs_to_it: bool) -> None:
    assert belongs(node, test) is belongs_to_it


def outcome(name: str, status: str, message: str = "", seed: int = 1) -> Outcome:
    return Outcome(Job(f"tb/test_a.py::{name}", seed, "icarus", name, 1, "x"), status, message, 1.0)


def test_pass_rate_per_planned_feature(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "features:\n"
        "  drain: {title: It drains, tests: [tb/test_a.py::test_x]}\n"
        "  fills: {title: It fills, tests: [tb/apack_m.py::fills]}\n"
        "  idle: {title: It idles, tests: [tb/test_b.py]}\n"
    )
    message = "drains: stuck\nseed 2, log x\nrepeat with: make test"
    outcomes = [
        outcome("test_x[apack_m]", PASSED),
        outcome("test_x[apack_m]", FAILED, message, 2),
        outcome("test_x[apack_m]", FAILED, message.replace("drains", "fills"), 3),
        outcome("test_x[apack_m]", LOST, "gone", 4),
    ]
    rows = feature_rows(outcomes, [plan])
    assert [(row.name, row.rate) for row in rows] == [
        *(("drain", 0.25), ("fills", 0.5), ("idle", None))
    ]
    assert rows[2] == Row("idle", "It idles")
    assert feature_rows([], [tmp_path / "none.yaml"]) is None


def test_a_feature_says_how_many_of_its_tests_have_run(tmp_path: Path, monkeypatch) -> None:
    """All of what ran has passed, which is little of what is planned."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("features:\n  damage: {title: It is told, tests: [tb/test_a.py::test_x]}\n")
    monkeypatch.setattr(dashboard, "TESTPLANS", (plan,))
    left_out = [f"tb/test_a.py::test_x[{number}]" for number in range(5)]
    left_out.append("tb/test_a.py::test_y")
    run = Run("icarus", 1, 1, 1, "here", outcomes=[outcome("test_x[one]", PASSED)])
    assert "partial" not in write_dashboard(run, tmp_path).read_text()
    run.left_out, run.selection = left_out, "one"
    page = unescape(write_dashboard(run, tmp_path).read_text())
    assert "of 1 of 6 tests" in page
    assert '<span class="badge part">partial</span>' in page
    assert "1 of 7 tests, <code>TEST='one'</code>" in " ".join(page.split())


def test_coverage_of_the_jobs_is_added_up(tmp_path: Path) -> None:
    for seed, hits in ((1, {"a": 1, "b": 0}), (2, {"a": 1, "b": 0, "c": 3})):
        folder = tmp_path / "jobs" / f"seed-{seed}" / "x-1" / "runs" / "x"
        folder.mkdir(parents=True)
        (folder / "coverage.json").write_text(json.dumps({"points": {"unit.kind": hits}}))
    point = merged_coverage(tmp_path)["unit.kind"]
    assert (point.bins, point.missed) == ({"a": 2, "b": 0, "c": 3}, ["b"])
    run = Run("icarus", 1, 1, 1, "here", outcomes=[outcome("test_x", PASSED)])
    page = write_dashboard(run, tmp_path).read_text()
    assert "unit.kind" in page and "missing: <code>b</code>" in page and "2 of 3" in page
    assert "66.7 % of all bins, 0 of 1 cover points wholly" in page


def test_a_message_cannot_break_the_page(tmp_path: Path) -> None:
    run = Run("icarus", 1, 1, 1, "here", outcomes=[outcome("test_x", FAILED, "<b>\x00 & </pre>")])
    write_results(run, tmp_path)
    page = write_dashboard(run, tmp_path).read_text()
    assert "<b>\x00" not in page and "&lt;b&gt;" in page
    ElementTree.parse(tmp_path / "junit.xml")


def test_the_command_that_repeats_a_failure_stands_once(tmp_path: Path) -> None:
    message = "fills: stuck\nseed 1, log x\nrepeat with: make test SIM=icarus SEED=1 TEST='test_x'"
    run = Run("icarus", 1, 1, 1, "here", outcomes=[outcome("test_x", FAILED, message)])
    write_results(run, tmp_path)
    page = unescape(write_dashboard(run, tmp_path).read_text())
    assert page.count("make test SIM=icarus SEED=1") == 1
    (story,) = ElementTree.parse(tmp_path / "junit.xml").iter("failure")
    assert story.text.splitlines() == ["fills: stuck", *message.splitlines()[1:]]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (("test_module[cell_crc32-8]", "x: 1"), ("test_module[cell_crc32-16]", "x: 2"), True),
        (("test_module[cell_crc32-8]", "x: 1"), ("test_other[cell_crc32-8]", "x: 2"), True),
        (("test_module[cell_crc32-8]", "x: 1"), ("test_module[cell_ring-8]", "x: 1"), False),
        (("test_module[cell_crc32-8]", "x: 1"), ("test_module[cell_crc32-8]", "y: 1"), False),
        (("test_a[1]", "assert 1 == 2"), ("test_a[2]", "assert 3 == 4"), True),
        (("test_a", "assert 1 == 2"), ("test_b", "assert 1 == 2"), False),
        (("test_a", "ValueError: no"), ("test_b", "ValueError: no"), False),
    ],
)
def test_one_fault_of_one_unit_is_one_group(one: tuple, other: tuple, alike: bool) -> None:
    outcomes = [
        Outcome(Job(f"tb/apack/test_x.py::{name}", seed, "icarus", name, 1, "x"), FAILED, message)
        for seed, (name, message) in enumerate((one, other))
    ]
    assert len(buckets(outcomes)) == (1 if alike else 2)


def test_hangs_of_different_tests_and_one_loss_of_processes_are_told_apart() -> None:
    hangs = [outcome(name, TIMED_OUT, "not over after 3 s") for name in ("test_a", "test_b")]
    lost = [outcome(name, LOST, "ended by SIGKILL") for name in ("test_a", "test_b")]
    assert sorted(len(bucket.outcomes) for bucket in buckets(hangs + lost)) == [1, 1, 2]


def test_failures_alike_are_told_once(tmp_path: Path) -> None:
    outcomes = [outcome(f"test_{name}", FAILED, "fills: stuck", 5) for name in "abc"]
    outcomes += [outcome(f"test_p{number}", PASSED) for number in range(5000)]
    run = Run("icarus", 1, 1, len(outcomes), "here", outcomes=outcomes)
    page = write_dashboard(run, tmp_path).read_text()
    assert page.count("<pre>fills: stuck</pre>") == 1
    assert "<summary>2 more</summary>" in page
    assert page.count("make test SIM=icarus SEED=5") == 3
    assert "<b>99.9 %</b>pass rate" in page, "a rate that only rounds to 100"


def code_json(path: Path) -> Path:
    """Code coverage of two modules, one of which misses a branch of 40,000."""
    whole = {"percent": 100.0, "points": 2, "covered": 1, "excluded": 1}
    part = {"percent": 100.0, "points": 40000, "covered": 39999, "excluded": 0}
    low = {"percent": 50.0, "points": 4, "covered": 2, "excluded": 0}
    none = {"percent": 100.0, "points": 0, "covered": 0, "excluded": 0}
    modules = {
        "apack_whole": {"line": whole, "branch": none, "toggle": whole, "uncovered": []},
        "apack_part": {"line": whole, "branch": part, "toggle": low, "uncovered": ["7 branch"]},
    }
    thresholds = {"line": 99.0, "branch": 98.0, "toggle": 95.0}
    document = {"simulations": 7, "thresholds": thresholds, "modules": modules, "faults": []}
    path.write_text(json.dumps(document | {"total": modules["apack_part"]}))
    return path


def test_code_coverage_stands_beside_the_functional_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(dashboard, "CODE_RESULT", code_json(tmp_path / "code.json"))
    run = Run("icarus", 1, 1, 1, "here", outcomes=[outcome("test_x", PASSED)])
    page = write_dashboard(run, tmp_path).read_text()
    assert "of 7 simulations" in page and "Modules that miss nothing: 1." in page
    assert "apack_part" in page and "apack_whole" not in page
    assert "99.99 %" in page, "a part that only rounds to 100"
    assert page.count('<td class="below">50.00 %</td>') == 2
    monkeypatch.setattr(dashboard, "CODE_RESULT", tmp_path / "none.json")
    assert "Code coverage" not in write_dashboard(run, tmp_path).read_text()


def test_code_coverage_of_older_sources_says_so(tmp_path: Path) -> None:
    source = tmp_path / "apack" / "m.v"
    source.parent.mkdir()
    source.touch()
    path = code_json(tmp_path / "code.json")
    for age, stale in ((-60, False), (60, True)):
        os.utime(source, (path.stat().st_mtime + age,) * 2)
        assert read_code_coverage(path, tmp_path).stale is stale
    path.write_text('{"simulations": 1')
    assert read_code_coverage(path, tmp_path) is None


def test_history_is_drawn_to_scale_and_survives_a_torn_line(tmp_path: Path) -> None:
    run = Run("icarus", 1, 1, 2, "here", outcomes=[outcome("a", PASSED), outcome("b", FAILED, "m")])
    write_results(run, tmp_path)
    with (tmp_path / "history.jsonl").open("a") as history:
        history.write('{"counts": {"pas')
    (bar,) = bars(read_history(tmp_path))
    heights = {kind: height for kind, _, height in bar.parts}
    assert heights["passed"] == heights["bad"] == 75
    assert heights["missing"] == 0


def test_what_an_interrupted_run_left_out_is_no_part_of_what_passed(tmp_path: Path) -> None:
    run = Run("icarus", 1, 1, 3, "here", interrupted=True, outcomes=[outcome("a", PASSED)])
    write_results(run, tmp_path)
    (bar,) = bars(read_history(tmp_path))
    assert [(kind, height) for kind, _, height in bar.parts if height] == [
        *(("passed", 50), ("missing", 100))
    ]
