# SPDX-License-Identifier: Apache-2.0
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.apack import EncodedBlock, SymbolTable, decode_block, histogram, solve
from model.apack.container import write_container
from model.cli.main import main
from model.tests.apack.golden_tensors import FOLDER

ROOT = Path(__file__).parents[3]
EXAMPLE, MIXED = str(FOLDER / "example.apack"), str(FOLDER / "mixed.apack")


def weights(dtype=np.int8) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.clip(rng.laplace(0, 9, (60, 200)), -128, 127).astype(dtype)


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_npy_comes_back_byte_for_byte(tmp_path, run, dtype):
    np.save(tmp_path / "w.npy", weights(dtype))
    run("compress", tmp_path / "w.npy", "-o", tmp_path / "w.apack")
    run("decompress", tmp_path / "w.apack", "-o", tmp_path / "back.npy")
    assert (tmp_path / "back.npy").read_bytes() == (tmp_path / "w.npy").read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        ["--block", 100, "--word-bytes", 2, "--streams", 8],
        ["--method", "paper", "--groups", 5],
        ["--count-width", 14, "--code-width", 20],
        ["--value-width", 12],
    ],
)
def test_options_do_not_change_the_values(tmp_path, run, options):
    np.save(tmp_path / "w.npy", weights(np.int16))
    run("compress", tmp_path / "w.npy", "-o", tmp_path / "w.apack", *options)
    run("decompress", tmp_path / "w.apack", "-o", tmp_path / "back.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "back.npy"), weights())


def test_options_reach_the_file(tmp_path, run):
    np.save(tmp_path / "w.npy", weights())
    run("compress", tmp_path / "w.npy", "-o", tmp_path / "w.apack", "--block", 1000,
        "--groups", 5, "--count-width", 8, "--code-width", 12, "--streams", 8,
        "--word-bytes", 4)  # fmt: skip
    (tensor,) = json.loads(run("info", tmp_path / "w.apack", "--json"))["tensors"]
    assert (tensor["block_values"], tensor["blocks"]) == (1000, 12)
    assert (tensor["streams"], tensor["word_bytes"], tensor["tile_blocks"]) == (8, 4, 16)
    block = json.loads(run("inspect", tmp_path / "w.apack", "--block", 11, "--json"))
    assert (block["code_w"], block["streams"], block["table"]["count_w"]) == (12, 8, 8)
    assert len(block["table"]["base"]) <= 5


def test_archive_of_several_tensors_and_quantized_floats(tmp_path, run):
    floats = np.random.default_rng(1).normal(size=(30, 20)).astype(np.float32)
    np.savez(tmp_path / "in.npz", **{"a": weights(), "d": weights(np.uint8) % 7, "b/c": floats})
    text = run("compress", tmp_path / "in.npz", "-o", tmp_path / "x.apack")
    assert "quantized per tensor, symmetric int8" in text
    text = run("decompress", tmp_path / "x.apack", "-o", tmp_path / "back.npz")
    assert "1 of 3 tensors come as the integers of quantized floats" in text
    back = np.load(tmp_path / "back.npz")
    np.testing.assert_array_equal(back["a"], weights())
    np.testing.assert_array_equal(back["d"], weights(np.uint8) % 7)
    (b,) = (
        tensor
        for tensor in json.loads(run("info", tmp_path / "x.apack", "--json"))["tensors"]
        if tensor["name"] == "b/c"
    )
    assert b["source"] == "float32" and b["type"] == "int8"
    assert np.abs(back["b/c"] * b["scale"][0] - floats).max() <= b["scale"][0] / 2 * 1.001
    run("decompress", tmp_path / "x.apack", "--tensor", "a", "-o", tmp_path / "a.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), weights())


def test_own_table_is_used(tmp_path, run):
    np.save(tmp_path / "w.npy", weights())
    SymbolTable.uniform().save(tmp_path / "t.json")
    run("compress", tmp_path / "w.npy", "-o", tmp_path / "w.apack", "--table", tmp_path / "t.json")
    block = json.loads(run("inspect", tmp_path / "w.apack", "--json"))
    assert SymbolTable.from_json(json.dumps(block["table"])) == SymbolTable.uniform()


def test_info_adds_up(run):
    report = json.loads(run("info", MIXED, "--json"))
    for tensor in report["tensors"]:
        padding = 8 * (tensor["payload_bytes"] - 8 * tensor["blocks"]) - tensor["piece_bits"]
        assert 0 <= padding <= 48 * tensor["blocks"]
        tiles = -(-tensor["blocks"] // tensor["tile_blocks"])
        assert 0 <= tensor["stored_bytes"] - tensor["payload_bytes"] - 8 * tiles < 8
        if tensor["values"]:
            assert tensor["footprint"] == 8 * tensor["payload_bytes"] / tensor["value_bits"]
    total = report["total"]
    assert total["payload_bytes"] == sum(tensor["payload_bytes"] for tensor in report["tensors"])
    assert total["file_bytes"] == Path(MIXED).stat().st_size
    text = run("info", MIXED)
    for name in ("skewed", "noise", "naïve/вес", "wide", "empty", "scalar"):
        assert name in text


def test_inspect_shows_the_pieces_in_their_order(run):
    block = json.loads(run("inspect", EXAMPLE, "--tensor", "x", "--block", 0, "--json"))
    assert block["raw"] is False and block["values"][:5] == [0, 196, 0, 254, 5]
    assert block["pieces"] == [0x0E12, 0x9B00, 0x8884, 0x9822, 0x8000, 0x8000, 0x2200]
    assert block["owners"] == [0, 1, "offset", "offset", 1, 0, "offset"]
    assert (block["piece_w"], block["streams"], block["crc32"]) == (16, 2, "d5fe2a37")
    encoded = EncodedBlock(block["count"], block["raw"], block["piece_w"], tuple(block["pieces"]))
    table = SymbolTable.from_json(json.dumps(block["table"]))
    decoded = decode_block(encoded, table, block["streams"], block["code_w"])
    assert decoded.tolist() == block["values"]
    text = run("inspect", EXAMPLE)
    assert re.search(r"^2 +offset  8884  1000100010000100$", text, re.MULTILINE)
    assert "7 pieces of 16 bits\n" in text and "coded in 2 streams, CRC-32 d5fe2a37" in text


def test_inspect_shows_the_first_pieces_of_many(run):
    text = run("inspect", MIXED, "--tensor", "skewed")
    pieces = re.findall(r"^\d+ +(?:\d+|offset)  ([0-9a-f]{4})  [01]{16}$", text, re.MULTILINE)
    block = json.loads(run("inspect", MIXED, "--tensor", "skewed", "--json"))
    assert [int(piece, 16) for piece in pieces] == block["pieces"][:16]
    assert f"{len(block['pieces'])} pieces of 16 bits, 16 shown" in text


def test_inspect_shows_raw_blocks(run):
    block = json.loads(run("inspect", EXAMPLE, "--block", 1, "--json"))
    assert block["raw"] is True and block["values"] == [2, 253, 100, 156]
    assert (block["pieces"], block["owners"]) == ([0x02FD, 0x649C], ["values"] * 2)
    assert re.search(r"^1 +values  649c  ", run("inspect", EXAMPLE, "--block", 1), re.MULTILINE)


@pytest.mark.parametrize("method", ["exact", "paper"])
def test_solve_prints_and_saves_the_table(tmp_path, run, method):
    counts = histogram(weights().view(np.uint8), 8)
    np.save(tmp_path / "h.npy", counts)
    result = json.loads(
        run("solve", tmp_path / "h.npy", "--method", method, "--json", "-o", tmp_path / "t.json")
    )
    table = SymbolTable.from_json(json.dumps(result["table"]))
    assert table == solve(counts, method=method) == SymbolTable.load(tmp_path / "t.json")
    assert result["proven"] is (method == "exact")
    assert result["bits"] == pytest.approx(table.expected_bits(counts))
    assert "bits a value" in run("solve", tmp_path / "h.npy", "--method", method)


def test_profile_reports_the_penalty_on_unseen_inputs(tmp_path, run):
    for index, scale in enumerate((9, 10, 30)):
        values = np.random.default_rng(index).exponential(scale, 5000).clip(max=255)
        np.save(tmp_path / f"{index}.npy", values.astype(np.uint8))
    result = json.loads(
        run("profile", tmp_path / "0.npy", tmp_path / "1.npy", "--unseen", tmp_path / "2.npy",
            "-o", tmp_path / "t.json", "--json")
    )  # fmt: skip
    cost = result["unseen"][str(tmp_path / "2.npy")]
    assert cost["bits"] == pytest.approx((1 + cost["penalty"]) * cost["own_table_bits"])
    assert cost["penalty"] > 0.05
    table = SymbolTable.load(tmp_path / "t.json")
    counts = histogram(np.load(tmp_path / "2.npy"), 8)
    assert cost["bits"] == pytest.approx(table.expected_bits(counts))


@pytest.fixture
def inputs(tmp_path):
    """Files to go wrong with; returns their folder."""
    np.save(tmp_path / "w.npy", weights())
    np.save(tmp_path / "wide.npy", weights(np.int16) * 100)
    np.save(tmp_path / "double.npy", weights(np.float64))
    np.save(tmp_path / "none.npy", weights()[:0])
    np.save(tmp_path / "odd.npy", np.ones(100, dtype=int))
    np.save(tmp_path / "zero.npy", np.zeros(256, dtype=int))
    np.save(tmp_path / "object.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "text.npy").write_text("not an array")
    (tmp_path / "bad.json").write_text('{"value_w": 8, "count_w": 10, "base": [0], "cum": [0, 9]}')
    (tmp_path / "cut.apack").write_bytes((FOLDER / "mixed.apack").read_bytes()[:900])
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("compress absent.npy -o x", "absent.npy: no such file"),
        ("compress wide.npy --value-width 8 -o x", "choose a larger value width"),
        ("compress double.npy -o x", "float64"),
        ("compress none.npy -o x", "empty"),
        ("compress text.npy -o x", "text.npy"),
        ("compress object.npy -o x", "object"),
        ("compress w.npy -o absent/x", "there is no folder absent"),
        ("compress w.npy -o .", "is a folder"),
        ("compress w.npy -o w.npy", "w.npy is the input"),
        ("compress w.npy -o x --groups 65", "'65' is not a number from 1 to 64"),
        ("compress w.npy -o x --block 0", "'0' is not a number from 1 to 1048576"),
        ("compress w.npy -o x --word-bytes 1", "--word-bytes: invalid choice: 1"),
        ("compress w.npy -o x --streams 3", "--streams: invalid choice: 3"),
        ("compress w.npy -o x --count-width 15 --code-width 17 --word-bytes 2", "piece of 32 bits"),
        ("compress w.npy -o x --value-width eight", "'eight'"),
        ("compress w.npy -o x --code-width 11", "needs code_w >= 12"),
        ("compress w.npy -o x --table bad.json", r"cum[1] is 9"),
        ("compress w.npy -o x --table absent.json", "absent.json"),
        ("compress w.npy", "-o/--output"),
        ("decompress w.npy -o x.npz", "w.npy: not an APack container"),
        ("decompress cut.apack -o x.npz", "cut.apack: cut short"),
        ("decompress MIXED -o x.npy", "holds 6 tensors"),
        ("decompress MIXED -o x.txt", ".npz"),
        ("decompress MIXED -o x.npy --tensor y", "no tensor 'y'"),
        ("info absent.apack", "absent.apack: No such file or directory"),
        ("info .", "Is a directory"),
        ("info cut.apack --json", "cut.apack: cut short"),
        ("inspect MIXED", "choose one of its tensors with --tensor: skewed"),
        ("inspect MIXED --tensor skewed --block 9", "no block 9; it has 9"),
        ("inspect MIXED --tensor skewed --block -1", "'-1'"),
        ("solve odd.npy", "100 counts"),
        ("solve zero.npy", "the histogram is empty"),
        ("solve w.npy", "one dimension"),
        ("solve text.npy", "not a .npy file"),
        ("solve object.npy", "not a .npy file"),
        ("solve zero.npy --method best", "'best'"),
        ("profile w.npy", "-o/--output"),
        ("profile wide.npy -o t.json", "larger value width"),
        ("compare absent.npy", "absent.npy: no such file"),
        ("compare double.npy", "float64"),
        ("unknown", "'unknown'"),
        ("", "COMMAND"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(inputs, monkeypatch, fail, arguments, message):
    monkeypatch.chdir(inputs)
    before = sorted(path.name for path in inputs.iterdir())
    assert message in fail(*arguments.replace("MIXED", MIXED).split())
    assert sorted(path.name for path in inputs.iterdir()) == before


@pytest.mark.parametrize(
    "command", ["compress", "decompress", "info", "inspect", "solve", "profile", "compare"]
)
def test_help_of_every_command_has_examples_that_parse(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"python -m model {command}" in text.split("examples:")[1]


def test_runs_as_a_module_and_prints_no_progress_into_pipes():
    done = subprocess.run(
        [sys.executable, "-m", "model", "info", EXAMPLE],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == "" and "int8" in done.stdout


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path, run):
    np.savez(tmp_path / "in.npz", **{"a\x1b[31m": weights()})
    run("compress", tmp_path / "in.npz", "-o", tmp_path / "x.apack")
    assert "\x1b" not in run("info", tmp_path / "x.apack")


def test_a_container_without_tensors_has_nothing_to_inspect(tmp_path, run, fail):
    write_container(tmp_path / "none.apack", [])
    assert "0 values" in run("info", tmp_path / "none.apack")
    assert "none.apack: holds no tensors" in fail("inspect", tmp_path / "none.apack")


def test_an_interruption_while_modules_are_imported_is_one_line(tmp_path):
    (tmp_path / "numpy.py").write_text("raise KeyboardInterrupt\n")
    search = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "model", "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": search},
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "model: stopped\n")
