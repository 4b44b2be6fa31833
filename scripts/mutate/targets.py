"""What is changed and which bench has to notice: every module of rtl/, with one parameter set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from tb.apack import test_apack, test_buffers, test_channels, test_engines, test_tops
from tb.sim.modules import rtl_modules, rtl_sources
from tb.sim.paths import ROOT

IMPORT = re.compile(r"^(?:from|import) ((?:tb|model)\b[\w.]*)", re.MULTILINE)

# The parameter set of a bench, where it is not the first: one that has every part of the module
# in it and is simulated fast.
CHOSEN_SETS: Mapping[str, tuple[int, ...]] = {
    "apack_encoder": test_apack.CODER_SETS["narrow"],
    "apack_decoder": test_apack.CODER_SETS["narrow"],
    "apack_encoder_engine": test_engines.ENGINE_SETS["five-narrow"],
    "apack_decoder_engine": test_engines.ENGINE_SETS["five-narrow"],
    "apack_encoder_channel": test_channels.CHANNELS["apack_encoder_channel"][1]["three-small"],
    "apack_decoder_channel": test_channels.CHANNELS["apack_decoder_channel"][1]["three-narrow"],
    "apack_compressor": test_tops.LONG_BLOCKS,
    "apack_decompressor": test_tops.LONG_BLOCKS,
    "apack_pending": (8, 16, 7),
    "apack_bit_packer": (5, 7),
    "apack_bit_unpacker": (5, 9),
    "apack_ram": (24, 4, 16),
    "apack_block_ram": (5, 7, 3, 4),
    "apack_gearbox": (12, 16),
    "apack_shift_end": (7,),
    "apack_region_track": (3,),
    "apack_block_queue": (3, 9),
    "apack_piece_lane": (4, 16, 9, 8),
    "apack_entry_check": (5, 16, 32),
    "apack_stream_pending": (3, 8, 13, 7),
    "apack_ring": (5, 8),
    "apack_carry_save": (13, 6, 27),
    "apack_interval_loop": (6, 10, 16, 12),
    "apack_search_loop": (6, 16, 10, 16, 12),
}


class NoSuchDesign(ValueError):
    """A selection that matches no module; the message is one line."""


@dataclass(frozen=True)
class Target:
    """A module whose cells are changed, and the bench that has to notice."""

    module: str
    test_module: str  # dotted name of the cocotb tests
    sources: tuple[Path, ...]  # its Verilog and that of what is in it
    parameters: Mapping[str, int] = field(default_factory=dict)
    watched: tuple[Path, ...] = ()  # files of the bench: a change in them asks for a new run

    @property
    def source(self) -> Path:
        """The file of the module."""
        return next(path for path in self.sources if path.stem == self.module)


@cache
def bench_sets() -> dict[str, dict[str, int]]:
    """The parameter set that each module's own bench is run with."""
    names = dict.fromkeys(("apack_encoder", "apack_decoder"), test_apack.CODER_WIDTHS)
    names |= dict.fromkeys(
        ("apack_encoder_engine", "apack_decoder_engine"), test_engines.ENGINE_WIDTHS
    )
    names |= {top: names for top, (names, _) in test_channels.CHANNELS.items()}
    names |= dict.fromkeys(test_tops.TOPS, test_tops.WIDTHS)
    values = dict(CHOSEN_SETS)
    for parts in (test_apack.PARTS, test_buffers.PARTS, test_engines.PARTS):
        for top, (own, sets) in parts.items():
            names[top] = own
            values.setdefault(top, sets[0])
    return {top: dict(zip(names[top], values[top], strict=True)) for top in sorted(names)}


@cache
def all_targets() -> dict[str, Target]:
    """Every module with its bench.

    Raises:
        NoSuchDesign: a module has none.
    """
    return {module: _target(module) for module in rtl_modules()}


def _target(module: str) -> Target:
    if module not in bench_sets():
        raise NoSuchDesign(
            f"{module} has no bench: it needs tb/apack/{module}.py, and parameters in a test_*.py"
        )
    bench = f"tb.apack.{module}"
    sources = rtl_sources(module)
    return Target(module, bench, sources, bench_sets()[module], _imported(bench))


def _imported(test_module: str) -> tuple[Path, ...]:
    """Files of a bench and of everything of this repository that it imports."""
    pending, found = [test_module], set()
    while pending:
        path = ROOT.joinpath(*pending.pop().split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if path.is_file() and path not in found:
            found.add(path)
            pending += IMPORT.findall(path.read_text(encoding="utf-8"))
    return tuple(sorted(found))


def select_targets(patterns: list[str]) -> list[Target]:
    """Targets whose module matches one of `patterns` (shell wildcards); all for none.

    Raises:
        NoSuchDesign: a pattern matches nothing, or a module has no bench.
    """
    targets = all_targets()
    for pattern in patterns:
        if not any(fnmatchcase(module, pattern) for module in targets):
            raise NoSuchDesign(f"no design {pattern!r}; there are {', '.join(targets)}")
    return [
        target
        for module, target in targets.items()
        if not patterns or any(fnmatchcase(module, pattern) for pattern in patterns)
    ]
