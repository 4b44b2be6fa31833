# SPDX-License-Identifier: Apache-2.0
"""The pictures of the report, as SVG files."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from .explain import shape_of
from .measure import TensorSize
from .part import Part
from .summary import APACK, COLUMNS, ENTROPY, Average

matplotlib.rcParams.update(
    {
        "svg.hashsalt": "apack",  # the same picture is the same file
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)

WIDE = (5.2, 3.6)  # inches: what is written in it can be read on a screen of 390 pixels
TOWER = 4.0  # from which ratio of the two highest shares the highest is cut off
BLUE, PALE, GREY, RED, INK = "#1f5fa8", "#8fb8e0", "#a9b4c0", "#b3402a", "#222a33"
MARKERS = {
    "shapeshifter8": ("s", "#7a8794"),
    "huffman": ("^", "#b98300"),
    "mlw": ("D", "#2f8f6b"),
    "zstd": ("v", "#8a5aa8"),
}


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    return path


def _percent_axis(axis: Axis) -> None:
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def average_bars(entries: list[Average], paper: float, title: str, path: Path) -> Path:
    """One bar per codec, mean over networks, with the paper's own average as a line."""
    figure = Figure(figsize=WIDE)
    axes = figure.subplots()
    labels = [entry.column.title for entry in entries]
    sizes = [entry.by_model for entry in entries]
    colours = [
        BLUE if e.column is APACK else PALE if e.column is ENTROPY else GREY for e in entries
    ]
    axes.barh(labels, sizes, color=colours, height=0.68)
    for row, size in enumerate(sizes):
        axes.text(size + 0.01, row, f"{size:.1%}", va="center", fontsize=9, color=INK)
    axes.axvline(1.0, color=INK, linewidth=0.8)
    axes.axvline(paper, color=RED, linewidth=1.2, linestyle="--")
    axes.text(paper, -0.75, f"APack in the paper {paper:.0%}", color=RED, fontsize=8, ha="center")
    axes.set_xlim(0, max(1.05, *sizes) * 1.09)
    axes.invert_yaxis()
    axes.set_xlabel("size, share of the uncompressed values")
    axes.set_title(title, pad=16, loc="left", fontsize=11, fontweight="bold")
    _percent_axis(axes.xaxis)
    return _save(figure, path)


def part_dots(parts: list[Part], title: str, path: Path) -> Path:
    """One row per network: APack among the nearest codecs, and the entropy as a tick."""
    figure = Figure(figsize=(WIDE[0], 0.46 * len(parts) + 1.4))
    axes = figure.subplots()
    rows = np.arange(len(parts))
    axes.hlines(rows, 0, 1.2, color="#e6e9ed", linewidth=1, zorder=0)
    for column in COLUMNS:
        sizes = [part.footprint(column.bits) for part in parts]
        if column.key in MARKERS:
            marker, colour = MARKERS[column.key]
            axes.scatter(sizes, rows, marker=marker, s=34, color=colour, label=column.title)
    entropy = [part.footprint(ENTROPY.bits) for part in parts]
    axes.scatter(entropy, rows, marker="|", s=220, color=INK, label=ENTROPY.title)
    axes.scatter(
        [part.footprint(APACK.bits) for part in parts], rows, s=64, color=BLUE, label="APack"
    )
    axes.set_yticks(rows, [part.model.title for part in parts])
    axes.invert_yaxis()
    axes.axvline(1.0, color=INK, linewidth=0.8)
    axes.set_xlim(0, 1.2)
    axes.set_xlabel("size, share of the uncompressed values")
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.legend(fontsize=8, frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(-0.2, -0.25))
    _percent_axis(axes.xaxis)
    return _save(figure, path)


def narrow_lines(rows: list[tuple[Part, dict[int, Part]]], path: Path) -> Path:
    """Bits a value that APack needs, against the width that the weights are quantized to."""
    figure = Figure(figsize=WIDE)
    axes = figure.subplots()
    palette = (BLUE, RED, "#2f8f6b", "#b98300", "#8a5aa8")
    for (full, narrow), colour in zip(rows, palette, strict=False):
        parts = {**narrow, full.value_w: full}
        widths = sorted(parts)
        bits = [parts[w].footprint(APACK.bits) * w for w in widths]
        axes.plot(widths, bits, marker="o", color=colour, label=full.model.title)
    axes.plot([4, 8], [4, 8], color=INK, linewidth=0.8, linestyle=":", label="uncompressed")
    axes.set_xticks(range(4, 9))
    axes.set_ylim(0, 8.2)
    axes.set_xlabel("bits a weight is quantized to")
    axes.set_ylabel("bits a weight takes in memory")
    axes.set_title("Weights below 8 bits", loc="left", fontsize=11, fontweight="bold")
    axes.legend(fontsize=8, frameon=False)
    return _save(figure, path)


def tensor_scatter(part: Part, path: Path) -> Path:
    """Footprint of every tensor against its entropy; the diagonal is the entropy itself."""
    figure = Figure(figsize=(4.6, 3.9))
    axes = figure.subplots()
    entropy = np.array([tensor.entropy / tensor.raw for tensor in part.tensors])
    size = np.array([tensor.footprint for tensor in part.tensors])
    area = np.array([tensor.values for tensor in part.tensors])
    top = max(1.0, float(size.max())) * 1.04
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8)
    axes.axhline(1.0, color=INK, linewidth=0.8, linestyle=":")
    axes.scatter(
        entropy, size, s=12 + 110 * np.sqrt(area / area.max()), color=BLUE, alpha=0.55, linewidth=0
    )
    axes.set_xlim(0, 1.04)
    axes.set_ylim(0, min(top, 2.0))
    axes.set_xlabel("order-0 entropy, share of the raw size")
    axes.set_ylabel("APack with table and headers")
    _percent_axis(axes.xaxis)
    _percent_axis(axes.yaxis)
    return _save(figure, path)


def value_histogram(tensor: TensorSize, path: Path) -> Path:
    """Share of every value, coloured by the group of the table it falls in.

    A value far more frequent than all others is cut off and its share written beside it.
    """
    figure = Figure(figsize=(4.6, 2.3))
    axes = figure.subplots()
    shape = shape_of(tensor)
    _draw_groups(axes, tensor, shape.integers, shape.shares)
    first, second = np.sort(shape.shares)[:-3:-1]
    if first > TOWER * second > 0:
        axes.set_ylim(0, 2 * second)
        value = int(shape.integers[shape.shares.argmax()])
        axes.annotate(f" {value}: {first:.0%}", (value, 1.85 * second), fontsize=9, color=INK)
    axes.set_xlabel("value, in steps from the real zero")
    axes.set_ylabel("share of the values")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return _save(figure, path)


def _draw_groups(axes: Axes, tensor: TensorSize, integers: np.ndarray, shares: np.ndarray) -> None:
    patterns = integers + tensor.zero_integer & (1 << tensor.value_w) - 1
    group = np.searchsorted(tensor.table.base, patterns, side="right") - 1
    for parity, colour in enumerate((BLUE, PALE)):
        heights = np.where(group % 2 == parity, shares, 0)
        axes.fill_between(integers, heights, step="mid", color=colour, linewidth=0)
    used = integers[shares > 0]
    for edge in integers[1:][group[1:] != group[:-1]]:
        if used[0] < edge <= used[-1]:
            axes.axvline(edge - 0.5, color=INK, linewidth=0.3, alpha=0.5)
    axes.set_xlim(used[0] - 2, used[-1] + 2)
