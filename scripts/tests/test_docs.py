"""docs/architecture.md says what the RTL says, and its diagrams are those of their WaveJSON."""

from __future__ import annotations

import re

import pytest

from scripts.docs import PAGE, TABLES, TIMING, replaced
from tb.apack.diagrams.draw import DIAGRAMS
from tb.sim.modules import free_parameters, rtl_modules, verilog_text
from tb.sim.wavejson import picture

DOCS = PAGE.parent


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_the_table_of_the_rtl(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    wanted = replaced(page, name, TABLES[name]())
    assert page == wanted, f"the table of {name} in docs/architecture.md is old: make docs"


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda diagram: diagram.name)
def test_a_picture_is_that_of_its_wavejson(diagram) -> None:
    path = TIMING / diagram.name
    text = path.with_suffix(".json").read_text(encoding="utf-8")
    found = path.with_suffix(".svg").read_text(encoding="utf-8")
    assert found == picture(text), f"docs/timing/{diagram.name}.svg is old: make docs"


def test_every_picture_that_is_named_is_there_and_every_diagram_is_named() -> None:
    named = re.findall(r"\((?!https?:)([\w/.-]+\.(?:svg|md))[#)]", PAGE.read_text(encoding="utf-8"))
    missing = [name for name in named if not (DOCS / name).is_file()]
    assert not missing, f"docs/architecture.md names {missing}"
    assert {f"timing/{diagram.name}.svg" for diagram in DIAGRAMS} <= set(named)


def test_the_readme_connects_every_port_and_names_every_module() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    text = verilog_text(rtl_modules()["apack_compressor"])
    ports = set(re.findall(r"^ +(?:input|output) +wire .*?(\w+),?$", text, re.MULTILINE))
    example = readme.split("```verilog")[1].split("```")[0]
    named = set(re.findall(r"\.(\w+) +\(", example))
    parameters = {name for name in named if name.isupper()}
    assert named - parameters == ports
    assert parameters <= set(free_parameters(rtl_modules()["apack_compressor"]))
    left_out = [name for name in rtl_modules() if f"`{name}`" not in readme]
    assert not left_out, f"README.md does not name {left_out}"


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no markers for registers"):
        replaced("# A page\n", "registers", "")
