# SPDX-License-Identifier: Apache-2.0
"""compress: what it takes, what it leaves out, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.cli.main import main
from model.tests.tensors.models import WEIGHTS, node, onnx_file, safetensors_file

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(capsys):
    """Runs a command; returns its exit code, its lines on stdout and those on stderr."""

    def run_command(*arguments: object) -> tuple[int, list[str], list[str]]:
        status = main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        return status, output.out.splitlines(), output.err.splitlines()

    return run_command


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Two good tensors, two odd ones and a bias."""
    not_a_number = np.full((2, 3), np.nan, np.float32)
    arrays = {"enc.w": WEIGHTS, "dec.w": WEIGHTS * 2, "enc.mask": not_a_number,
              "table": np.ones((4, 4), np.int64), "bias": np.ones(4, np.float32)}  # fmt: skip
    return onnx_file(tmp_path / "m.onnx", arrays)


LEFT_OUT = [
    "left out: 'enc.mask' (float32, 2x3): holds NaN or infinity, which cannot be quantized",
    "left out: 'table' (int64, 4x4): type int64 is not accepted",
]


def names_in(run, path: Path) -> list[str]:
    status, lines, _ = run("info", path, "--json")
    assert status == 0
    return [tensor["name"] for tensor in json.loads(lines[0])["tensors"]]


def test_what_is_left_out_is_listed_and_the_rest_written(tmp_path, run, model) -> None:
    status, lines, errors = run("compress", model, "-o", tmp_path / "x.apack")
    assert (status, errors) == (0, [])
    assert [line for line in lines if line.startswith("left out: ")] == LEFT_OUT
    assert lines[-1] == "2 tensors, 2 left out"
    assert names_in(run, tmp_path / "x.apack") == ["enc.w", "dec.w"]


def test_strict_writes_nothing_and_gives_the_reasons(tmp_path, run, model) -> None:
    status, _, (error,) = run("compress", model, "-o", tmp_path / "x.apack", "--strict")
    assert status == 2 and not (tmp_path / "x.apack").exists()
    assert error.startswith(f"model: {model}: 2 of 4 tensors would be left out: 'enc.mask' (float")
    assert error.endswith("'table' (int64, 4x4): type int64 is not accepted; "
                          "choose others by name, or go without --strict")  # fmt: skip
    status, lines, _ = run("compress", model, "-o", tmp_path / "x.apack", "--strict",
                           "--tensor", "*.w")  # fmt: skip
    assert (status, lines[-1]) == (0, "2 tensors, 0 left out")


def test_only_what_is_chosen_is_read_or_left_out(tmp_path, run, model) -> None:
    output = tmp_path / "x.apack"
    status, lines, _ = run("compress", model, "-o", output, "--tensor", "enc.*")
    assert (status, lines[-1]) == (0, "1 tensor, 1 left out")
    status, lines, _ = run("compress", model, "-o", output, "--tensor", "dec.w", "--tensor", "bias")
    assert (status, lines[-1]) == (0, "2 tensors, 0 left out")
    assert names_in(run, output) == ["dec.w", "bias"]
    status, _, (error,) = run("compress", model, "-o", output, "--tensor", "conv*")
    assert status == 2 and "no tensor 'conv*'; there are 'enc.w', 'dec.w'" in error


def test_nothing_left_to_compress_is_an_error_that_says_why(tmp_path, run) -> None:
    np.savez(tmp_path / "w.npz", **{f"n{i}": np.ones(3, np.int64) for i in range(5)})
    status, _, (error,) = run("compress", tmp_path / "w.npz", "-o", tmp_path / "x.apack")
    assert status == 2 and not (tmp_path / "x.apack").exists()
    assert (
        "no tensor can be taken: 'n0' (int64, 3): type int64 is not accepted; its values" in error
    )
    assert "'n2'" in error and "'n3'" not in error and error.endswith("; and 2 more")


def test_what_a_container_cannot_hold_is_left_out_alone(tmp_path, run) -> None:
    np.savez(tmp_path / "w.npz", deep=np.ones((1,) * 33, np.int8), w=WEIGHTS)
    status, lines, _ = run("compress", tmp_path / "w.npz", "-o", tmp_path / "x.apack")
    assert (status, lines[-1]) == (0, "1 tensor, 1 left out")
    assert any(line.startswith("left out: 'deep' (int8, 1x1") for line in lines)
    assert names_in(run, tmp_path / "x.apack") == ["w"]


def test_each_tensor_has_a_width_of_its_own(tmp_path, run) -> None:
    bf16 = ("BF16", (16, 16), np.arange(256, dtype="<u2").tobytes())
    path = safetensors_file(tmp_path / "m.safetensors", {
        "i8": ("I8", (16, 16), WEIGHTS.tobytes()),
        "i16": ("I16", (16, 16), WEIGHTS.astype("<i2").tobytes()),
        "bf16": bf16,
        "f32": ("F32", (16, 16), WEIGHTS.astype("<f4").tobytes()),
    })  # fmt: skip

    def widths(*options: object) -> dict[str, tuple[str, int]]:
        status, *_ = run(
            "compress", path, "-o", tmp_path / "x.apack", "--method", "paper", *options
        )
        assert status == 0
        tensors = json.loads(run("info", tmp_path / "x.apack", "--json")[1][0])["tensors"]
        return {tensor["name"]: (tensor["type"], tensor["value_w"]) for tensor in tensors}

    own = {"i8": ("int8", 8), "i16": ("int16", 16), "bf16": ("uint16", 16), "f32": ("int8", 8)}
    assert widths() == own
    twelve = own | {"i16": ("int16", 12), "f32": ("int16", 12)}
    assert widths("--value-width", 12) == twelve
    assert widths("--float", "int8", "--value-width", 12) == twelve | {"bf16": ("int16", 12)}
    assert widths("--float", "int8") == own | {"bf16": ("int8", 8)}


def test_a_table_of_ones_own_is_for_tensors_of_its_width(tmp_path, run) -> None:
    np.savez(tmp_path / "w.npz", f=WEIGHTS.astype(np.float32), w=WEIGHTS, h=WEIGHTS.astype(np.half))
    np.save(tmp_path / "h.npy", np.ones(1 << 8, int))
    run("solve", tmp_path / "h.npy", "-o", tmp_path / "t.json")
    status, lines, _ = run("compress", tmp_path / "w.npz", "-o", tmp_path / "x.apack",
                           "--table", tmp_path / "t.json")  # fmt: skip
    assert (status, lines[-1]) == (0, "2 tensors, 1 left out")
    reason = "values of 16 bits, the table is for 8"
    assert f"left out: 'h' (float16, 16x16): {reason}" in lines


def test_notes_name_their_tensors(tmp_path, run) -> None:
    steps = [node("DequantizeLinear", f"w{i}", "s", axis=0, block_size=8) for i in range(5)]
    arrays = {f"w{i}": WEIGHTS for i in range(5)} | {"s": np.ones((2, 16), np.float32)}
    path = onnx_file(tmp_path / "m.onnx", arrays | {"plain": WEIGHTS}, steps)
    _, lines, _ = run("compress", path, "-o", tmp_path / "x.apack")
    (note,) = [line for line in lines if line.startswith("note: ")]
    assert note == ("note: scales lost: blocked, 2x16 scales for 16x16 values: "
                    "'w0', 'w1', 'w2' and 2 more")  # fmt: skip


def test_profile_says_what_it_leaves_out_too(tmp_path, run) -> None:
    np.savez(tmp_path / "a.npz", w=WEIGHTS, n=np.ones(3, np.int64), h=WEIGHTS.astype(np.half))
    arguments = ("profile", tmp_path / "a.npz", "-o", tmp_path / "t.json")
    status, lines, _ = run(*arguments)
    assert status == 0
    (left_out,) = [line for line in lines if line.startswith("left out: ")]
    assert "a.npz: 'n' (int64, 3): type int64" in left_out
    report = json.loads(run(*arguments, "--json", "--float", "patterns")[1][0])
    assert [one["name"] for one in report["left_out"][str(tmp_path / "a.npz")]] == ["n", "h"]
    (tmp_path / "t.json").unlink()
    status, _, (error,) = run(*arguments, "--strict")
    assert status == 2 and "1 of 3 tensors would be left out" in error
    assert not (tmp_path / "t.json").exists()
    status, lines, _ = run(*arguments, "--strict", "--tensor", "[wh]")
    assert status == 0


@pytest.mark.parametrize("command", ["solve", "info", "inspect", "decompress -o x.npz"])
def test_a_pointer_in_place_of_a_file_is_named(tmp_path, run, command: str) -> None:
    path = tmp_path / "pointer"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    status, _, (error,) = run(*command.split(), path)
    assert status == 2 and "pointer: this is a Git LFS pointer" in error


@pytest.mark.parametrize("name", ["[bold]x[/bold]", ":smile:", "a\x1b[31m", "a\nb", "a\tb", "%s"])
def test_names_are_printed_as_they_are(tmp_path, run, name: str) -> None:
    raw = ("I8", (16, 16), WEIGHTS.tobytes())
    odd = ("I64", (2, 2), bytes(32))
    path = safetensors_file(tmp_path / "m.safetensors", {name: raw, f"{name}!": odd})
    _, lines, _ = run("compress", path, "-o", tmp_path / "x.apack", "--tensor", f"{name[0]}*" if
                      "[" not in name[:1] else "[[]*")  # fmt: skip
    shown = ascii(name)[1:-1]
    assert lines[1].startswith(f"{shown} ")
    assert any(line.startswith(f"left out: '{shown}!' (int64") for line in lines)
    assert names_in(run, tmp_path / "x.apack") == [name]
    run("compress", path, "-o", tmp_path / "y.apack", "--tensor", name)
    assert names_in(run, tmp_path / "y.apack") == [name]


@pytest.mark.parametrize(
    "locale",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii:strict"},
    ],
)
def test_names_beyond_the_terminal_s_encoding(tmp_path, locale: dict[str, str]) -> None:
    path = onnx_file(tmp_path / "m.onnx", {"café/权重": WEIGHTS, "行列": np.ones((2, 2), int)})
    container = str(tmp_path / "x.apack")
    commands = [
        ["compress", str(path), "-o", container],
        ["info", container],
        ["inspect", container],
        ["decompress", container, "-o", str(tmp_path / "y.npz")],
    ]
    script = f"from model.cli.main import main\nfor command in {commands!a}: main(command)"
    encodings = ("PYTHONIOENCODING", "PYTHONUTF8")
    surroundings = {name: value for name, value in os.environ.items() if name not in encodings}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=surroundings | locale, capture_output=True, check=True,
    )  # fmt: skip
    text = done.stdout.decode("latin-1")
    assert b"Error" not in done.stderr and r"\u884c\u5217" in text
    assert text.count(r"/\u6743\u91cd") == len(commands)
    assert list(np.load(tmp_path / "y.npz")) == ["café/权重"]


def test_a_file_name_that_is_no_text(tmp_path, run) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/w\xff.npy"))
    np.save(path, WEIGHTS)
    status, lines, _ = run("compress", path, "-o", tmp_path / "x.apack")
    assert (status, lines[-1]) == (0, "1 tensor, 0 left out")
    assert names_in(run, tmp_path / "x.apack") == [r"w\udcff"]
