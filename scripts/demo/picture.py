# SPDX-License-Identifier: Apache-2.0
"""The demo's picture: values and groups of one tensor, footprints of all."""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from model.cli.terminal import printable
from model.tensors.statistics import histogram
from scripts.demo.measure import Measured
from scripts.demo.summary import groups, shortened

MOST_NAMES = 40  # of bars; more would not be readable
NAME_CHARACTERS = 34
MOST_BINS = 1024  # more are narrower than a pixel


def draw(results: list[Measured], path: Path) -> None:
    """Write the picture as PNG."""
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(11, 9), height_ratios=(1, 1.2), layout="constrained"
    )
    _draw_groups(top, max(results, key=lambda result: result.values))
    _draw_footprints(bottom, results)
    with warnings.catch_warnings():
        # A name may have letters that the font lacks; a box stands for them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, dpi=120)
    plt.close(figure)


def _draw_groups(axes: plt.Axes, result: Measured) -> None:
    job = result.subject.job
    for symbol, (base, size) in enumerate(job.spans):
        axes.axvspan(base - 0.5, base + size - 0.5, color=f"C{symbol % 10}", alpha=0.15, lw=0)
        axes.text(
            base + size / 2 - 0.5, 1.01, f"{symbol}", ha="center", va="bottom", fontsize=7,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    counts = histogram(job.values, job.value_w)
    step = max(1, len(counts) // MOST_BINS)
    counts = counts.reshape(-1, step).sum(axis=1)
    places = step * np.arange(len(counts)) + (step - 1) / 2
    axes.bar(places, np.maximum(counts, 0.5), width=step, color="0.25", bottom=0)
    axes.set_yscale("log")
    axes.set_xlim(-0.5, step * len(counts) - 0.5)
    axes.set_ylim(0.5)
    half = 1 << job.value_w - 1
    axes.set_xlabel(
        f"value as an unsigned bit pattern of {job.value_w} bits "
        f"(if it stands for a signed number, {half} is {-half} and {2 * half - 1} is -1)"
    )
    axes.set_ylabel("number of values")
    name = shortened(printable(f"{result.subject.model} / {result.subject.name}"), 80)
    spans = f", {len(job.spans)} groups (numbers on top)" if job.spans else ""
    axes.set_title(
        f"{name}: {result.values:,} values{spans}\n",
        fontsize=10,
        parse_math=False,
    )


def _draw_footprints(axes: plt.Axes, results: list[Measured]) -> None:
    """Bars from the best to the worst of each group, named where there are few."""
    start = 0
    ordered = []
    for color, (group, members) in enumerate(groups(results).items()):
        members = sorted(members, key=lambda result: result.footprint)
        places = np.arange(start, start + len(members))
        heights = [100 * result.footprint for result in members]
        label = shortened(printable(group), NAME_CHARACTERS)
        axes.bar(places, heights, color=f"C{color % 10}", label=f"stored: {label}")
        ordered += members
        start += len(members)
    axes.plot(
        np.arange(len(ordered)),
        [100 * result.entropy / result.raw_bits for result in ordered],
        "k_",
        ms=min(12, 600 / len(ordered)),
        mew=2 if len(ordered) <= MOST_NAMES else 1,
        label="order-0 entropy of the tensor",
    )
    axes.axhline(100, color="0.6", lw=1)
    if len(ordered) <= MOST_NAMES:
        names = [printable(f"{one.subject.model}/{one.subject.name}") for one in ordered]
        short = [shortened(name, NAME_CHARACTERS) for name in names]
        axes.set_xticks(np.arange(len(ordered)), short, rotation=90, fontsize=7, parse_math=False)
    else:
        axes.set_xticks([])
        axes.set_xlabel("tensors, from the best to the worst of each group")
    axes.set_xlim(-0.7, len(ordered) - 0.3)
    axes.set_ylabel("% of the raw size")
    axes.set_title(f"Stored: {results[0].codec.stored_text}", fontsize=10)
    legend = axes.figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)
