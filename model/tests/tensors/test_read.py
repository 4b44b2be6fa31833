# SPDX-License-Identifier: Apache-2.0
"""read_tensors: what comes out of each file type, and one clear line for every bad file."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from safetensors.numpy import save_file

from model.apack import ApackError
from model.tensors import read_file, read_tensors
from model.tests.tensors.models import (
    Constant,
    Sparsity,
    node,
    onnx_file,
    safetensors_file,
    tflite_file,
)
from model.zoo import wakeword_paths

PATTERN = np.array([[-1, 0, 5], [127, -128, 1]], np.int8)


def message_of(path: Path, value_w: int = 8) -> str:
    with pytest.raises(ApackError) as caught:
        read_tensors(path, value_w)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_npy_int8_is_taken_as_bit_patterns(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", PATTERN)
    (tensor,) = read_tensors(tmp_path / "w.npy")
    assert tensor.name == "w"
    assert tensor.values.dtype == np.uint8
    assert tensor.values.tolist() == [[0xFF, 0, 5], [0x7F, 0x80, 1]]
    assert (tensor.dtype, tensor.stored, tensor.note) == ("int8", "int8", "")
    assert np.array_equal(tensor.integers(), PATTERN)


def test_npy_keeps_fortran_order_and_foreign_byte_order(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(12, dtype=">i2").reshape(3, 4))
    np.save(tmp_path / "w.npy", array)
    (tensor,) = read_tensors(tmp_path / "w.npy", 12)
    assert np.array_equal(tensor.integers(), array)


def test_sixteen_bit_values_have_sixteen_bit_patterns(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([-2, 300], np.int16))
    (tensor,) = read_tensors(tmp_path / "w.npy", 10)
    assert tensor.values.dtype == np.uint16
    assert tensor.values.tolist() == [1022, 300]


def test_float_array_is_quantized_and_says_so(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([-2.0, 0.0, 1.0, 2.0], np.float32))
    (tensor,) = read_tensors(tmp_path / "w.npy")
    assert tensor.integers().tolist() == [-127, 0, 64, 127]
    assert tensor.scale == (2.0 / 127,)
    assert tensor.note == "float32 quantized per tensor, symmetric int8"
    assert (tensor.dtype, tensor.stored) == ("float32", "int8")


def test_npz_reads_every_array_in_order(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "w.npz", b=PATTERN, a=np.zeros(3, np.uint8))
    tensors = read_tensors(tmp_path / "w.npz")
    assert [(t.name, t.values.shape) for t in tensors] == [("b", (2, 3)), ("a", (3,))]


def test_safetensors_takes_matrices_and_leaves_vectors(tmp_path: Path) -> None:
    save_file(
        {"w": PATTERN, "bias": np.ones(3, np.float32), "index": np.ones((2, 2), np.int64)},
        tmp_path / "m.safetensors",
    )
    assert [t.name for t in read_tensors(tmp_path / "m.safetensors")] == ["w"]


def test_onnx_reads_initializers_and_constant_nodes_but_no_scales(tmp_path: Path) -> None:
    constant = helper.make_node(
        "Constant", [], ["c"], value=numpy_helper.from_array(np.eye(2, dtype=np.float32), "")
    )
    path = onnx_file(
        tmp_path / "m.onnx", {"w": PATTERN, "row": np.ones((1, 9), np.float32)}, [constant]
    )
    tensors = {t.name: t for t in read_tensors(path)}
    assert sorted(tensors) == ["c", "w"]
    assert tensors["c"].integers().tolist() == [[127, 0], [0, 127]]


def test_onnx_reads_both_branches_even_when_they_share_a_name(tmp_path: Path) -> None:
    branches = {
        f"{choice}_branch": helper.make_graph(
            [], choice, [], [], [numpy_helper.from_array(PATTERN + step, "w")]
        )
        for step, choice in enumerate(("then", "else"))
    }
    step = node("If", "condition", **branches)
    tensors = {t.name: t for t in read_tensors(onnx_file(tmp_path / "m.onnx", {}, [step]))}
    assert sorted(tensors) == ["w", "w#2"]
    assert {t.values[0, 1] for t in tensors.values()} == {0, 1}


def test_onnx_names_scale_and_zero_point_of_a_dequantized_constant(tmp_path: Path) -> None:
    step = node("DequantizeLinear", "w", "s", "z", axis=0)
    path = onnx_file(
        tmp_path / "m.onnx",
        {"w": PATTERN, "s": np.array([0.5, 2.0], np.float32), "z": np.array([0, 3], np.int8)},
        [step],
    )
    (tensor,) = read_tensors(path)
    assert (tensor.scale, tensor.zero_point, tensor.axis) == ((0.5, 2.0), (0, 3), 0)


def test_npy_of_version_3(tmp_path: Path) -> None:
    with (tmp_path / "w.npy").open("wb") as file:
        np.lib.format.write_array(file, PATTERN, version=(3, 0))
    (tensor,) = read_tensors(tmp_path / "w.npy")
    assert np.array_equal(tensor.integers(), PATTERN)


def test_names_are_made_unique(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive, pytest.warns(UserWarning):
        for _ in range(2):
            with archive.open("a.npy", "w") as file:
                np.save(file, PATTERN)
    assert [t.name for t in read_tensors(tmp_path / "w.npz")] == ["a", "a#2"]


def test_wakeword_weights_come_as_shipped() -> None:
    tensors = {t.name: t for t in read_tensors(dict(wakeword_paths())["okay_nabu"])}
    assert sum(t.values.size for t in tensors.values()) == 36480
    first = tensors["model_1/stream_6/conv2d_6/Conv2D"]
    assert first.dtype == "int8" and first.note == ""
    assert len(first.scale) == first.values.shape[first.axis]


@pytest.mark.parametrize(
    ("array", "value_w", "expected"),
    [
        (np.zeros((2, 2)), 8, "type float64 is not accepted; try array.astype(np.float32)"),
        (
            np.zeros((2, 2), np.int32),
            8,
            "type int32 is not accepted; its values fit int8: try array.astype(np.int8)",
        ),
        (np.array(["a"]), 8, "type str32 is not accepted"),
        (np.zeros((0, 4), np.int8), 8, "'w' (int8, 0x4): is empty"),
        (np.array([3, 300], np.uint16), 8, "value 300 does not fit 8 unsigned bits (0..255)"),
        (np.array([-9], np.int8), 4, "value -9 does not fit 4 signed bits (-8..7)"),
        (np.array([1, np.nan], np.float32), 8, "holds NaN or infinity"),
        (np.zeros(1, np.int8), 17, "value width 17 is not in 2..16"),
        (np.zeros(1, np.int8), 1, "value width 1 is not in 2..16"),
    ],
)
def test_npy_errors_name_the_reason(
    tmp_path: Path, array: np.ndarray, value_w: int, expected: str
) -> None:
    np.save(tmp_path / "w.npy", array)
    assert expected in message_of(tmp_path / "w.npy", value_w)


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "type object is not accepted" in message_of(tmp_path / "w.npy")
    (tmp_path / "p.npy").write_bytes(pickle.dumps([1]))
    assert "not a readable NumPy array" in message_of(tmp_path / "p.npy")


def test_header_larger_than_the_file_is_refused_before_allocation(tmp_path: Path) -> None:
    with (tmp_path / "w.npy").open("wb") as file:
        header = {"descr": "|i1", "fortran_order": False, "shape": (1 << 40, 1 << 20)}
        np.lib.format.write_array_header_1_0(file, header)
    assert "cut short" in message_of(tmp_path / "w.npy")


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    assert "no such file" in message_of(tmp_path / "absent.npy")
    assert "no such file" in message_of(tmp_path / "absent")
    (tmp_path / "folder.npy").mkdir()
    assert "not a file" in message_of(tmp_path / "folder.npy")
    (tmp_path / "w.bin").write_bytes(b"x")
    assert "accepted are .npy, .npz, .tflite, .onnx, .safetensors" in message_of(tmp_path / "w.bin")


def test_model_without_weights_says_what_counts(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "m.onnx", {"bias": np.ones(4, np.float32)})
    assert "no weight tensor found" in message_of(path)


def test_npz_names_the_array_at_fault_and_reads_the_others(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", good=PATTERN, bad=np.zeros(2))
    contents = read_file(tmp_path / "w.npz")
    assert [tensor.name for tensor in contents.tensors] == ["good"]
    (left_out,) = contents.left_out
    assert (left_out.name, left_out.dtype, left_out.shape) == ("bad", "float64", (2,))


@pytest.mark.parametrize("extension", ["npy", "npz", "tflite", "onnx", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"not what it says it is" * 9])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, extension: str, content: bytes) -> None:
    path = tmp_path / f"w.{extension}"
    path.write_bytes(content)
    assert str(path) in message_of(path)


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of one small valid file of each type."""
    folder = tmp_path_factory.mktemp("good")
    np.save(folder / "w.npy", PATTERN)
    np.savez_compressed(folder / "w.npz", a=PATTERN, b=PATTERN.astype(np.float32))
    raw = {"w": ("BF16", (4, 4), bytes(range(32))), "q": ("F4", (4, 4), bytes(8))}
    safetensors_file(folder / "w.safetensors", raw)
    onnx_file(
        folder / "w.onnx",
        {"w": PATTERN, "s": np.ones(3, np.float32), "f": np.eye(3, dtype=np.float16)},
        [node("Transpose", "w", output="t"), node("DequantizeLinear", "t", "s", axis=0)],
    )
    sparsity = Sparsity([0, 1], [2, ([0, 1, 2], [3, 0])])
    scaled = {"scale": [0.5, 2], "zero_point": [1, 2]}
    tflite_file(
        folder / "w.tflite",
        [
            Constant("w", PATTERN.tobytes(), (2, 3), **scaled),
            Constant("s", b"ab", (2, 4), sparsity=sparsity),
        ],
    )
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
@pytest.mark.parametrize("extension", [".npy", ".npz", ".tflite", ".onnx", ".safetensors"])
def test_a_damaged_file_is_read_or_refused_never_a_traceback(
    tmp_path: Path, good_files: dict[str, bytes], extension: str, data: st.DataObject
) -> None:
    content = bytearray(good_files[extension])
    for _ in range(data.draw(st.integers(0, 4))):
        # Half of the damage goes to the first bytes, where headers are.
        limit = data.draw(st.sampled_from([min(256, len(content)), len(content)]))
        content[data.draw(st.integers(0, limit - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    path = tmp_path / f"w{extension}"
    path.write_bytes(content)
    try:
        tensors = read_tensors(path)
    except ApackError as error:
        assert "\n" not in str(error)
    else:
        assert all(tensor.values.size for tensor in tensors)


def test_float_constant_of_one_row_is_no_weight(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "m.onnx", {"row": np.ones((1, 8), np.float32), "w": PATTERN})
    assert [t.name for t in read_tensors(path)] == ["w"]
