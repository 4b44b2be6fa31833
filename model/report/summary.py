# SPDX-License-Identifier: Apache-2.0
"""From measured parts to the numbers of the report: footprints, averages and checked bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .. import codecs
from ..apack.fast import BLOCK_VALUES
from ..codecs import CODECS, Codec
from .measure import SYMBOLS, TensorSize
from .part import ACTIVATIONS, NARROW_WIDTHS, WEIGHTS, Part

PAPER = {WEIGHTS: 0.60, ACTIVATIONS: 0.48}  # arXiv 2201.08830, abstract
LARGE = 1 << 16  # values from which a tensor counts as large
ENTROPY_MARGIN = 0.005
CONTAINER_MARGIN = 0.01


@dataclass(frozen=True)
class Column:
    """One codec, or the entropy, as a column of the tables; bits() of a tensor, None if none."""

    key: str
    title: str
    bits: Callable[[TensorSize], float]


def column_of(codec: Codec) -> Column:
    """The column of a codec, which says so when it is not lossless."""
    loss = f", error up to {codec.max_error}" if codec.max_error else ""
    return Column(codec.key, codec.title + loss, lambda tensor: tensor.bits(codec))


_CODED = {codec.key: column_of(codec) for codec in CODECS}
APACK = _CODED[codecs.APACK.key]
ENTROPY = Column("entropy", "order-0 entropy", lambda tensor: tensor.entropy)
COLUMNS = (*_CODED.values(), ENTROPY)


@dataclass(frozen=True)
class Average:
    """Footprint of one column over several parts: mean over networks, and over all values."""

    column: Column
    by_model: float
    by_value: float


@dataclass(frozen=True)
class Bar:
    """A claim that the report checks: what it says, in how many cases, and what breaks it.

    reason: why there can be exceptions, for the reader.
    """

    claim: str
    cases: int
    exceptions: tuple[str, ...]
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether every case meets the claim."""
        return not self.exceptions


def averages(parts: list[Part]) -> list[Average]:
    """One entry per column."""
    raw = sum(part.raw for part in parts)
    return [
        Average(
            column,
            sum(part.footprint(column.bits) for part in parts) / len(parts),
            sum(part.footprint(column.bits) * part.raw for part in parts) / raw,
        )
        for column in COLUMNS
    ]


def select(parts: list[Part], kind: str, value_w: int = 8) -> list[Part]:
    """The parts of one kind and width."""
    return [part for part in parts if part.kind == kind and part.value_w == value_w]


def narrow_table(parts: list[Part]) -> list[tuple[Part, dict[int, Part]]]:
    """(weights at 8 bits, width -> weights at that width) of each network that has the latter."""
    rows = []
    for part in select(parts, WEIGHTS):
        narrow = {
            other.value_w: other
            for other in parts
            if other.model.key == part.model.key
            and other.kind == WEIGHTS
            and other.value_w in NARROW_WIDTHS
        }
        if narrow:
            rows.append((part, narrow))
    return rows


def bars(parts: list[Part]) -> list[Bar]:
    """The claims about sizes, checked on everything that was measured."""
    weights = select(parts, WEIGHTS)
    return [
        _near_entropy(weights, "weight tensor"),
        _near_entropy(select(parts, ACTIVATIONS), "feature map, table made from itself,"),
        _near_entropy_in_container(weights),
        *([_below_mlw(weights)] if "mlw" in _CODED else []),
        _never_grows(parts),
    ]


def _near_entropy(parts: list[Part], what: str) -> Bar:
    large = [(part, t) for part in parts for t in part.tensors if t.values >= LARGE]
    return Bar(
        f"pieces of all blocks within {ENTROPY_MARGIN:.1%} of the order-0 entropy on every"
        f" {what} of {LARGE:,} values or more",
        len(large),
        tuple(
            f"{part.model.title}, {t.name}: {t.own_table / t.entropy - 1:.3%} over"
            f" {t.entropy / t.values:.3f} bits a value"
            for part, t in large
            if t.own_table > (1 + ENTROPY_MARGIN) * t.entropy
        ),
        f"The table is the best there is with {SYMBOLS} groups and 10-bit counts; a distribution"
        " with many separate peaks, or nearly all values alike, needs more of either.",
    )


def _near_entropy_in_container(parts: list[Part]) -> Bar:
    large = [(part, t) for part in parts for t in part.tensors if t.values >= LARGE]
    return Bar(
        f"within {CONTAINER_MARGIN:.1%} of the order-0 entropy with table, headers and padding, on"
        f" every weight tensor of {LARGE:,} values or more",
        len(large),
        tuple(
            f"{part.model.title}, {t.name}: {t.apack.total / t.entropy - 1:.2%} over"
            f" {t.entropy / t.values:.3f} bits a value"
            for part, t in large
            if t.apack.total > (1 + CONTAINER_MARGIN) * t.entropy
        ),
        f"A block of {BLOCK_VALUES:,} values has a header of 64 bits and takes some 100 more where"
        " its streams begin and end, which is 1 % of its pieces when they hold 1 bit a value.",
    )


def _below_mlw(parts: list[Part]) -> Bar:
    return Bar(
        "weights smaller than under Arm's mlw_codec on every network, everything included",
        len(parts),
        tuple(
            f"{part.model.title}: {part.footprint(APACK.bits):.2%}"
            for part in parts
            if part.footprint(APACK.bits) >= part.footprint(_CODED["mlw"].bits)
        ),
    )


def _never_grows(parts: list[Part]) -> Bar:
    return Bar(
        "no block larger than its raw values and its header",
        sum(t.apack.blocks for part in parts for t in part.tensors),
        tuple(
            f"{part.model.title}, {t.name}: {t.apack.largest_block_excess} bits"
            for part in parts
            for t in part.tensors
            if t.apack.largest_block_excess > 0
        ),
    )
