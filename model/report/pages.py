# SPDX-License-Identifier: Apache-2.0
"""Writes the report: HTML pages, their pictures, CSV tables and one JSON file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jinja2

from ..apack.fast import BLOCK_VALUES
from ..zoo import MODELS, ZooModel
from ..zoo.packages import MINILM_TOKENIZER, SCIKIT_IMAGE
from . import figures
from .explain import reasons
from .measure import SYMBOLS, TensorSize
from .part import ACTIVATIONS, WEIGHTS, Part
from .summary import APACK, COLUMNS, PAPER, averages, bars, narrow_table, select

SHOWN = 3  # best and worst tensors on a network's page
_TENSOR_COLUMNS = (
    *("network", "kind", "value_w", "tensor", "shape", "values"),
    *("coded", "metadata", "own_table", "blocks", "raw_blocks"),
)
LEAST_VALUES = 1024  # smaller tensors are all metadata and say nothing about the values


@dataclass(frozen=True)
class Example:
    """A tensor that a page explains."""

    tensor: TensorSize
    picture: str
    reasons: list[str]


@dataclass(frozen=True)
class Section:
    """The weights or the activations on a network's page."""

    part: Part
    scatter: str
    best: list[Example]
    worst: list[Example]


def write_report(parts: list[Part], folder: Path, advance: Callable[[str], None]) -> Path:
    """Write everything into `folder` and return the path of its first page.

    `advance` is called with the title of each page or table as it is finished.
    """
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    write_json(parts, folder / "report.json")
    write_part_table(parts, folder / "networks.csv")
    write_tensor_table(parts, folder / "tensors.csv")
    advance("tables")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for model in MODELS:
        page = environment.get_template("network.html").render(
            model=model, sections=_sections(model, parts, folder), columns=COLUMNS, apack=APACK
        )
        (folder / f"{model.key}.html").write_text(page, encoding="utf-8")
        advance(model.title)
    index = folder / "index.html"
    index.write_text(
        environment.get_template("index.html").render(_overview(parts, folder)), encoding="utf-8"
    )
    advance("overview")
    return index


def _overview(parts: list[Part], folder: Path) -> dict[str, object]:
    pictures = folder / "pictures"
    weights, activations = (select(parts, kind) for kind in (WEIGHTS, ACTIVATIONS))
    narrow = narrow_table(parts)
    kinds = []
    for kind, chosen in ((WEIGHTS, weights), (ACTIVATIONS, activations)):
        entries = averages(chosen)
        figures.average_bars(
            entries, PAPER[kind], f"{kind.capitalize()}, mean", pictures / f"{kind}-mean.svg"
        )
        figures.part_dots(chosen, f"{kind.capitalize()}", pictures / f"{kind}-networks.svg")
        kinds.append((kind, chosen, entries, PAPER[kind]))
    figures.narrow_lines(narrow, pictures / "narrow.svg")
    return {
        "kinds": kinds,
        "columns": COLUMNS,
        "apack": APACK,
        "narrow": narrow,
        "bars": bars(parts),
        "activations": activations,
        "own_table": lambda tensor: tensor.own_table,
        "coded": lambda tensor: tensor.apack.coded,
        "models": MODELS,
        "inputs": (SCIKIT_IMAGE, MINILM_TOKENIZER),
        "symbols": SYMBOLS,
        "block_values": BLOCK_VALUES,
    }


def _sections(model: ZooModel, parts: list[Part], folder: Path) -> list[Section]:
    chosen = [
        part
        for kind in (WEIGHTS, ACTIVATIONS)
        for part in select(parts, kind)
        if part.model.key == model.key
    ]
    return [_section(part, folder) for part in chosen]


def _section(part: Part, folder: Path) -> Section:
    stem = f"{part.model.key}-{part.kind}"
    scatter = figures.tensor_scatter(part, folder / "pictures" / f"{stem}-all.svg")
    telling = [t for t in part.tensors if t.values >= LEAST_VALUES and t.entropy > 0]
    ranked = sorted(telling or part.tensors, key=lambda tensor: tensor.footprint)
    shown = min(SHOWN, len(ranked) // 2)
    chosen = {"best": ranked[:shown], "worst": ranked[::-1][:shown]}
    examples = {
        rank: [_example(t, folder, f"{stem}-{rank}-{i}") for i, t in enumerate(tensors)]
        for rank, tensors in chosen.items()
    }
    return Section(part, f"pictures/{scatter.name}", examples["best"], examples["worst"])


def _example(tensor: TensorSize, folder: Path, stem: str) -> Example:
    picture = figures.value_histogram(tensor, folder / "pictures" / f"{stem}.svg")
    return Example(tensor, f"pictures/{picture.name}", reasons(tensor))


def write_part_table(parts: list[Part], path: Path) -> None:
    """CSV: one row per network, kind and width, footprints as shares of the raw size."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["network", "kind", "value_w", "values", *(c.key for c in COLUMNS)])
        for part in parts:
            sizes = [f"{part.footprint(column.bits):.6f}" for column in COLUMNS]
            writer.writerow([part.model.key, part.kind, part.value_w, part.values, *sizes])


def write_tensor_table(parts: list[Part], path: Path) -> None:
    """CSV: one row per tensor, sizes in bits."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*_TENSOR_COLUMNS, *(column.key for column in COLUMNS)])
        for part in parts:
            for t in part.tensors:
                shape = "x".join(map(str, t.shape))
                head = [part.model.key, part.kind, part.value_w, t.name, shape, t.values]
                apack = [t.apack.coded, t.apack.metadata, t.own_table]
                blocks = [t.apack.blocks, t.apack.raw_blocks]
                writer.writerow(head + apack + blocks + [round(c.bits(t), 1) for c in COLUMNS])


def write_json(parts: list[Part], path: Path) -> None:
    """JSON: averages beside the paper's, the checked bars, and every tensor with its table."""
    document = {
        "averages": {
            kind: {
                "paper": PAPER[kind],
                **{
                    entry.column.key: {"by_model": entry.by_model, "by_value": entry.by_value}
                    for entry in averages(select(parts, kind))
                },
            }
            for kind in (WEIGHTS, ACTIVATIONS)
        },
        "bars": [
            {"claim": bar.claim, "cases": bar.cases, "exceptions": bar.exceptions}
            for bar in bars(parts)
        ],
        "parts": [_part_json(part) for part in parts],
    }
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _part_json(part: Part) -> dict[str, object]:
    return {
        "network": part.model.key,
        "kind": part.kind,
        "value_w": part.value_w,
        "inputs": part.inputs,
        "values": part.values,
        "footprint": {column.key: part.footprint(column.bits) for column in COLUMNS},
        "tensors": [
            {
                "name": t.name,
                "shape": t.shape,
                "dtype": t.dtype,
                "note": t.note,
                "values": t.values,
                "table": json.loads(t.table.to_json()),
                "coded": t.apack.coded,
                "own_table": t.own_table,
                "metadata": t.apack.metadata,
                "blocks": t.apack.blocks,
                "raw_blocks": t.apack.raw_blocks,
                "bits": {column.key: column.bits(t) for column in COLUMNS},
            }
            for t in part.tensors
        ],
    }
