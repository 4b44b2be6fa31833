# SPDX-License-Identifier: Apache-2.0
"""Whether a Dask cluster can run the jobs: reachable, of the same versions, with the same sources.

    python -m scripts.regress.cluster tcp://host:8786 10

The number is the seconds of each step. Prints one line and ends with code 2 when it cannot. It
runs in a process of its own: whatever answers at the address, a hang and the tracebacks of Dask's
own threads end with that process.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tb.sim.paths import ROOT

REACH_SECONDS = 2.0  # a host that refuses the connection does so by then
SOURCES = ("model", "rtl", "scripts", "tb")
SUFFIXES = (".py", ".v")
SAME = (
    "dask",
    "distributed",
    "cloudpickle",
    "msgpack",
)  # what both ends of a connection must share
Result = TypeVar("Result")


class ClusterError(Exception):
    """A cluster that cannot run the jobs; the message is one line."""


def check(address: str, step_seconds: float) -> None:
    """Raise ClusterError unless the scheduler at an address and all its workers can run jobs."""
    from distributed import Client

    def within(step: Callable[[], Result], fault: str) -> Result:
        """The result of a step that may hang or raise anything, which is then the fault."""
        try:
            return ThreadPoolExecutor(1).submit(step).result(step_seconds + 2)
        except Exception:
            raise ClusterError(fault) from None

    def reach() -> None:
        """Dask would try until its time is up where nobody listens: a refusal is told at once."""
        place = urlsplit(address)
        with suppress(TimeoutError):
            socket.create_connection((place.hostname, place.port), REACH_SECONDS).close()

    absent = f"no Dask scheduler answers at SCHEDULER={address}: start one, or correct the address"
    within(reach, absent)
    client = within(lambda: Client(address, timeout=step_seconds, set_as_default=False), absent)
    within(
        lambda: client.wait_for_workers(1, timeout=step_seconds),
        f"the scheduler at SCHEDULER={address} has no workers: start some with "
        f"dask worker {address}",
    )
    silent = f"the cluster at SCHEDULER={address} does not answer: start its workers anew"
    versions = within(client.get_versions, silent)
    for who, found in _members(versions["scheduler"], versions["workers"]):
        check_versions(who, found, versions["client"])
    probe = _probe()
    of_scheduler = within(lambda: client.run_on_scheduler(probe), silent)
    of_workers = within(lambda: client.run(probe, on_error="return"), silent)
    for who, found in _members(of_scheduler, of_workers):
        check_sources(who, found)


def _members(scheduler: Any, workers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "the scheduler", scheduler
    for address, found in workers.items():
        yield f"the worker {address}", found


def check_versions(who: str, found: Mapping, here: Mapping) -> None:
    """Raise ClusterError when Python or a package that takes part differs from those here."""
    for name, there, own in _versions(found, here):
        if there != own:
            raise ClusterError(
                f"{who} has {name} {there or 'of no known version'}, here it is {own}: start it "
                "from a .venv that make regress has set up"
            )


def _versions(found: Mapping, here: Mapping) -> Iterator[tuple[str, str, str]]:
    """Name, version there and version here."""
    there, own = (dict(side["host"])["python"].split(".") for side in (found, here))
    yield "Python", ".".join(there[:2]), ".".join(own[:2])
    for name in SAME:
        yield name, found["packages"].get(name), here["packages"][name]


def _probe() -> Callable[[], tuple[str, str]]:
    """What is run on each member; a function in a function, so that it is sent as it stands."""

    def probe() -> tuple[str, str]:
        try:
            from scripts.regress.cluster import digest
            from scripts.runs.jobs import run_job
        except Exception as error:
            return "", f"{type(error).__name__}: {error}".splitlines()[0]
        return digest(), run_job.__name__

    return probe


def check_sources(who: str, found: tuple[str, str] | Exception) -> None:
    """Raise ClusterError for a member that cannot import the project, or has other sources."""
    if isinstance(found, Exception):
        raise ClusterError(f"{who} does not answer: start it anew")
    there, story = found
    if not there:
        raise ClusterError(
            f"{who} cannot import the project ({story}): start it in the repository with "
            "PYTHONPATH=$PWD"
        )
    if there != digest():
        raise ClusterError(f"{who} has other sources than are here: bring both to the same state")


def digest(root: Path = ROOT) -> str:
    """What tells the sources of two checkouts apart."""
    found = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                found.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return found.hexdigest()


def main() -> int:
    """Exit code 0 when the cluster can run jobs, 2 with one line when it cannot."""
    try:
        check(sys.argv[1], float(sys.argv[2]))
    except ImportError:
        print("Dask is not installed: make regress installs it", flush=True)
    except ClusterError as error:
        print(error, flush=True)
    else:
        return 0
    return 2


if __name__ == "__main__":
    os._exit(main())  # threads that hang are not waited for
