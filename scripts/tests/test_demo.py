# SPDX-License-Identifier: Apache-2.0
"""make demo: its figures, its files, and its one line about unusable input."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
import pywellen

from model.tensors import Tensor
from scripts.demo import command, measure
from scripts.demo.tensors import Subject, shipped_subjects
from tb.apack.bulk import round_trip
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.modules import rtl_modules
from tb.sim.round_trip import find_codec
from tb.sim.tools import SIMULATORS, ToolMissing, find_simulator


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
    blocks = 3
    assert record["coded_bits"] + 64 * blocks <= record["memory_bits"]
    assert record["memory_bits"] < record["coded_bits"] + 2 * 64 * blocks
    assert record["stored_bits"] == record["memory_bits"]
    assert record["footprint"] == pytest.approx(record["stored_bits"] / 2400, abs=1e-6)
    assert (folder / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert "mismatches" in capsys.readouterr().out
    check_save_file(folder)


@pytest.mark.parametrize("width", [34, 60, 80, 200])
def test_the_proof_is_seen_at_any_width(folder, tmp_path, monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    arrays = {"a" * 120: np.arange(-64, 64, dtype=np.int8), "b": np.zeros(64, np.int8)}
    np.savez(tmp_path / "two.npz", **arrays)
    assert demo("--tensor", tmp_path / "two.npz") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    header = next(line for line in lines if "mismatches" in line)
    assert "footprint" in header
    assert ("values" in header) == ("mismatches" in header and width >= 60)
    rows = [line for line in lines if re.search(r" 0 ?$", line)]
    assert len(rows) == 3, lines
    assert re.search(
        r"PASSED: 192 of 192 values came back, (\d+) of \1 memory words equal the model's$",
        " ".join(line.rstrip() for line in lines),
    )


def test_names_are_printed_as_they_are(folder, tmp_path, capsys):
    """What looks like markup, an emoji code or a control character to a terminal."""
    names = ["a[red]b[/red]", "[/bold]", ":smile: c", "d\\[e]", "\x1b[31mf\n\x07", "\u65e5\u672c"]
    path = tmp_path / "x[blue]y:cat:.npz"
    np.savez(path, **{name: np.arange(8 + i, dtype=np.int8) for i, name in enumerate(names)})
    assert demo("--model", path) == 0
    found = capsys.readouterr()
    for shown in (*names[:4], r"\x1b[31mf\n\x07", names[5]):
        assert f" {shown} " in found.out, shown
    assert path.name in found.out
    assert "\x1b" not in found.out
    assert found.err == ""
    records = json.loads((folder / "summary.json").read_text())["tensors"]
    assert [record["tensor"] for record in records] == names


def test_a_locale_that_lacks_letters_of_a_name_ends_nothing(folder, tmp_path, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    np.savez(tmp_path / "own.npz", **{"caf\xe9 \u65e5": np.arange(8, dtype=np.int8)})
    assert demo("--tensor", tmp_path / "own.npz") == 0
    sys.stdout.flush()
    assert "caf\xe9 \\u65e5" in written.getvalue().decode("latin-1")


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Weights of three widths and types, and a constant that is none."""
    rng = np.random.default_rng(1)
    arrays = {
        "conv1": rng.integers(-8, 8, (8, 16)).astype(ml_dtypes.int4),
        "conv2": rng.integers(-8, 8, (8, 16), np.int8),
        "fc": rng.normal(0, 0.1, (8, 16)).astype(ml_dtypes.bfloat16),
        "long": rng.integers(-300, 300, (8, 16), np.int16),
        "odd": rng.integers(0, 9, (8, 16)).astype(np.int64),
    }
    graph = onnx.helper.make_graph(
        [], "network", [], [],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )  # fmt: skip
    path = tmp_path / "network.onnx"
    onnx.save(onnx.helper.make_model(graph), path)
    return path


def test_each_tensor_goes_through_at_a_width_of_its_own(folder, network, capsys):
    assert demo("--model", network) == 0
    summary = json.loads((folder / "summary.json").read_text())
    widths = {record["tensor"]: record["value_w"] for record in summary["tensors"]}
    assert widths == {"conv1": 4, "conv2": 8, "fc": 16, "long": 16}
    assert summary["total"]["mismatches"] == 0
    assert summary["total"]["raw_bits"] == 128 * (4 + 8 + 16 + 16)
    assert [one["name"] for one in summary["left_out"]] == ["odd"]
    out = capsys.readouterr().out
    assert "left out: 'odd' (int64, 8x16)" in out
    assert "4 tensors, 1 left out" in out


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["conv2"], ["conv2"]),
        (["c*2"], ["conv2"]),
        (["conv[2-9]"], ["conv2"]),
        (["conv2", "f?"], ["conv2", "fc"]),
        (["f? conv2"], ["conv2", "fc"]),
    ],
)
def test_tensors_of_a_model_are_chosen_by_name(folder, network, capsys, names, chosen):
    choice = [word for name in names for word in ("--tensor", name)]
    assert demo("--model", network, "--float", "int8", *choice) == 0
    records = json.loads((folder / "summary.json").read_text())["tensors"]
    assert [record["tensor"] for record in records] == chosen
    assert {record["value_w"] for record in records} == {8}
    assert "0 left out" in capsys.readouterr().out


def test_a_name_with_a_space_is_one_name(folder, tmp_path, capsys):
    np.savez(tmp_path / "own.npz", **{name: np.arange(8, dtype=np.int8) for name in ("a b", "a")})
    assert demo("--model", tmp_path / "own.npz", "--tensor", "a b") == 0
    records = json.loads((folder / "summary.json").read_text())["tensors"]
    assert [record["tensor"] for record in records] == ["a b"]


def test_cycles_are_the_same_in_both_simulators(folder, tmp_path, monkeypatch):
    """Of a tensor that is cut into several runs, each of several blocks."""
    for sim in SIMULATORS:
        try:
            find_simulator(sim)
        except ToolMissing as error:
            pytest.skip(f"needs both simulators: {error}")
    monkeypatch.setattr(measure, "RUN_BYTES", 160)
    values = np.random.default_rng(1).integers(-8, 8, 400, dtype=np.int8)
    tensor = save_array(tmp_path / "own.npy", values)
    records = []
    for sim in SIMULATORS:
        assert command.main(["--sim", sim, "--tensor", str(tensor), "--block", "32"]) == 0
        records.append(json.loads((folder / "summary.json").read_text())["tensors"])
    assert records[0] == records[1]
    assert records[0][0]["blocks"] == 13


def test_shipped_tensors_are_summed_up_by_group_or_listed(folder, monkeypatch, capsys):
    def subject(model: str, group: str, name: str, top: int) -> Subject:
        values = np.random.default_rng(1).integers(0, top, 64, np.uint8)
        job = find_codec("apack").prepare(Tensor(name, values, "uint8"), 4096)
        return Subject(model, name, group, job, f"{group} note")

    subjects = [
        subject("one", "first", "a", 2),
        subject("two", "first", "b", 200),
        subject("three", "second", "c", 20),
    ]
    monkeypatch.setattr(command, "shipped_subjects", lambda prepare: subjects)
    assert demo() == 0
    text = capsys.readouterr().out
    assert re.search(r"^ first +2 +128 ", text, re.MULTILINE)
    assert re.search(r"^ second +1 +64 ", text, re.MULTILINE)
    assert re.search(r"^best: [\d.]+ %, one a \(first, 64 values\)", text, re.MULTILINE)
    assert re.search(r"^worst: [\d.]+ %, two b \(first, 64 values\)", text, re.MULTILINE)
    assert text.count("note") == 2
    assert not re.search(r"^ two b ", text, re.MULTILINE)
    summary = json.loads((folder / "summary.json").read_text())
    assert [group["tensors"] for group in summary["groups"]] == [2, 1]
    assert (
        sum(group["stored_bits"] for group in summary["groups"]) == summary["total"]["stored_bits"]
    )
    assert (summary["best"]["tensor"], summary["worst"]["tensor"]) == ("a", "b")
    assert demo("--all") == 0
    assert re.search(r"^ two b +64 ", capsys.readouterr().out, re.MULTILINE)


def test_the_shipped_tensors_are_weights_and_maps_of_two_kinds_of_network():
    found = {}
    for subject in shipped_subjects(lambda tensor: tensor):
        found.setdefault(subject.group, []).append(subject.job.values.size)
    assert {group: (len(sizes), sum(sizes)) for group, sizes in found.items()} == {
        "microWakeWord, weights": (45, 106_686),
        "BlazeFace, weights": (37, 99_202),
        "BlazeFace, feature maps": (34, 1_026_048),
        "BlazeFace, pruned weights": (91, 500_092),
    }


def check_save_file(folder: Path) -> None:
    """Every signal of the GTKWave save file is in the waveform, with that width."""
    waveform = pywellen.Waveform(str(folder / "waves.fst"))
    widths = {variable.full_name: variable.bitwidth for variable in waveform.all_vars()}
    signals = re.findall(
        r"^(apack_bulk\.[\w.\[\]]*?)(?:\[(\d+):0\])?$",
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


def test_a_large_tensor_comes_within_a_percent_and_a_half_of_its_entropy(folder, tmp_path):
    """For 64 Ki values and more, with weights as they are: long-tailed around zero."""
    count = 1 << (16 if chosen_simulator() == "verilator" else 10)  # Icarus would take an hour
    values = np.random.default_rng(1).laplace(0, 12, count).round().clip(-128, 127)
    assert demo("--tensor", save_array(tmp_path / "large.npy", values.astype(np.int8))) == 0
    record = json.loads((folder / "summary.json").read_text())["tensors"][0]
    assert record["mismatches"] == 0
    assert record["entropy_bits"] <= record["coded_bits"]
    if chosen_simulator() == "verilator":
        assert record["stored_bits"] <= 1.015 * record["entropy_bits"]


def test_a_block_that_would_grow_counts_as_raw(folder, tmp_path):
    tensor = save_array(tmp_path / "noise.npy", np.arange(256, dtype=np.uint8))
    table = tmp_path / "table.json"
    fields = {"value_w": 8, "count_w": 10, "base": [0, 1], "cum": [0, 1023, 1024]}
    table.write_text(json.dumps(fields))
    assert demo("--tensor", tensor, "--table", table) == 0
    record = json.loads((folder / "summary.json").read_text())["tensors"][0]
    assert record["raw_blocks"] == 1
    assert record["coded_bits"] == record["memory_bits"] - 64 == 8 * 256


def test_a_difference_between_hardware_and_model_is_shown_and_ends_with_1(
    folder, tmp_path, monkeypatch, capsys
):
    """The bench gets units with a CRC that is wrong in one bit."""
    right = rtl_modules()["cell_crc32"]
    wrong = tmp_path / right.name
    text = right.read_text(encoding="utf-8")
    assert "32'hEDB88320" in text
    wrong.write_text(text.replace("32'hEDB88320", "32'hEDB88321"), encoding="utf-8")
    sources = tuple(wrong if source == right else source for source in round_trip.SOURCES)
    assert wrong in sources
    monkeypatch.setattr(round_trip, "SOURCES", sources)
    tensor = save_array(tmp_path / "own.npy", np.arange(-64, 64, dtype=np.int8))
    assert demo("--tensor", tensor) == 1
    out = capsys.readouterr().out
    assert "MISMATCH in own" in out
    assert re.search(
        r"FAILED: 128 of 128 values came back, (\d+) of (\d+) memory words equal the model's; "
        r"0 counters, marks or ends of a run are wrong $",
        re.sub(r"\s+", " ", out),
    )
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


def test_a_table_of_another_width_is_one_line(folder, tmp_path, network, capsys):
    table = tmp_path / "table.json"
    table.write_text(json.dumps({"value_w": 12, "count_w": 10, "base": [0], "cum": [0, 1024]}))
    assert demo("--model", network, "--tensor", "conv2", "--table", table) == 2
    check_one_line(capsys, r"table.json: value_w is 12, but tensor 'conv2' of .* of 8 bits")


@pytest.mark.parametrize("name", ["nothing*", "conv1 nothing", "[x", "\x1b[31m"])
def test_a_name_that_no_tensor_has_is_one_line(folder, network, capsys, name):
    assert demo("--model", network, "--tensor", name) == 2
    check_one_line(capsys, r"network.onnx: no tensor .*; there are 'conv1', 'conv2'")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tensor", "none.npy"], "none.npy: no such file"),
        (["--model", "none.onnx"], "none.onnx: no such file"),
        (["--tensor", "/nonexistent"], "/nonexistent: no such file"),
        (["--tensor", "scripts"], "scripts: is a folder"),
        (["--sim", "vcs"], "vcs"),
        (["--tensor", "a.npy", "--model", "b.onnx"], "b.onnx: no such file"),
        (["--tensor", "a.npy", "--tensor", "b.npy"], "TENSOR is one file"),
        (["--table", "t.json"], "TABLE goes with TENSOR"),
        (["--table", "t.json", "--model", "b.onnx"], "TABLE goes with TENSOR"),
        (["--float", "int7"], "FLOAT: .*int7"),
        (["--codec", "none"], "CODEC: there is no codec 'none' with hardware, but apack"),
        (["--codec", "sim"], "CODEC: there is no codec 'sim'"),
        (["--codec"], "CODEC: expected one argument"),
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
