"""What is synthesized: each module of `rtl/` with its default parameters, some with several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tb.sim.modules import rtl_modules

# The block buffers' memory: counted in bits, not in gates, and no design of its own.
MEMORY = "apack_ram"
MEMORIES = (MEMORY, "apack_block_ram")

# Module -> parameter and the values it is measured with, in place of the default alone.
SWEEPS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "apack_encoder_engine": ("STREAMS", (1, 2, 4, 8)),
    "apack_decoder_engine": ("STREAMS", (1, 2, 4, 8)),
}

# Most kGE that a design is to take, without the shared table.
AREA_AIMS: Mapping[str, float] = {
    "apack_encoder_engine STREAMS=4": 10.0,
    "apack_decoder_engine STREAMS=4": 14.0,
}


class NoSuchDesign(ValueError):
    """A selection that matches no design; the message is one line."""


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
        return AREA_AIMS.get(self.name)


def all_designs() -> list[Design]:
    """Every design but the memories: modules by name, parameters in the order of their sweep."""
    designs = []
    for module in rtl_modules():
        if module in MEMORIES:
            continue
        if module in SWEEPS:
            parameter, values = SWEEPS[module]
            designs += [Design(module, {parameter: value}) for value in values]
        else:
            designs.append(Design(module))
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
