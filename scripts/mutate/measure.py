# SPDX-License-Identifier: Apache-2.0
"""The mutants of one module from the draw to the proofs, kept so that nothing is done twice."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.mutate.equivalence import DISTINCT, PROVEN, Proof, Prover
from scripts.mutate.inside import SURVIVED, Verdict
from scripts.mutate.mutants import Mutant, MutatedDesign, mutate
from scripts.mutate.simulation import BenchFails, read_verdicts, simulate
from scripts.mutate.targets import Target
from scripts.synth.tools import SynthesisError
from tb.sim.builds import BuildError
from tb.sim.paths import ROOT, relative
from tb.sim.tools import ToolMissing

WORK = ROOT / "build" / "mutate" / "work"
ERROR, COUNT, PROOFS = "error.txt", "count.txt", "proofs.json"
OWN = tuple(Path(__file__).with_name(name) for name in ("mutants.py", "inside.py"))
PROVING = Path(__file__).with_name("equivalence.py")


@dataclass(frozen=True)
class Entry:
    """A mutant with what became of it."""

    number: int
    line: int
    text: str
    change: str
    status: str  # a verdict, or for a survivor what is known of it
    detail: str  # the test that found it and its message, or the proof
    seconds: float

    @property
    def survives(self) -> bool:
        """Whether it counts against the tests: neither found nor proven to be the same."""
        return self.status in (SURVIVED, DISTINCT)

    @property
    def equivalent(self) -> bool:
        """Whether it is proven that no test can find it."""
        return self.status in PROVEN


@dataclass(frozen=True)
class Result:
    """The mutants of one module."""

    module: str
    file: str
    test_module: str
    parameters: Mapping[str, int]
    places: int
    baseline_seconds: float
    simulation_seconds: float
    entries: tuple[Entry, ...]

    @property
    def survivors(self) -> list[Entry]:
        """Those that count against the tests."""
        return [entry for entry in self.entries if entry.survives]

    @property
    def equivalents(self) -> list[Entry]:
        """Those that are proven to be the same."""
        return [entry for entry in self.entries if entry.equivalent]

    @property
    def judged(self) -> int:
        """Mutants that a test could find, as far as is known."""
        return len(self.entries) - len(self.equivalents)

    @property
    def killed(self) -> int:
        """Mutants that a test found."""
        return self.judged - len(self.survivors)

    @property
    def rate(self) -> float:
        """Mutants a second in one simulation, builds and proofs not counted."""
        seconds = sum(entry.seconds for entry in self.entries)
        return len(self.entries) / seconds if seconds else 0.0

    def write(self, path: Path) -> None:
        """Write it for `read`."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Result:
        """The result that was written to `path`."""
        facts = json.loads(path.read_text(encoding="utf-8"))
        entries = tuple(Entry(**entry) for entry in facts.pop("entries"))
        return cls(**facts, entries=entries)


def work_folder(target: Target, count: int, seed: int, seeds: int) -> Path:
    """The folder of a measurement: another one as soon as anything it depends on is another."""
    facts = [target.module, dict(target.parameters), count, seed, seeds]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for path in (*target.sources, *target.watched, *OWN):
        digest.update(path.name.encode() + path.read_bytes())
    return WORK / f"{target.module}-{digest.hexdigest()[:12]}"


def result_path(target: Target, count: int, seed: int, seeds: int) -> Path:
    """Where the result of a measurement is; another file when proofs are made in another way."""
    return work_folder(target, count, seed, seeds) / f"result-{_prover_key(target)}.json"


def _prover_key(target: Target) -> str:
    files = [PROVING, *([target.contract] if target.contract else [])]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def measure(target: Target, count: int, seed: int, seeds: int, children: int) -> None:
    """Leave the result, or the message of an error, in the target's folder.

    Args:
        count: most mutants to draw.
        seed: of the draw, and the first of the tests.
        seeds: of the tests, for what survives the first.
        children: simulations at once.
    """
    path = result_path(target, count, seed, seeds)  # of the sources as they are now
    folder = path.parent
    _drop_old(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ERROR).unlink(missing_ok=True)
    try:
        result = _measured(target, count, seed, seeds, children, folder)
        result.write(path)
    except (BenchFails, BuildError, ToolMissing, SynthesisError) as error:
        (folder / ERROR).write_text(f"{error}\n", encoding="utf-8")


def progress_of(folder: Path, count: int) -> tuple[int, int]:
    """Mutants of a measurement that have run, and all of them."""
    path = folder / COUNT
    total = int(path.read_text(encoding="utf-8") or count) if path.is_file() else count
    return max(len(read_verdicts(folder)) - 1, 0), total


def _drop_old(folder: Path) -> None:
    """Remove measurements of the module as it was."""
    stem = folder.name.rsplit("-", 1)[0]
    for path in folder.parent.glob(f"{stem}-*"):
        if path != folder and path.name.rsplit("-", 1)[0] == stem:
            shutil.rmtree(path, ignore_errors=True)


def _measured(
    target: Target, count: int, seed: int, seeds: int, children: int, folder: Path
) -> Result:
    design = mutate(target, count, seed, folder)
    if not design.mutants:
        raise BenchFails(f"{target.module} has nothing that could be changed")
    (folder / COUNT).write_text(str(len(design.mutants)), encoding="utf-8")
    begin = time.monotonic()
    baseline, verdicts = simulate(target, design, range(seed, seed + seeds), children, folder)
    seconds = time.monotonic() - begin
    proofs = _proofs(target, design, verdicts, folder)
    source = target.source
    return Result(
        target.module,
        relative(source),
        target.test_module,
        dict(target.parameters),
        design.places,
        baseline.seconds,
        round(seconds, 1),
        tuple(
            _entry(mutant, verdict, proofs.get(mutant.number))
            for mutant, verdict in zip(design.mutants, verdicts, strict=True)
        ),
    )


def _proofs(
    target: Target, design: MutatedDesign, verdicts: list[Verdict], folder: Path
) -> dict[int, Proof]:
    """What is known of each survivor; kept from an earlier run of the same prover."""
    key = _prover_key(target)
    path = folder / PROOFS
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if kept.get("key") != key:
        kept = {"key": key}
    prover = Prover(target, design, folder)
    for mutant, verdict in zip(design.mutants, verdicts, strict=True):
        if verdict.status == SURVIVED and str(mutant.number) not in kept:
            kept[str(mutant.number)] = asdict(prover.prove(mutant))
            path.write_text(json.dumps(kept), encoding="utf-8")
    return {int(number): Proof(**proof) for number, proof in kept.items() if number != "key"}


def _entry(mutant: Mutant, verdict: Verdict, proof: Proof | None) -> Entry:
    status, detail = verdict.status, ": ".join(filter(None, (verdict.test, verdict.message)))
    if proof and verdict.status == SURVIVED:
        status = proof.status if proof.status in (*PROVEN, DISTINCT) else SURVIVED
        detail = proof.how
    return Entry(
        mutant.number, mutant.line, mutant.text, mutant.change, status, detail, verdict.seconds
    )
