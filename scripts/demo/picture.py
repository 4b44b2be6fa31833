"""The demo's picture: values and groups of one tensor, footprints of all."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from model.apack import histogram
from scripts.demo.measure import Measured

MOST_BARS = 40  # more would not be readable; the largest tensors are shown


def draw(results: list[Measured], path: Path) -> None:
    """Write the picture as PNG."""
    shown = sorted(results, key=lambda result: -result.values)[:MOST_BARS]
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(11, 9), height_ratios=(1, 1.2), layout="constrained"
    )
    _draw_groups(top, shown[0])
    _draw_footprints(bottom, shown, len(results))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _draw_groups(axes: plt.Axes, result: Measured) -> None:
    table = result.subject.table
    counts = histogram(result.subject.values, table.value_w)
    for symbol, (base, size) in enumerate(zip(table.base, table.sizes, strict=True)):
        axes.axvspan(base - 0.5, base + size - 0.5, color=f"C{symbol % 10}", alpha=0.15, lw=0)
        axes.text(
            base + size / 2 - 0.5, 1.01, f"{symbol}", ha="center", va="bottom", fontsize=7,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.bar(np.arange(len(counts)), np.maximum(counts, 0.5), width=1.0, color="0.25", bottom=0)
    axes.set_yscale("log")
    axes.set_xlim(-0.5, len(counts) - 0.5)
    axes.set_ylim(0.5)
    axes.set_xlabel("value as an unsigned bit pattern (int8: 128 is -128, 255 is -1)")
    axes.set_ylabel("number of values")
    axes.set_title(
        f"{result.subject.model} / {result.subject.name}: {result.values:,} values, "
        f"{table.groups} groups (numbers on top)\n",
        fontsize=10,
        parse_math=False,
    )


def _draw_footprints(axes: plt.Axes, shown: list[Measured], total: int) -> None:
    places = np.arange(len(shown))
    axes.bar(places, [100 * result.footprint for result in shown], color="C0", label="stored")
    axes.plot(
        places, [100 * result.entropy / result.raw_bits for result in shown], "k_", ms=12, mew=2,
        label="order-0 entropy of the tensor",
    )  # fmt: skip
    axes.axhline(100, color="0.6", lw=1)
    names = [f"{result.subject.model}/{result.subject.name}" for result in shown]
    short = [name if len(name) <= 34 else name[:10] + "…" + name[-23:] for name in names]
    axes.set_xticks(places, short, rotation=90, fontsize=7, parse_math=False)
    axes.set_xlim(-0.7, len(shown) - 0.3)
    axes.set_ylabel("% of the raw size")
    which = f"the {len(shown)} largest of {total} tensors" if len(shown) < total else "all tensors"
    axes.set_title(f"What the compressor wrote, words and index, {which}", fontsize=10)
    axes.legend(loc="lower right", fontsize=8)
