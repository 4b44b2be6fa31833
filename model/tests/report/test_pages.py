# SPDX-License-Identifier: Apache-2.0
"""The written report: whole, linked, and the same numbers in every form."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import product
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
    grown = [replace(tensor, others={**tensor.others, "mlw": 1}) for tensor in part.tensors]
    claims = {bar.claim: bar for bar in bars([replace(part, tensors=tuple(grown))])}
    below_mlw = next(bar for claim, bar in claims.items() if "mlw_codec" in claim)
    assert not below_mlw.holds and re.match("MobileNetV2: ", below_mlw.exceptions[0])
    never_grows = next(bar for claim, bar in claims.items() if "no block larger" in claim)
    assert never_grows.holds and never_grows.cases == 3


def _style() -> str:
    return (files("model.report") / "templates" / "style.html").read_text()


def _palettes() -> list[dict[str, str]]:
    """Names of colours -> #rrggbb, on light and on dark pages."""
    roots = re.findall(r":root \{(.*?)\}", _style(), re.DOTALL)
    return [dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", root)) for root in roots]


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    shares = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_on_light_and_on_dark_pages() -> None:
    """By the ratio of 4.5 that WCAG asks for."""
    light, dark = _palettes()
    assert light.keys() == dark.keys()
    assert _luminance(light["paper"]) > 0.9 and _luminance(dark["paper"]) < 0.02
    for palette in (light, dark):
        for ink, ground in product(("ink", "soft", "blue", "yes", "no"), ("paper", "tint")):
            bright, dim = sorted((_luminance(palette[ink]), _luminance(palette[ground])))[::-1]
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (ink, ground)


def test_every_colour_of_a_page_changes_with_the_mode() -> None:
    rules = re.sub(r":root \{.*?\}", "", _style(), flags=re.DOTALL)
    assert not re.search(
        r"#[0-9a-f]{3}|rgb|hsl|white\b(?!-)|black", re.sub(r"/\*.*?\*/", "", rules)
    )
    assert re.search(r"dark\) \{.*?img \{ filter: invert", rules, re.DOTALL)
    for page in ("index", "network"):
        template = (files("model.report") / "templates" / f"{page}.html").read_text()
        assert not re.search(r"style=|bgcolor|<font", template)


def test_pictures_can_be_read_on_a_small_screen(folder: Path) -> None:
    """Their letters of 10 points are 6.5 or more when the picture is 358 pixels wide."""
    for picture in (folder / "pictures").glob("*.svg"):
        width = float(re.search(r'width="([\d.]+)pt"', picture.read_text())[1])
        assert 10 * 358 / (width * 96 / 72) >= 6.5, picture.name
