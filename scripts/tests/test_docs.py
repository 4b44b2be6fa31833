# SPDX-License-Identifier: Apache-2.0
"""The pages say what the RTL says, and their diagrams are those of their WaveJSON."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tb.apack.diagrams.draw import DIAGRAMS
from tb.sim.modules import free_parameters, rtl_modules, verilog_text
from tb.sim.pages import BEGIN, DOCS, renewed, replaced, summary, tables_of, write_pages
from tb.sim.paths import ROOT
from tb.sim.wavejson import picture

SYSTEMS = sorted(path.name for path in DOCS.iterdir() if path.is_dir())
APACK = DOCS / "apack"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([\w./-]+\.\w+)[#)]")


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_pages_have_the_tables_of_the_rtl(system: str) -> None:
    tables = tables_of(system)
    marked = set()
    for path in (DOCS / system).glob("*.md"):
        page = path.read_text(encoding="utf-8")
        assert page == renewed(page, tables), f"{path.relative_to(ROOT)} is old: make docs"
        marked |= set(BEGIN.findall(page))
    assert set(tables) <= marked


def test_each_folder_of_the_hardware_has_a_table_of_its_modules() -> None:
    assert {path.parent.name for path in rtl_modules().values()} <= set(SYSTEMS)
    for name, path in rtl_modules().items():
        page = (DOCS / path.parent.name / "modules.md").read_text(encoding="utf-8")
        assert page.count(f"| `{name}` |") == 1


def test_the_summary_of_a_module_is_its_first_sentence(tmp_path: Path) -> None:
    path = tmp_path / "m.v"
    path.write_text("/*\n * Adds a | b, as\n * in 1.5 cycles. More.\n */\nmodule m;\n")
    assert summary(path) == "Adds a \\| b, as in 1.5 cycles"
    path.write_text("module m;\n")
    with pytest.raises(ValueError, match=r"m\.v has no header"):
        summary(path)


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda diagram: diagram.name)
def test_a_picture_is_that_of_its_wavejson(diagram) -> None:
    path = APACK / "timing" / diagram.name
    text = path.with_suffix(".json").read_text(encoding="utf-8")
    found = path.with_suffix(".svg").read_text(encoding="utf-8")
    assert found == picture(text), f"timing/{diagram.name}.svg is old: make docs"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_what_a_page_links_is_there(path: Path) -> None:
    named = LINK.findall(path.read_text(encoding="utf-8"))
    assert not [name for name in named if not (path.parent / name).is_file()]


def test_what_the_readme_links_is_there() -> None:
    named = LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert named and not [name for name in named if not (ROOT / name).is_file()]


def test_every_diagram_is_shown() -> None:
    page = (APACK / "architecture.md").read_text(encoding="utf-8")
    assert {f"timing/{diagram.name}.svg" for diagram in DIAGRAMS} <= set(LINK.findall(page))


def test_the_readme_connects_every_port() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = verilog_text(rtl_modules()["apack_compressor"])
    ports = set(re.findall(r"^ +(?:input|output) +wire .*?(\w+),?$", text, re.MULTILINE))
    example = readme.split("```verilog")[1].split("```")[0]
    named = set(re.findall(r"\.(\w+) +\(", example))
    parameters = {name for name in named if name.isupper()}
    assert named - parameters == ports
    assert parameters <= set(free_parameters(rtl_modules()["apack_compressor"]))


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no markers for registers"):
        replaced("# A page\n", "registers", "")


def test_a_table_without_a_place_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tb.sim.pages.DOCS", tmp_path)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "page.md").write_text("# A page\n")
    with pytest.raises(ValueError, match="docs/toy has no markers for modules"):
        write_pages("toy", {"modules": "| x |\n"})
