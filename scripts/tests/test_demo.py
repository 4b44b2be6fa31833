"""make demo: its figures, its files, and its one line about unusable input."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import pywellen

from scripts.demo import command
from scripts.simulators import chosen_simulator
from tb.apack.bulk import tops_round_trip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo's output folder, moved out of build/ so that tests may run side by side."""
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "FOLDER", tmp_path / "demo")
    return tmp_path / "demo"


def demo(*arguments: object) -> int:
    return command.main(["--sim", chosen_simulator(), "--jobs", "1", *map(str, arguments)])


def save_array(path: Path, array: np.ndarray) -> Path:
    np.save(path, array)
    return path


def test_own_tensor_with_own_table_gives_figures_picture_and_waveform(folder, tmp_path, capsys):
    values = np.random.default_rng(1).integers(-8, 8, (30, 10), dtype=np.int8)
    tensor = save_array(tmp_path / "own.npy", values)
    table = tmp_path / "table.json"
    table.write_text(
        json.dumps({"value_w": 8, "count_w": 10, "base": [0, 8, 248], "cum": [0, 500, 510, 1024]})
    )
    assert demo("--tensor", tensor, "--table", table, "--block", 128, "--waves") == 0
    summary = json.loads((folder / "summary.json").read_text())
    record = summary["tensors"][0]
    assert summary["total"]["mismatches"] == record["mismatches"] == 0
    assert record["values"] == 300
    assert record["table"]["base"] == [0, 8, 248]
    assert record["blocks"] == 3
    assert 3 * 300 < record["coded_bits"] < 6 * 300
    assert record["coded_bits"] <= record["memory_bits"] < record["coded_bits"] + 3 * 2 * 64
    assert record["index_bits"] == 3 * 64
    assert record["stored_bits"] == record["memory_bits"] + record["index_bits"]
    assert record["footprint"] == pytest.approx(record["stored_bits"] / 2400, abs=1e-6)
    assert (folder / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert "mismatches" in capsys.readouterr().out
    check_save_file(folder)


def check_save_file(folder: Path) -> None:
    """Every signal of the GTKWave save file is in the waveform, with that width."""
    waveform = pywellen.Waveform(str(folder / "waves.fst"))
    widths = {variable.full_name: variable.bitwidth for variable in waveform.all_vars()}
    signals = re.findall(
        r"^(apack_bulk_tops\.[\w.\[\]]*?)(?:\[(\d+):0\])?$",
        (folder / "waves.gtkw").read_text(),
        re.MULTILINE,
    )
    assert len(signals) > 30
    for name, top in signals:
        assert widths.get(name) == int(top or 0) + 1, name


def test_any_name_can_be_drawn(folder, tmp_path):
    name = "a $HOME [é] ^_{} & b"
    assert demo("--tensor", save_array(tmp_path / f"{name}.npy", np.arange(9, dtype=np.int8))) == 0
    assert json.loads((folder / "summary.json").read_text())["tensors"][0]["model"] == name
    assert (folder / "demo.png").exists()


def test_a_large_tensor_comes_within_half_a_percent_of_its_entropy(folder, tmp_path):
    """For 64 Ki values and more, with weights as they are: long-tailed around zero."""
    count = 1 << (16 if chosen_simulator() == "verilator" else 10)  # Icarus would take an hour
    values = np.random.default_rng(1).laplace(0, 12, count).round().clip(-128, 127)
    assert demo("--tensor", save_array(tmp_path / "large.npy", values.astype(np.int8))) == 0
    record = json.loads((folder / "summary.json").read_text())["tensors"][0]
    assert record["mismatches"] == 0
    assert record["entropy_bits"] <= record["coded_bits"]
    if chosen_simulator() == "verilator":
        assert record["coded_bits"] <= 1.005 * record["entropy_bits"]
        assert record["stored_bits"] <= 1.01 * record["entropy_bits"]


def test_a_block_that_would_grow_counts_as_raw(folder, tmp_path):
    tensor = save_array(tmp_path / "noise.npy", np.arange(256, dtype=np.uint8))
    table = tmp_path / "table.json"
    fields = {"value_w": 8, "count_w": 10, "base": [0, 1], "cum": [0, 1023, 1024]}
    table.write_text(json.dumps(fields))
    assert demo("--tensor", tensor, "--table", table) == 0
    record = json.loads((folder / "summary.json").read_text())["tensors"][0]
    assert record["raw_blocks"] == 1
    assert record["coded_bits"] == record["memory_bits"] == 8 * 256


def test_a_difference_between_hardware_and_model_is_shown_and_ends_with_1(
    folder, tmp_path, monkeypatch, capsys
):
    """The bench gets units with a CRC that is wrong in one bit."""
    rtl = tmp_path / "rtl"
    rtl.mkdir()
    broken = []
    for source in tops_round_trip.SOURCES:
        text = source.read_text()
        if source.name == "apack_crc.v":
            text = text.replace("32'hEDB88320", "32'hEDB88321")
            assert text != source.read_text()
        (rtl / source.name).write_text(text)
        broken.append(rtl / source.name)
    monkeypatch.setattr(tops_round_trip, "SOURCES", tuple(broken))
    tensor = save_array(tmp_path / "own.npy", np.arange(-64, 64, dtype=np.int8))
    assert demo("--tensor", tensor) == 1
    assert "MISMATCH in own" in capsys.readouterr().out
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["total"]["mismatches"] > 0


TABLE = {"value_w": 8, "count_w": 10, "base": [0, 8, 248], "cum": [0, 500, 510, 1024]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base": [1, 8, 248]}, r"base\[0\] is 1"),
        ({"base": [0, 8, 8]}, r"base\[2\] is 8, not above"),
        ({"cum": [0, 500, 500, 1024]}, r"cum\[2\] is 500, not above"),
        ({"cum": [0, 500, 510, 1023]}, r"cum\[3\] is 1023"),
        ({"base": list(range(17)), "cum": [*range(17), 1024]}, "SYMBOLS = 16"),
        ({"count_w": 15, "cum": [0, 500, 510, 32768]}, "count_w is 15"),
        ({"value_w": 4, "base": [0, 8]}, "cum has 4 entries"),
    ],
)
def test_illegal_table_is_one_line_that_names_the_row(folder, tmp_path, capsys, change, message):
    tensor = save_array(tmp_path / "own.npy", np.zeros(4, dtype=np.uint8))
    table = tmp_path / "table.json"
    table.write_text(json.dumps(TABLE | change))
    assert demo("--tensor", tensor, "--table", table) == 2
    check_one_line(capsys, message)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4), "float64"),
        (np.zeros(4, dtype=np.int32), "int32"),
        (np.zeros((0, 3), dtype=np.int8), "empty"),
    ],
)
def test_unusable_tensor_is_one_line(folder, tmp_path, capsys, array, message):
    assert demo("--tensor", save_array(tmp_path / "bad.npy", array)) == 2
    check_one_line(capsys, message)


def test_values_wider_than_the_table_are_one_line(folder, tmp_path, capsys):
    table = tmp_path / "table.json"
    table.write_text(json.dumps({"value_w": 4, "count_w": 10, "base": [0], "cum": [0, 1024]}))
    tensor = save_array(tmp_path / "wide.npy", np.array([3, 16], dtype=np.uint8))
    assert demo("--tensor", tensor, "--table", table) == 2
    check_one_line(capsys, "4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tensor", "none.npy"], "none.npy: no such file"),
        (["--model", "none.onnx"], "none.onnx: no such file"),
        (["--tensor", "/nonexistent"], "/nonexistent: no such file"),
        (["--tensor", "scripts"], "scripts: unknown file type"),
        (["--sim", "vcs"], "vcs"),
        (["--tensor", "a.npy", "--model", "b.onnx"], "MODEL: not allowed with TENSOR"),
        (["--table", "t.json"], "TABLE goes with TENSOR"),
        *(
            (["--block", block], rf"BLOCK: '{block}' is not a multiple of 8, .*, from 8 to 65536")
            for block in ("0", "100", "65544", "x")
        ),
    ],
)
def test_unusable_arguments_are_one_line(folder, capsys, arguments, message):
    try:
        code = demo(*arguments)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    check_one_line(capsys, message)


def check_one_line(capsys: pytest.CaptureFixture, message: str) -> None:
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert text.startswith("demo: ")
    assert re.search(message, text)
