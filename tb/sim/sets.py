# SPDX-License-Identifier: Apache-2.0
"""What each bench states of its module: sets of parameters for tests, lint and mutation score.

A bench is a file of tb/ that is named after its module. Beside its cocotb tests it states, as
literals, which are read here without importing it:

    PARAMETERS     names of the module's parameters that are set
    SETS           name -> their values; one simulation each
    ILLEGAL        parameter -> values that the module refuses at elaboration, or, where a rule is
                   about several, name -> parameters with values; all others are at their defaults
    MUTATED        name of the set of the mutation score; the first when absent
    ICARUS_ROUNDS  rounds of random tests there, or name of a set -> rounds; else as elsewhere
    MEANINGFUL     outputs that mean something only while another is high: how their names begin,
                   the other
    SOURCES        Verilog of a module that is not in rtl/, beside the bench

Only PARAMETERS and SETS must be there.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tb.sim.modules import WORD, rtl_modules, rtl_sources, verilog_text
from tb.sim.paths import ROOT

STATED = (
    "PARAMETERS", "SETS", "ILLEGAL", "MUTATED", "ICARUS_ROUNDS", "MEANINGFUL", "SOURCES",
)  # fmt: skip
NAME = re.compile(r"[\w.]+(-[\w.]+)*")  # of a set: it can be typed, and no shell minds
HAS_SETS = re.compile(r"^SETS\b", re.MULTILINE)
DECLARED = re.compile(r"\bparameter\s+(\w+)\s*=")


class SetsError(ValueError):
    """A bench that does not state its sets as it should; the message is one line."""


@dataclass(frozen=True)
class Bench:
    """What a bench states."""

    module: str
    path: Path
    parameters: tuple[str, ...]
    sets: Mapping[str, dict[str, int]]  # values of all PARAMETERS, by the name of the set
    illegal: Mapping[str, dict[str, int]]  # by a name for people
    mutated: str  # name of a set
    icarus_rounds: Mapping[str, int]  # by the name of the set; not of all
    meaningful: tuple[tuple[str, str], ...]
    sources: tuple[Path, ...]  # Verilog of the module and of what is in it, the module first

    def rounds(self, name: str, sim: str) -> dict[str, str]:
        """What the environment of a set's simulation says besides: how long random tests are."""
        fewer = self.icarus_rounds.get(name) if sim == "icarus" else None
        rounds = os.environ.get("ROUNDS") or fewer
        return {"ROUNDS": str(rounds)} if rounds else {}

    @property
    def test_module(self) -> str:
        """Dotted name of the cocotb tests."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)


@cache
def bench_files() -> dict[str, Path]:
    """File of every bench, by the name of its module.

    Raises:
        SetsError: a module has two.
    """
    found: dict[str, Path] = {}
    for path in sorted((ROOT / "tb").rglob("*.py")):
        if path.stem in rtl_modules() or HAS_SETS.search(path.read_text(encoding="utf-8")):
            if path.stem in found:
                raise SetsError(f"{path.stem} has two benches: {found[path.stem]} and {path}")
            found[path.stem] = path
    return found


@cache
def bench_of(module: str) -> Bench:
    """What the bench of a module states.

    Raises:
        SetsError: there is none, or it does not state it as it should.
    """
    if module not in bench_files():
        raise SetsError(f"{module} has no bench: it needs {_expected(module)} with SETS")
    return read_bench(bench_files()[module])


def _expected(module: str) -> Path:
    system = rtl_modules()[module].parent.name if module in rtl_modules() else "<system>"
    return Path("tb") / system / f"{module}.py"


def read_bench(path: Path) -> Bench:
    """What a file states as a bench.

    Raises:
        SetsError: it does not state it as it should.
    """
    stated = _literals(path)
    sources = _sources(path, stated.get("SOURCES"))
    known = DECLARED.findall(verilog_text(sources[0]))
    parameters = _names(path, "PARAMETERS", stated.get("PARAMETERS"))
    for name in parameters:
        _require(name in known, path, f"PARAMETERS: {sources[0].name} has no parameter {name}")
    sets = _sets(path, parameters, stated.get("SETS"))
    mutated = stated.get("MUTATED", next(iter(sets)))
    _require(mutated in sets, path, f"MUTATED: there is no set {mutated}")
    meaningful = stated.get("MEANINGFUL", ())
    _require(_are_pairs(meaningful), path, "MEANINGFUL is no tuple of pairs of names")
    illegal = _illegal(path, known, stated.get("ILLEGAL", {}))
    rounds = _rounds(path, sets, stated.get("ICARUS_ROUNDS", {}))
    return Bench(
        path.stem, path, parameters, sets, illegal, mutated, rounds, meaningful, sources
    )  # fmt: skip


def _are_pairs(found: object) -> bool:
    return isinstance(found, tuple) and all(
        isinstance(each, tuple) and [type(name) for name in each] == [str, str] for each in found
    )


def _require(holds: bool, path: Path, message: str) -> None:
    if not holds:
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        raise SetsError(f"{shown}: {message}")


def _literals(path: Path) -> dict[str, object]:
    """Values of what a file states, by name."""
    found: dict[str, object] = {}
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except SyntaxError as error:
        raise SetsError(f"{path}: is no Python: {error.msg}, line {error.lineno}") from None
    for node in body:
        names = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for name in (each.id for each in names if isinstance(each, ast.Name)):
            if name not in STATED:
                continue
            _require(name not in found, path, f"{name} is stated twice")
            try:
                found[name] = ast.literal_eval(node.value)
            except (ValueError, TypeError):
                _require(False, path, f"{name} is no literal")
            if isinstance(node.value, ast.Dict):
                keys = len(node.value.keys)
                _require(keys == len(found[name]), path, f"{name} has a name twice")
    return found


def _sources(path: Path, names: object) -> tuple[Path, ...]:
    if names is None:
        _require(path.stem in rtl_modules(), path, "there is no such module in rtl/, nor SOURCES")
        return rtl_sources(path.stem)
    own = tuple(path.parent / name for name in _names(path, "SOURCES", names))
    for each in own:
        _require(each.is_file(), path, f"SOURCES: there is no {each.name} beside it")
    _require(own[0].stem == path.stem, path, f"SOURCES: the first is not {path.stem}.v")
    words = {word for each in own for word in WORD.findall(verilog_text(each))}
    below = {each for word in words & set(rtl_modules()) for each in rtl_sources(word)}
    return (*own, *sorted(below))


def _names(path: Path, what: str, names: object) -> tuple[str, ...]:
    _require(
        isinstance(names, tuple) and bool(names) and all(isinstance(name, str) for name in names),
        path,
        f"{what} is no tuple of names",
    )
    _require(len(set(names)) == len(names), path, f"{what} has a name twice")
    return names


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _sets(path: Path, parameters: tuple[str, ...], sets: object) -> dict[str, dict[str, int]]:
    _require(isinstance(sets, dict) and bool(sets), path, "SETS is no mapping of names to values")
    for name, values in sets.items():
        _require(
            isinstance(name, str) and NAME.fullmatch(name) is not None,
            path,
            f"SETS: {name!r} is no name of letters, digits, dots and dashes",
        )
        _require(
            isinstance(values, tuple) and all(map(_is_number, values)),
            path,
            f"SETS: {name} is no tuple of numbers",
        )
        _require(
            len(values) == len(parameters),
            path,
            f"SETS: {name} has {len(values)} values for {len(parameters)} parameters",
        )
        same = [other for other, its in sets.items() if its == values and other != name]
        _require(not same, path, f"SETS: {name} and {', '.join(same)} are the same")
    return {name: dict(zip(parameters, values, strict=True)) for name, values in sets.items()}


def _illegal(path: Path, known: list[str], illegal: object) -> dict[str, dict[str, int]]:
    _require(isinstance(illegal, dict), path, "ILLEGAL is no mapping")
    found: dict[str, dict[str, int]] = {}
    for name, given in illegal.items():
        if isinstance(given, dict):
            sets = {name: given}
        else:
            _require(isinstance(given, tuple) and bool(given), path, f"ILLEGAL: {name} is no tuple")
            sets = {f"{name}-{value}": {name: value} for value in given}
        for each in sets.values():
            unknown = [parameter for parameter in each if parameter not in known]
            shown = ", ".join(map(str, unknown))
            _require(not unknown, path, f"ILLEGAL: {name}: there is no parameter {shown}")
            _require(
                bool(each) and all(map(_is_number, each.values())),
                path,
                f"ILLEGAL: {name} has no numbers",
            )
        found |= sets
    return found


def _rounds(path: Path, sets: Mapping[str, object], rounds: object) -> dict[str, int]:
    found = dict.fromkeys(sets, rounds) if _is_number(rounds) else rounds
    _require(
        isinstance(found, dict) and all(_is_number(each) and each > 0 for each in found.values()),
        path,
        "ICARUS_ROUNDS is neither a number above 0 nor a mapping of names to such",
    )
    unknown = [name for name in found if name not in sets]
    _require(not unknown, path, f"ICARUS_ROUNDS: there is no set {', '.join(map(str, unknown))}")
    return found
