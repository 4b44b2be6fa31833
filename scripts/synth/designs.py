# SPDX-License-Identifier: Apache-2.0
"""What is synthesized: each module of `rtl/` with its default parameters, some with several.

What is special of a module stands in `rtl/<system>/synth.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from tb.sim.modules import rtl_modules, rtl_sources
from tb.sim.paths import ROOT

PLAN = "synth.yaml"


class NoSuchDesign(ValueError):
    """A selection that matches no design; the message is one line."""


class PlanError(ValueError):
    """A synth.yaml that cannot be followed; the message is one line."""


@dataclass(frozen=True)
class Plan:
    """What is special of some modules.

    memories: counted in bits, not in gates, and no designs of their own.
    sweeps: module -> parameter -> the values it is measured with, in place of the default alone.
    area_aims_kge: design, by its name -> most kGE that it is to take.
    """

    memories: tuple[str, ...] = ()
    sweeps: Mapping[str, Mapping[str, list[int]]] = field(default_factory=dict)
    area_aims_kge: Mapping[str, float] = field(default_factory=dict)


@cache
def plan() -> Plan:
    """The plans of all systems as one.

    Raises:
        PlanError: one of them cannot be followed.
    """
    plans = [read_plan(path) for path in sorted((ROOT / "rtl").glob(f"*/{PLAN}"))]
    return Plan(
        tuple(name for one in plans for name in one.memories),
        {name: values for one in plans for name, values in one.sweeps.items()},
        {name: aim for one in plans for name, aim in one.area_aims_kge.items()},
    )


def read_plan(path: Path) -> Plan:
    """The plan of one system.

    Raises:
        PlanError: the file is no such plan, or names a module that is not in its folder.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        one = Plan(**{key: value or {} for key, value in entries.items()})
        swept = {name: dict(values) for name, values in one.sweeps.items()}
        named = {*one.memories, *swept, *(name.split()[0] for name in one.area_aims_kge)}
        several = [name for name, values in swept.items() if len(values) != 1]
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise PlanError(f"{path}: {' '.join(str(error).split())}") from None
    here = {file.stem for file in path.parent.glob("*.v")}
    for name in sorted(named - here):
        raise PlanError(f"{path}: there is no module {name} in {path.parent.name}/")
    for name in several:
        raise PlanError(f"{path}: {name} is to be swept over one parameter")
    return one


def is_box(module: str) -> bool:
    """Whether a module is a memory, and no other module is in it: it is not looked into."""
    return module in plan().memories and len(rtl_sources(module)) == 1


@dataclass(frozen=True)
class Design:
    """A module with the parameters that differ from its defaults."""

    module: str
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The design for people: module, then parameters."""
        parameters = (f"{key}={value}" for key, value in self.parameters.items())
        return " ".join([self.module, *parameters])

    @property
    def area_aim(self) -> float | None:
        """Most kGE that it is to take, None where there is no aim."""
        return plan().area_aims_kge.get(self.name)


def all_designs() -> list[Design]:
    """Every design but the memories: modules by name, parameters in the order of their sweep."""
    designs = []
    for module in rtl_modules():
        if module in plan().memories:
            continue
        swept = plan().sweeps.get(module, {})
        designs += [
            Design(module, {name: value}) for name, values in swept.items() for value in values
        ] or [Design(module)]
    return designs


def select_designs(patterns: list[str]) -> list[Design]:
    """Designs whose module or name matches one of `patterns` (shell wildcards); all for none.

    Raises:
        NoSuchDesign: a pattern matches nothing.
    """
    designs = all_designs()
    for pattern in patterns:
        if not any(_matches(design, pattern) for design in designs):
            raise NoSuchDesign(
                f"no design {pattern!r}; there are {', '.join(sorted(rtl_modules()))}"
            )
    return [
        design
        for design in designs
        if not patterns or any(_matches(design, pattern) for pattern in patterns)
    ]


def _matches(design: Design, pattern: str) -> bool:
    return fnmatchcase(design.module, pattern) or fnmatchcase(design.name, pattern)
