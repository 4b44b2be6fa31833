# SPDX-License-Identifier: Apache-2.0
"""compare: the size of a file under each codec of the list."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.cli import compare
from model.codecs import CODECS
from model.report import measure
from model.tensors import Tensor


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    drawn = np.random.default_rng(0).laplace(0, 9, (2, 3000)).clip(-128, 127)
    np.savez(tmp_path / "x.npz", narrow=drawn[0].astype(np.int8), wide=drawn[1].astype(np.int16),
             double=drawn[0])  # fmt: skip
    return tmp_path / "x.npz"


def test_json_has_the_sizes_of_the_report(arrays: Path, run) -> None:
    report = json.loads(run("compare", arrays, "--json"))
    assert list(report["codecs"]) == [codec.key for codec in CODECS]
    assert [one["name"] for one in report["left_out"]] == ["double"]
    narrow, wide = report["tensors"]
    values = np.load(arrays)["narrow"].view(np.uint8)
    size = measure.measure(Tensor("narrow", values, "int8"))
    assert narrow["bits"] == {codec.key: size.bits(codec) for codec in CODECS}
    assert narrow["entropy_bits"] == size.entropy and narrow["value_bits"] == 8 * 3000
    assert set(wide["bits"]) == {codec.key for codec in CODECS if codec.max_value_w >= 16}


def test_the_table_has_a_line_for_each_codec(arrays: Path, run) -> None:
    text = run("compare", arrays, "--tensor", "narrow")
    assert [codec.title for codec in CODECS if f"\n{codec.title}  " not in text] == []
    size = measure.measure(Tensor("", np.load(arrays)["narrow"].view(np.uint8), "int8"))
    assert f"{size.apack.total / 8:,.0f}" in text and "3,000 values of 1 tensor\n" in text


def test_a_codec_that_is_added_to_the_list_is_there(
    arrays: Path, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rle = next(codec for codec in CODECS if codec.key == "rle")
    added = replace(rle, key="new", title="New", max_value_w=8, max_error=3)
    for module in (compare, measure):
        monkeypatch.setattr(module, "CODECS", (*CODECS, added))
    lines = {line.split()[0]: line.split() for line in run("compare", arrays).splitlines()}
    assert lines["New"] == ["New", "-", "-", "up", "to", "3", "8", "bits"]
    lines = run("compare", arrays, "--tensor", "narrow").splitlines()
    sizes = {line.split()[0]: line.split()[1] for line in lines}
    assert sizes["New"] == sizes["RLE"]
