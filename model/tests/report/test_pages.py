"""The written report: whole, linked, and the same numbers in every form."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from model.report.pages import write_report
from model.report.summary import APACK, averages, bars, select
from model.tests.report.parts import some_parts
from model.zoo import MODELS

PARTS = some_parts()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if name in ("href", "src") and value]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    titles: list[str] = []
    assert write_report(PARTS, path, titles.append) == path / "index.html"
    assert titles == ["tables", *(model.title for model in MODELS), "overview"]
    return path


@pytest.mark.parametrize("page", ["index", *(model.key for model in MODELS)])
def test_pages_are_well_formed_and_their_links_resolve(folder: Path, page: str) -> None:
    links = _Links()
    links.feed((folder / f"{page}.html").read_text())
    assert links.open == []
    assert links.targets and all((folder / target).is_file() for target in links.targets)


def test_names_from_files_are_escaped(folder: Path) -> None:
    text = (folder / f"{MODELS[0].key}.html").read_text()
    assert "w&lt;6000&gt;" in text and "w<6000>" not in text


def test_the_overview_shows_the_measured_averages(folder: Path) -> None:
    text = " ".join((folder / "index.html").read_text().split())
    for kind in ("weights", "activations"):
        share = averages(select(PARTS, kind))[0].by_model
        assert f"<b>{100 * share:.1f} %</b> of the {kind} remain" in text


def test_csv_and_json_agree(folder: Path) -> None:
    document = json.loads((folder / "report.json").read_text())
    with (folder / "tensors.csv").open() as file:
        rows = list(csv.DictReader(file))
    tensors = [tensor for part in document["parts"] for tensor in part["tensors"]]
    assert [row["tensor"] for row in rows] == [tensor["name"] for tensor in tensors]
    assert [int(row["apack"]) for row in rows] == [tensor["bits"]["apack"] for tensor in tensors]
    with (folder / "networks.csv").open() as file:
        shares = [float(row["apack"]) for row in csv.DictReader(file)]
    assert shares == pytest.approx([part.footprint(APACK.bits) for part in PARTS], abs=1e-6)


def test_means_are_over_networks_and_over_values() -> None:
    parts = select(PARTS, "weights")[:2]
    entry = averages(parts)[0]
    shares = [part.footprint(APACK.bits) for part in parts]
    assert entry.by_model == pytest.approx(sum(shares) / 2)
    total = sum(tensor.apack.total for part in parts for tensor in part.tensors)
    assert entry.by_value == pytest.approx(total / sum(part.raw for part in parts))


def test_a_claim_that_fails_lists_its_exceptions() -> None:
    part = select(PARTS, "weights")[0]
    grown = [replace(tensor, baselines={**tensor.baselines, "mlw": 1}) for tensor in part.tensors]
    claims = {bar.claim: bar for bar in bars([replace(part, tensors=tuple(grown))])}
    below_mlw = next(bar for claim, bar in claims.items() if "mlw_codec" in claim)
    assert not below_mlw.holds and re.match("MobileNetV2: ", below_mlw.exceptions[0])
    never_grows = next(bar for claim, bar in claims.items() if "no block larger" in claim)
    assert never_grows.holds and never_grows.cases == 4
