# SPDX-License-Identifier: Apache-2.0
"""Nothing of a weight's size vanishes from a file without a word, and nothing odd refuses it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
import tflite
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from model.apack import ApackError
from model.tensors import read_file
from model.tests.tensors.models import (
    WEIGHTS,
    Constant,
    node,
    onnx_file,
    safetensors_file,
    tflite_file,
)

INT8 = ("I8", (16, 16), WEIGHTS.tobytes())
GOOD = Constant("good", WEIGHTS.tobytes(), (16, 16))


def reasons(path: Path, **how: object) -> dict[str, tuple[str, tuple[int, ...], str]]:
    """What is left out of a file beside its one good tensor: name -> type, shape, reason."""
    contents = read_file(path, **how)
    assert [tensor.name for tensor in contents.tensors] == ["good"]
    assert np.array_equal(contents.tensors[0].integers(), WEIGHTS)
    return {one.name: (one.dtype, one.shape, one.reason) for one in contents.left_out}


def type_reason(dtype: str) -> tuple[str, tuple[int, ...], str]:
    return dtype, (2, 2), f"type {dtype} is not accepted"


ODD_TYPES = ("float64", "int32", "int64", "uint32", "uint64", "bool", "complex64")


def test_types_that_are_not_coded_in_safetensors(tmp_path: Path) -> None:
    codes = {"float64": "F64", "int32": "I32", "int64": "I64", "uint32": "U32", "uint64": "U64",
             "bool": "BOOL", "complex64": "C64"}  # fmt: skip
    odd = {
        dtype: (codes[dtype], (2, 2), np.ones((2, 2), dtype).tobytes()) for dtype in ODD_TYPES
    } | {"F6_E2M3": ("F6_E2M3", (2, 2), bytes(3)), "NEW": ("NEW", (2, 2), bytes(7))}
    path = safetensors_file(tmp_path / "m.safetensors", {"good": INT8} | odd)
    assert reasons(path) == {name: type_reason(name) for name in odd}


def test_types_that_are_not_coded_in_onnx(tmp_path: Path) -> None:
    arrays = {name: np.ones((2, 2), name) for name in (*ODD_TYPES, "complex128")}
    protos = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    protos.append(helper.make_tensor("string", TensorProto.STRING, (2, 2), list("abcd")))
    protos.append(TensorProto(name="type 99", data_type=99, dims=(2, 2), raw_data=bytes(4)))
    path = onnx_file(tmp_path / "m.onnx", [numpy_helper.from_array(WEIGHTS, "good"), *protos])
    assert reasons(path) == {proto.name: type_reason(proto.name) for proto in protos}


def test_types_that_are_not_coded_in_tflite(tmp_path: Path) -> None:
    names = ("float64", "int32", "int64", "uint32", "uint64", "bool", "complex64", "string")
    odd = [
        Constant(name, bytes(64), (2, 2), getattr(tflite.TensorType, name.upper()))
        for name in names
    ] + [Constant("type 77", bytes(64), (2, 2), 77)]
    path = tflite_file(tmp_path / "m.tflite", [GOOD, *odd])
    assert reasons(path) == {one.name: type_reason(one.name) for one in odd}


def test_types_that_are_not_coded_in_an_archive(tmp_path: Path) -> None:
    odd = {
        "double": np.ones(3),
        "flags": np.ones(2, bool),
        "wide": np.array([5, 70_000]),
        "small": np.array([[0, 65535]], np.uint64),
        "text": np.array("abc"),
        "when": np.array(["2020-01-01"], "datetime64[D]"),
        "complex": np.ones(1, np.complex64),
        "record": np.zeros(2, [("a", "i1"), ("b", "f4")]),
        "bf16": np.ones((2, 2), ml_dtypes.bfloat16),
        "int4": np.ones(5, ml_dtypes.int4),
    }
    np.savez(tmp_path / "m.npz", good=WEIGHTS, **odd)
    found = {name: reason for name, (_, _, reason) in reasons(tmp_path / "m.npz").items()}
    assert found.keys() == odd.keys()
    assert found["double"] == "type float64 is not accepted; try array.astype(np.float32)"
    assert found["flags"] == "type bool is not accepted; try array.astype(np.uint8)"
    assert found["wide"].endswith("its values, 5 to 70000, take more than 16 bits")
    assert found["small"].endswith("its values fit uint16: try array.astype(np.uint16)")
    for name in ("text", "when", "complex", "record"):
        assert found[name] == f"type {odd[name].dtype.name} is not accepted"
    assert "try array.view(np.uint16)" in found["bf16"] and ".safetensors" in found["bf16"]
    assert "try array.view(np.uint8)" in found["int4"]


def test_arrays_that_are_damaged_or_empty_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in {"good": WEIGHTS, "none": WEIGHTS[:0], "damaged": WEIGHTS}.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.save(file, array)
        with archive.open("cut.npy", "w") as file:
            header = {"descr": "|i1", "fortran_order": False, "shape": (1 << 40, 1 << 20)}
            np.lib.format.write_array_header_1_0(file, header)
        with archive.open("objects.npy", "w") as file:
            np.save(file, np.array([{}]), allow_pickle=True)
        archive.writestr("README.md", "about")
        archive.writestr("text.npy", "no array")
        archive.writestr("version.npy", b"\x93NUMPY\x04\x00")
        archive.mkdir("folder")
    content = bytearray(path.read_bytes())
    second = content.index(WEIGHTS.tobytes(), content.index(WEIGHTS.tobytes()) + 1)
    content[second] ^= 1
    path.write_bytes(content)
    found = {name: reason for name, (_, _, reason) in reasons(path).items()}
    assert found.pop("none") == "is empty"
    assert "CRC" in found.pop("damaged")
    assert found.pop("cut").startswith("cut short: its header promises")
    assert found.pop("objects") == "type object is not accepted"
    assert found.pop("README.md") == "no NumPy array"
    assert found.pop("text") == "no NumPy array"
    assert "version 4.0 is not supported" in found.pop("version")
    assert not found


def test_an_encrypted_entry_is_left_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", secret=WEIGHTS, good=WEIGHTS)
    content = bytearray((tmp_path / "m.npz").read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "m.npz").write_bytes(content)
    assert "encrypted" in reasons(tmp_path / "m.npz")["secret"][2]


NAN = np.array([[1, np.nan], [0, 0]], np.float32)
INFINITE = np.array([[0, -np.inf], [0, 0]], np.float32)
NOT_FINITE = "holds NaN or infinity, which cannot be quantized"


def test_one_constant_that_is_not_finite(tmp_path: Path) -> None:
    expected = dict.fromkeys(("nan", "inf"), ("float32", (2, 2), NOT_FINITE))
    onnx_path = onnx_file(tmp_path / "m.onnx", {"nan": NAN, "good": WEIGHTS, "inf": INFINITE})
    assert reasons(onnx_path) == expected
    pair = [("nan", NAN), ("inf", INFINITE)]
    constants = [Constant(n, a.tobytes(), (2, 2), tflite.TensorType.FLOAT32) for n, a in pair]
    assert reasons(tflite_file(tmp_path / "m.tflite", [*constants, GOOD])) == expected
    raw = {name: ("F32", (2, 2), array.tobytes()) for name, array in pair}
    assert reasons(safetensors_file(tmp_path / "m.safetensors", raw | {"good": INT8})) == expected
    np.savez(tmp_path / "m.npz", good=WEIGHTS, nan=NAN, inf=INFINITE)
    assert reasons(tmp_path / "m.npz") == expected


def test_integers_that_do_not_fit_the_value_width(tmp_path: Path) -> None:
    wide = np.array([[300, 1], [2, 3]], np.int16)
    path = onnx_file(tmp_path / "m.onnx", {"good": WEIGHTS, "wide": wide})
    message = "value 300 does not fit 8 signed bits (-128..127); choose a larger value width"
    assert reasons(path, value_w=8) == {"wide": ("int16", (2, 2), message)}
    assert len(read_file(path).tensors) == 2


def test_shapes_and_bytes_that_disagree(tmp_path: Path) -> None:
    short = {"short": ("I8", (2, 3), bytes(5))}
    expected = {"short": ("int8", (2, 3), "has 5 bytes, which its shape denies")}
    assert reasons(safetensors_file(tmp_path / "m.safetensors", short | {"good": INT8})) == expected
    path = tflite_file(tmp_path / "m.tflite", [Constant("short", bytes(5), (2, 3)), GOOD])
    assert reasons(path) == expected
    protos = [
        TensorProto(name="short", data_type=TensorProto.INT8, dims=(2, 3), raw_data=bytes(5)),
        TensorProto(name="minus", data_type=TensorProto.INT8, dims=(-1, 3), raw_data=bytes(6)),
        TensorProto(name="none", data_type=TensorProto.INT8, dims=(0, 3)),
        numpy_helper.from_array(WEIGHTS, "good"),
    ]
    found = reasons(onnx_file(tmp_path / "m.onnx", protos))
    assert found["short"][2].startswith("not readable (")
    assert found["minus"][2] == "a dimension of its shape is negative"
    assert found["none"][2] == "is empty"


def test_onnx_external_data(tmp_path: Path) -> None:
    arrays = {"good": WEIGHTS, "kept": WEIGHTS + 1, "lost": WEIGHTS, "lfs": WEIGHTS, "out": WEIGHTS}
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "out.bin").write_bytes(WEIGHTS.tobytes())
    (inside / "kept.bin").write_bytes((WEIGHTS + 1).tobytes())
    (inside / "lfs.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    model = onnx.load(onnx_file(inside / "m.onnx", arrays))
    for proto in model.graph.initializer:
        if proto.name != "good":
            location = f"{'../' if proto.name == 'out' else ''}{proto.name}.bin"
            onnx.external_data_helper.set_external_data(proto, location)
            proto.ClearField("raw_data")
    (inside / "m.onnx").write_bytes(model.SerializeToString())
    contents = read_file(inside / "m.onnx")
    kept = {tensor.name: tensor for tensor in contents.tensors}
    assert kept.keys() == {"good", "kept"}
    assert np.array_equal(kept["kept"].integers(), WEIGHTS + 1)
    found = {one.name: one.reason for one in contents.left_out}
    assert found["lost"] == "its external data file lost.bin is missing"
    assert "lfs.bin: this is a Git LFS pointer" in found["lfs"]
    assert "outside" in found["out"] or "not readable" in found["out"]


def sparse_onnx(dims: list[int], indices: np.ndarray, name: str = "w") -> onnx.SparseTensorProto:
    values = numpy_helper.from_array(np.arange(1, len(indices) + 1, dtype=np.int8), name)
    return helper.make_sparse_tensor(values, numpy_helper.from_array(indices), dims)


@pytest.mark.parametrize("indices", [[1, 6, 11], [[0, 1], [1, 2], [2, 3]]])
def test_sparse_onnx_constants_come_with_their_zeros(tmp_path: Path, indices: list) -> None:
    sparse = sparse_onnx([3, 4], np.array(indices))
    inside = node("Constant", output="c", sparse_value=sparse_onnx([3, 4], np.array(indices), "x"))
    path = onnx_file(tmp_path / "m.onnx", {}, [inside], sparse_initializer=[sparse])
    tensors = read_file(path).tensors
    assert [tensor.name for tensor in tensors] == ["w", "c"]
    for tensor in tensors:
        assert tensor.values.tolist() == [[0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 3]]
        assert tensor.note == "sparse in the file, coded with its zeros"


@pytest.mark.parametrize(
    ("dims", "indices", "reason"),
    [
        ([3, 4], [1, 6, 12], "outside of its shape"),
        ([3, 4], [-1, 6, 2], "outside of its shape"),
        ([3, 4], [1, 1, 2], "do not fit its values"),
        ([1 << 20, 1 << 20], [1, 2, 3], "more than 268435456 values"),
    ],
)
def test_broken_sparse_onnx_constants(
    tmp_path: Path, dims: list[int], indices: list[int], reason: str
) -> None:
    sparse = sparse_onnx(dims, np.array(indices))
    path = onnx_file(tmp_path / "m.onnx", {"good": WEIGHTS}, sparse_initializer=[sparse])
    assert reason in reasons(path)["w"][2]


def test_tensors_in_every_part_of_an_onnx_model(tmp_path: Path) -> None:
    def holder(name: str, output: str = "") -> onnx.NodeProto:
        return node("Constant", output=output or name, value=tensor(name))

    def tensor(name: str) -> TensorProto:
        return numpy_helper.from_array(WEIGHTS, name)

    inner = helper.make_graph([holder("in_branch")], "b", [], [], [tensor("branch")])
    called = helper.make_function("own", "Called", ["a"], ["y"], [holder("in_function")], [])
    never = helper.make_function("own", "Never", [], ["y"], [holder("uncalled")], [])
    never.attribute_proto.append(
        AttributeProto(name="table", type=AttributeProto.TENSOR, t=tensor(""))
    )
    nodes = [
        holder("constant"),
        node("If", "condition", then_branch=inner, else_branch=inner),
        node("Called", "good", domain="own"),
        node("Called", "constant", domain="own"),
        helper.make_node("Custom", [], ["z"], name="custom", domain="x", t=tensor("")),
        helper.make_node("Custom", [], ["z"], name="many", domain="x", t=[tensor(""), tensor("")]),
    ]
    path = onnx_file(tmp_path / "m.onnx", {"good": WEIGHTS}, nodes, functions=[called, never])
    model = onnx.load(path)
    training = model.training_info.add()
    training.initialization.initializer.append(tensor("initial"))
    training.algorithm.node.append(holder("in_algorithm"))
    onnx.save(model, path)
    names = {one.name for one in read_file(path).tensors}
    assert names == {
        "good", "constant", "branch", "branch#2", "in_branch", "in_branch#2", "in_function",
        "uncalled", "Never.table", "custom.t", "many.t", "many.t#2", "initial", "in_algorithm",
    }  # fmt: skip


def test_vectors_and_single_rows_are_no_weights(tmp_path: Path) -> None:
    arrays = {"good": WEIGHTS, "bias": np.ones(16, np.int32), "shape": np.ones(4, np.int64),
              "row": np.ones((1, 16)), "mask": np.ones((1, 1, 9), bool)}  # fmt: skip
    assert reasons(onnx_file(tmp_path / "m.onnx", arrays)) == {}


def test_what_no_operator_computes_with_in_tflite(tmp_path: Path) -> None:
    state = tflite.BuiltinOperator.ASSIGN_VARIABLE
    constants = [
        GOOD,
        Constant("state", WEIGHTS.tobytes(), (16, 16), operator=state),
        Constant("dead", WEIGHTS.tobytes(), (16, 16), operator=None),
        Constant("paddings", bytes(32), (4, 2), tflite.TensorType.INT32,
                 operator=tflite.BuiltinOperator.PAD),
    ]  # fmt: skip
    path = tflite_file(tmp_path / "m.tflite", constants)
    assert {name: reason for name, (_, _, reason) in reasons(path).items()} == {
        "state": "only the initial state of a variable",
        "dead": "no operator uses it",
    }
    chosen = read_file(path, names=["dead", "good"])
    assert [tensor.name for tensor in chosen.tensors] == ["good", "dead"]
    assert chosen.left_out == []


@pytest.mark.parametrize("first", ["vector", "matrix"])
def test_a_shared_buffer_is_the_matrix_it_also_is(tmp_path: Path, first: str) -> None:
    shapes = {"vector": (256,), "matrix": (16, 16)}
    one, other = (first, *(name for name in shapes if name != first))
    constants = [
        Constant(one, WEIGHTS.tobytes(), shapes[one], scale=[0.5], zero_point=[0]),
        Constant(other, b"", shapes[other], shares=one, scale=[0.5], zero_point=[0]),
    ]
    contents = read_file(tflite_file(tmp_path / "m.tflite", constants))
    assert [(t.name, t.scale, t.note) for t in contents.tensors] == [("matrix", (0.5,), "")]
    assert contents.left_out == []


def test_a_buffer_read_as_two_types_is_two_tensors(tmp_path: Path) -> None:
    constants = [GOOD, Constant("same", b"", (16, 8), tflite.TensorType.INT16, shares="good")]
    contents = read_file(tflite_file(tmp_path / "m.tflite", constants))
    assert [tensor.name for tensor in contents.tensors] == ["good", "same"]


def test_data_after_the_flatbuffer(tmp_path: Path) -> None:
    constants = [GOOD, Constant("w", (WEIGHTS[:5]).tobytes(), (5, 16))]
    path = tflite_file(tmp_path / "m.tflite", constants, outside=True)
    tensors = read_file(path).tensors
    assert np.array_equal(tensors[1].integers(), WEIGHTS[:5])
    path.write_bytes(path.read_bytes()[:-1])
    assert reasons(path)["w"][2] == "its data would lie after the end of the file"


def test_a_buffer_that_is_not_there(tmp_path: Path) -> None:
    path = tflite_file(tmp_path / "m.tflite", [GOOD, Constant("w", WEIGHTS.tobytes(), (16, 16))])
    content = bytearray(path.read_bytes())
    tensor = tflite.Model.GetRootAs(content, 0).Subgraphs(0).Tensors(2)
    place = tensor._tab.Pos + tensor._tab.Offset(8)  # of the field `buffer`
    content[place : place + 4] = (99).to_bytes(4, "little")
    path.write_bytes(content)
    assert reasons(path)["w"][2] == "its buffer 99 is not in the file"


def test_safetensors_names_of_all_kinds_stay_apart(tmp_path: Path) -> None:
    names = ["a\0b", "a\0c", "a", "a", "\ud800", "good"]
    path = safetensors_file(tmp_path / "m.safetensors", [(name, INT8) for name in names])
    found = [tensor.name for tensor in read_file(path).tensors]
    assert found == ["a\0b", "a\0c", "a", "a#2", r"\ud800", "good"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content[:-1], "cut short: 511 of 512 bytes of data"),
        (lambda content: content + b"x", "1 bytes after the last tensor"),
        (lambda content: b"\xff" * 8 + content[8:], "cut short: a header of"),
        (lambda content: content.replace(b"256, 512", b"255, 512"), "begins at byte 255"),
        (lambda content: content.replace(b"[16, 16]", b"[16, -1]", 1), "its type, shape or place"),
        (lambda content: content.replace(b'"I8"', b"1234", 1), "its type, shape or place"),
    ],
)
def test_damaged_safetensors_headers_are_refused(tmp_path: Path, change, message: str) -> None:
    path = safetensors_file(tmp_path / "m.safetensors", {"good": INT8, "other": INT8})
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ApackError, match=message):
        read_file(path)


def test_chosen_tensors_are_all_that_is_read_or_left_out(tmp_path: Path) -> None:
    arrays = {"good": WEIGHTS, "enc.w": WEIGHTS, "enc.n": NAN, "enc.b": np.ones(4, np.float32)}
    path = onnx_file(tmp_path / "m.onnx", arrays)
    contents = read_file(path, names=["enc.*"])
    assert [tensor.name for tensor in contents.tensors] == ["enc.w"]
    assert [one.name for one in contents.left_out] == ["enc.n"]
    assert [tensor.name for tensor in read_file(path, names=["enc.b"]).tensors] == ["enc.b"]
    with pytest.raises(ApackError, match=r"m.onnx: no tensor 'x\*'; there are 'good'"):
        read_file(path, names=["x*"])
    with pytest.raises(ApackError, match=r"no tensor can be taken: 'enc\.n'"):
        read_file(path, names=["enc.n"])


def test_data_of_onnx_that_its_shape_or_type_would_cut(tmp_path: Path) -> None:
    narrow = {name: getattr(TensorProto, name.upper()) for name in ("int4", "uint4", "int2")}
    protos = [
        TensorProto(name=f"{name} raw", data_type=code, dims=(3, 5), raw_data=bytes(9))
        for name, code in narrow.items()
    ] + [
        TensorProto(name=f"{name} words", data_type=code, dims=(3, 5), int32_data=[1] * 9)
        for name, code in narrow.items()
    ]
    for name, wide in (("int8", 128), ("uint8", -1), ("int16", 1 << 15), ("uint16", 1 << 16)):
        code = getattr(TensorProto, name.upper())
        proto = TensorProto(name=name, data_type=code, dims=(2, 2), int32_data=[0, 1, wide, 2])
        protos.append(proto)
    path = onnx_file(tmp_path / "m.onnx", [numpy_helper.from_array(WEIGHTS, "good"), *protos])
    assert {name: reason for name, (_, _, reason) in reasons(path).items()} == {
        f"{name} {field}": "has 9 bytes, which its shape denies"
        for name in narrow
        for field in ("raw", "words")
    } | {
        name: f"holds values that do not fit {name}"
        for name in ("int8", "uint8", "int16", "uint16")
    }


def test_integers_of_onnx_in_words_are_read(tmp_path: Path) -> None:
    extremes = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
    protos = [
        TensorProto(
            name=name,
            data_type=getattr(TensorProto, name.upper()),
            dims=(1, 2),
            int32_data=values,
        )
        for name, values in extremes.items()
    ] + [TensorProto(name="int4", data_type=TensorProto.INT4, dims=(1, 3), int32_data=[0x8F, 7])]
    tensors = read_file(onnx_file(tmp_path / "m.onnx", protos)).tensors
    assert {tensor.name: tuple(tensor.integers()[0].tolist()) for tensor in tensors} == {
        **extremes,
        "int4": (-1, -8, 7),
    }
