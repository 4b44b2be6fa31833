# SPDX-License-Identifier: Apache-2.0
"""Which packages each Python needs, and which Pythons run the tests."""

from __future__ import annotations

import re

import pytest
import yaml

from scripts import wheels
from tb.sim.paths import ROOT


def test_what_has_no_wheel_for_a_python_is_not_asked_for_there() -> None:
    asked = [
        python
        for python in wheels.PYTHONS
        if any(pin.startswith("ethos-u-vela==") for pin in wheels.needed(python))
    ]
    assert asked == ["3.11", "3.12", "3.13"]


@pytest.mark.parametrize("python", wheels.PYTHONS)
def test_every_pin_is_exact(python: str) -> None:
    pins = wheels.needed(python)
    assert len(pins) == len({pin.split("==")[0].lower() for pin in pins}) > 50
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", pin) for pin in pins)


def test_a_package_that_is_nowhere_is_said(monkeypatch, capsys) -> None:
    monkeypatch.setattr(wheels, "complaint", lambda python: "x" if python == "3.12" else None)
    assert wheels.main(["--python", "3.11", "3.12"]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Python 3.11: all \d+ packages", first)
    assert second == "Python 3.12: x"
    assert wheels.main(["--python", "3.11"]) == 0


def test_the_oldest_and_a_new_python_run_the_tests() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["check"]["strategy"]["matrix"]
    pythons = {*matrix["python"], *(entry["python"] for entry in matrix.get("include", []))}
    oldest = re.search(r"version_info < \(3, (\d+)\)", (ROOT / "Makefile").read_text("utf-8"))[1]
    assert pythons >= {f"3.{oldest}", "3.13"}
    assert wheels.PYTHONS[0] == f"3.{oldest}"
