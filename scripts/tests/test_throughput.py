# SPDX-License-Identifier: Apache-2.0
"""make throughput: its figures, and its one line about unusable arguments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.benchmark import throughput
from tb.sim.cocotb_run import chosen_simulator

VALUES = {"verilator": 20_000, "icarus": 512}


def test_measures_both_units_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(throughput, "ROOT", tmp_path)
    monkeypatch.setattr(throughput, "FOLDER", tmp_path / "throughput")
    sim = chosen_simulator()
    arguments = ["--sim", sim, "--engines", "1", "--streams", "4", "--block_values", "1024"]
    arguments += ["--values", str(VALUES[sim])]
    assert throughput.main(arguments) == 0
    record = json.loads((tmp_path / "throughput" / "throughput.json").read_text())
    (point,) = record["points"]
    assert (point["engines"], point["streams"], point["block_values"]) == (1, 4, 1024)
    assert 0 < point["memory_words"] <= VALUES[sim] * 8 // 32  # words of 32 bits
    row = record["tensors_in_a_row"]
    assert 0 < row["values"] <= VALUES[sim]
    least = 0.95 if sim == "verilator" else 0.6  # on Icarus it is half a block
    for unit in ("compressor", "decompressor"):
        assert least < point[unit]["values_per_cycle"] <= 1
        assert row[unit]["values_per_cycle"] == round(row["values"] / row[unit]["cycles"], 4)
        assert 0 < row[unit]["values_per_cycle"] <= 1
    assert (tmp_path / "throughput" / "throughput.png").read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "throughput").glob("run-*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engines", "0"], "'0' is not a number from 1 to 64"),
        (["--engines", "1,,2"], "'' is not a number from 1 to 64"),
        (["--streams", "3"], "'3' is not one of 1, 2, 4, 8"),
        (["--block_values", "100"], "'100' is not one of 64, 128, "),
        (["--sim", "vcs"], "vcs"),
        (["--codec", "none"], "CODEC: there is no codec 'none' with hardware, but apack"),
    ],
)
def test_unusable_arguments_are_one_line(capsys, arguments, message):
    try:
        code = throughput.main(arguments)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    text = capsys.readouterr().err
    assert text.startswith("throughput: ") and text.count("\n") == 1
    assert message in text
