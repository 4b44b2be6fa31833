# SPDX-License-Identifier: Apache-2.0
"""Tensors of every type and of odd names, from a container to the files people use."""

import json

import ml_dtypes
import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file

from model.apack import SymbolTable
from model.apack.container import pack, write_container
from model.tensors import Tensor, pattern_dtype
from model.tests.apack.golden_tensors import FOLDER

MIXED = FOLDER / "mixed.apack"


def floats(name: str, bits: int, dtype: str) -> Tensor:
    """Every bit pattern of a float type, two rows of them."""
    holder = pattern_dtype(bits)
    values = np.arange(1 << bits).astype(holder).reshape(2, -1)
    return Tensor(name, values, dtype, bits, stored=np.dtype(holder).name)


def nibbles(name: str, dtype: str) -> Tensor:
    return Tensor(name, np.arange(16, dtype=np.uint8), dtype, 4, stored=dtype.replace("4", "8"))


def bytes_of(name: str) -> Tensor:
    """A tensor whose values say which one it is."""
    return Tensor(name, np.frombuffer(name.encode() or b"\xff", np.uint8), "uint8")


@pytest.fixture
def container(tmp_path):
    """Writes a container of the tensors; returns its path."""

    def write(*tensors: Tensor):
        packed = [pack(tensor, SymbolTable.uniform(tensor.value_w, 4)) for tensor in tensors]
        write_container(tmp_path / "in.apack", packed)
        return tmp_path / "in.apack"

    return write


def test_every_type_comes_back_in_safetensors(container, tmp_path, run):
    tensors = [
        floats("b", 16, "bfloat16"),
        floats("h", 16, "float16"),
        floats("e4", 8, "float8_e4m3fn"),
        floats("e5", 8, "float8_e5m2"),
        *(Tensor(dtype, np.arange(6, dtype=np.uint8), dtype) for dtype in ("int8", "uint8")),
        *(Tensor(d, np.full((), 65_000, np.uint16), d, 16) for d in ("int16", "uint16")),
        Tensor("none", np.zeros((0, 3), np.uint8), "int8"),
    ]
    text = run("decompress", container(*tensors), "-o", tmp_path / "back.safetensors")
    assert "note" not in text
    with safetensors.safe_open(tmp_path / "back.safetensors", "numpy") as file:
        found = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    assert found == {
        "b": "BF16", "h": "F16", "e4": "F8_E4M3", "e5": "F8_E5M2", "int8": "I8", "uint8": "U8",
        "int16": "I16", "uint16": "U16", "none": "I8",
    }  # fmt: skip
    (size,) = np.frombuffer((tmp_path / "back.safetensors").read_bytes()[:8], "<u8")
    data = (tmp_path / "back.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + size])
    for tensor in tensors:
        start, end = header[tensor.name]["data_offsets"]
        assert data[8 + size + start : 8 + size + end] == tensor.values.tobytes(), tensor.name
        assert header[tensor.name]["shape"] == list(tensor.values.shape)


@pytest.mark.parametrize(
    ("tensor", "dtype"),
    [
        (nibbles("w", "int4"), "int4"),
        (nibbles("w", "uint4"), "uint4"),
        (floats("w", 4, "float4_e2m1fn"), "float4_e2m1fn"),
        (floats("w", 8, "float8_e3m4"), "float8_e3m4"),
    ],
)
def test_what_safetensors_has_no_type_for_is_one_line(container, tmp_path, fail, tensor, dtype):
    error = fail("decompress", container(tensor), "-o", tmp_path / "back.safetensors")
    assert f"back.safetensors: tensor 'w' is {dtype}, which .safetensors has not" in error
    assert not (tmp_path / "back.safetensors").exists()


def test_the_name_that_safetensors_keeps_is_refused(container, tmp_path, fail):
    path = container(bytes_of("__metadata__"))
    assert "keeps for itself" in fail("decompress", path, "-o", tmp_path / "x.safetensors")


def test_half_floats_are_floats_in_numpy(container, tmp_path, run):
    text = run("decompress", container(floats("h", 16, "float16")), "-o", tmp_path / "h.npy")
    back = np.load(tmp_path / "h.npy")
    assert back.dtype == np.float16 and "note" not in text
    np.testing.assert_array_equal(back.view(np.uint16), np.arange(1 << 16).reshape(2, -1))


@pytest.mark.parametrize(
    ("bits", "dtype"), [(16, "bfloat16"), (8, "float8_e4m3fn"), (4, "float4_e2m1fn")]
)
def test_other_floats_are_patterns_in_numpy_and_a_note_says_so(
    container, tmp_path, run, bits, dtype
):
    path = container(floats("b", bits, dtype), bytes_of("u"))
    text = run("decompress", path, "-o", tmp_path / "b.npz")
    holder = "uint8" if bits <= 8 else "uint16"
    assert f"1 of 2 tensors, {dtype}, come as {holder} bit patterns" in text
    assert f".view(ml_dtypes.{dtype}) gives the floats" in text
    back = np.load(tmp_path / "b.npz")["b"].view(getattr(ml_dtypes, dtype))
    patterns = np.arange(1 << bits).astype(holder).reshape(2, -1)
    right = patterns.view(getattr(ml_dtypes, dtype)).astype(np.float32)
    np.testing.assert_array_equal(back.astype(np.float32), right)


def test_nibbles_are_bytes_in_numpy_and_a_note_says_so(container, tmp_path, run):
    path = container(nibbles("i", "int4"), nibbles("u", "uint4"))
    text = run("decompress", path, "-o", tmp_path / "n.npz")
    assert "1 of 2 tensors, int4, come as int8\n" in text
    assert "1 of 2 tensors, uint4, come as uint8\n" in text
    back = np.load(tmp_path / "n.npz")
    assert back["i"].dtype == np.int8 and back["u"].dtype == np.uint8
    assert back["i"].tolist() == [*range(8), *range(-8, 0)]
    assert back["u"].tolist() == list(range(16))


def test_info_and_inspect_tell_patterns_from_quantized_floats(container, run):
    quantized = Tensor("q", np.arange(9, dtype=np.uint8), "float32", stored="int8", scale=(0.5,))
    half = Tensor("s", np.arange(9, dtype=np.uint8), "float16", stored="uint8", scale=(0.5,))
    wide = Tensor("f", np.arange(9, dtype=np.uint16), "float16", 16, stored="uint16", scale=(2.0,))
    tensors = (floats("b", 16, "bfloat16"), nibbles("n", "int4"), quantized, half, wide)
    path = container(*tensors)
    report = json.loads(run("info", path, "--json"))["tensors"]
    codings = [(tensor["type"], tensor["source"], tensor["coding"]) for tensor in report]
    assert codings == [
        ("uint16", "bfloat16", "patterns"),
        ("int8", "int4", "integers"),
        ("int8", "float32", "quantized"),
        ("uint8", "float16", "quantized"),
        ("uint16", "float16", "quantized"),
    ]
    text = run("info", path)
    for shown in ("bfloat16 patterns", "int4  ", "float32 as int8", "float16 as uint16"):
        assert shown in text
    assert "b, bfloat16 patterns, block 0" in run("inspect", path, "--tensor", "b")
    block = json.loads(run("inspect", path, "--tensor", "b", "--json"))
    assert (block["source"], block["coding"]) == ("bfloat16", "patterns")


NAMES = [
    "a", "a.npy", "a.npy.npy", "a.npy#2", "A", "a/", "a/b", "", "/", "..", "../../a", "/etc/a",
    "a\0b", "a\0c", "a%00b", "a%00b#2", "\0", "\0.npy", ".npy", "x#2", "e\u0301", "\u00e9",
    "%00.npy", "a%00b.npy", "line\nfeed",
    "\U0001f600", "a\\b", "*", "[a]", "a.npz", "%00", "con", "-", "n" * 60_000,
]  # fmt: skip


def test_no_array_is_lost_whatever_the_names(container, tmp_path, run):
    path = container(*map(bytes_of, NAMES))
    text = run("decompress", path, "-o", tmp_path / "back.npz")
    back = np.load(tmp_path / "back.npz")
    assert len(set(back.files)) == len(NAMES)
    right = sorted(bytes_of(name).values.tobytes() for name in NAMES)
    assert sorted(back[key].tobytes() for key in back.files) == right
    changed = {"a.npy", "a.npy.npy", ".npy", "a\0b", "a\0c", "\0", "\0.npy", "%00.npy", "a%00b.npy"}
    for name in set(NAMES) - changed:
        assert back[name].tobytes() == bytes_of(name).values.tobytes(), name
    assert text.count("has the key") == len(changed)
    assert r"note: tensor 'a\x00b' has the key 'a%00b#3'" in text
    assert max(map(len, text.splitlines())) < 300


def test_names_stay_what_they_are_in_safetensors(container, tmp_path, run):
    path = container(*map(bytes_of, NAMES))
    run("decompress", path, "-o", tmp_path / "back.safetensors")
    back = load_file(tmp_path / "back.safetensors")
    assert set(back) == set(NAMES)
    for name in NAMES:
        assert back[name].tobytes() == bytes_of(name).values.tobytes(), name


def test_a_name_too_long_for_an_archive_is_one_short_line(container, tmp_path, run, fail):
    name = "long" * 20_000
    path = container(bytes_of(name), bytes_of("a"))
    error = fail("decompress", path, "-o", tmp_path / "x.npz")
    assert "tensor 'longlong" in error and "80,004 bytes is too long" in error and len(error) < 400
    assert not (tmp_path / "x.npz").exists()
    run("decompress", path, "-o", tmp_path / "x.safetensors")
    assert set(load_file(tmp_path / "x.safetensors")) == {name, "a"}
    run("decompress", path, "--tensor", "long*", "-o", tmp_path / "x.npy")
    assert np.load(tmp_path / "x.npy").tobytes() == name.encode()
    assert max(map(len, run("info", path).splitlines())) < 300


def test_archives_are_the_same_at_any_time(tmp_path, run, monkeypatch):
    run("decompress", MIXED, "-o", tmp_path / "1.npz")
    monkeypatch.setattr("time.time", lambda: 2e9)
    run("decompress", MIXED, "-o", tmp_path / "2.npz")
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()


def test_chosen_tensors(tmp_path, run, fail):
    run("decompress", MIXED, "--tensor", "s*", "--tensor", "wide", "-o", tmp_path / "x.npz")
    assert np.load(tmp_path / "x.npz").files == ["skewed", "wide", "scalar"]
    run("decompress", MIXED, "--tensor", "nois[e]", "-o", tmp_path / "x.npy")
    assert np.load(tmp_path / "x.npy").shape == (5000,)
    error = fail("decompress", MIXED, "--tensor", "s*", "-o", tmp_path / "x.npy")
    assert "holds 2 tensors of these names" in error
    error = fail("decompress", MIXED, "--tensor", "s*", "--tensor", "y*", "-o", tmp_path / "x.npz")
    assert "mixed.apack: no tensor 'y*'; there are 'skewed', 'noise'" in error


@pytest.mark.parametrize(
    ("arguments", "load"),
    [
        (["-o", "x.NPZ"], np.load),
        (["-o", "x", "--format", "npz"], np.load),
        (["-o", "x.txt", "--format", "safetensors"], load_file),
    ],
)
def test_the_format_is_that_of_the_ending_or_the_one_asked_for(
    tmp_path, monkeypatch, run, arguments, load
):
    monkeypatch.chdir(tmp_path)
    run("decompress", MIXED, *arguments)
    assert len(load(tmp_path / arguments[1])) == 6


def test_a_container_without_tensors(container, tmp_path, run, fail):
    path = container()
    run("decompress", path, "-o", tmp_path / "x.npz")
    assert np.load(tmp_path / "x.npz").files == []
    run("decompress", path, "-o", tmp_path / "x.safetensors")
    assert load_file(tmp_path / "x.safetensors") == {}
    assert "holds 0 tensors" in fail("decompress", path, "-o", tmp_path / "x.npy")
    assert "there are none" in fail("decompress", path, "--tensor", "a", "-o", tmp_path / "x.npz")
    assert "0 values" in run("info", path)
