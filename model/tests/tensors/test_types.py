# SPDX-License-Identifier: Apache-2.0
"""Every element type comes out of every file type that can hold it, value for value."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import tflite
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from model.apack import ApackError
from model.tensors import pattern_dtype, read_tensors
from model.tensors.raw_bytes import array_of_bytes
from model.tensors.tensor import element_type
from model.tests.tensors.models import (
    Constant,
    node,
    onnx_file,
    safetensors_file,
    tflite_file,
)

INTEGERS = {"int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int4": 4, "uint4": 4, "int2": 2,
            "uint2": 2}  # fmt: skip
FLOATS = {"float16": 16, "bfloat16": 16, "float8_e4m3fn": 8, "float8_e4m3fnuz": 8,
          "float8_e5m2": 8, "float8_e5m2fnuz": 8, "float8_e8m0fnu": 8, "float6_e2m3fn": 6,
          "float6_e3m2fn": 6, "float4_e2m1fn": 4}  # fmt: skip
BITS = INTEGERS | FLOATS
ONNX = {
    "int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "int16": TensorProto.INT16,
    "uint16": TensorProto.UINT16, "int4": TensorProto.INT4, "uint4": TensorProto.UINT4,
    "int2": TensorProto.INT2, "uint2": TensorProto.UINT2, "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16, "float8_e4m3fn": TensorProto.FLOAT8E4M3FN,
    "float8_e4m3fnuz": TensorProto.FLOAT8E4M3FNUZ, "float8_e5m2": TensorProto.FLOAT8E5M2,
    "float8_e5m2fnuz": TensorProto.FLOAT8E5M2FNUZ, "float8_e8m0fnu": TensorProto.FLOAT8E8M0,
    "float6_e2m3fn": TensorProto.FLOAT6E2M3, "float6_e3m2fn": TensorProto.FLOAT6E3M2,
    "float4_e2m1fn": TensorProto.FLOAT4E2M1,
}  # fmt: skip
SAFETENSORS = {
    "int8": "I8", "uint8": "U8", "int16": "I16", "uint16": "U16", "float16": "F16",
    "bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
    "float8_e8m0fnu": "F8_E8M0", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ", "float4_e2m1fn": "F4",
}  # fmt: skip
TFLITE = ("int8", "uint8", "int16", "uint16", "int4", "float16", "bfloat16")
SHAPE = (3, 5)  # an odd number of values, so that packed types end in a half-used byte


def patterns(dtype: str) -> np.ndarray:
    """Every kind of bit pattern of a type, NaN and infinity among them: (3, 5)."""
    bits = BITS[dtype]
    drawn = np.random.default_rng(bits).integers(0, 1 << bits, SHAPE)
    drawn.flat[:3] = (0, (1 << bits) - 1, 1 << bits - 1)
    return drawn.astype(pattern_dtype(bits))


def packed(dtype: str) -> bytes:
    """The patterns as files hold them: those of less than a byte from the lowest bits up."""
    values, bits = patterns(dtype).reshape(-1), BITS[dtype]
    if bits >= 8:
        return values.astype(f"<u{bits // 8}").tobytes()
    stream = sum(int(value) << bits * place for place, value in enumerate(values))
    return stream.to_bytes(-(-bits * len(values) // 8), "little")


def write(kind: str, dtype: str, folder: Path) -> Path:
    path = folder / f"m.{kind}"
    if kind == "npy":
        np.save(path, patterns(dtype).view(element_type(dtype)))
    elif kind == "onnx":
        proto = TensorProto(name="w", data_type=ONNX[dtype], dims=SHAPE, raw_data=packed(dtype))
        onnx_file(path, [proto])
    elif kind == "safetensors":
        safetensors_file(path, {"w": (SAFETENSORS[dtype], SHAPE, packed(dtype))})
    else:
        code = getattr(tflite.TensorType, dtype.upper())
        tflite_file(path, [Constant("w", packed(dtype), SHAPE, code)])
    return path


CASES = [
    *(("npy", dtype) for dtype in ("int8", "uint8", "int16", "uint16", "float16")),
    *(("onnx", dtype) for dtype in ONNX),
    *(("safetensors", dtype) for dtype in SAFETENSORS),
    *(("tflite", dtype) for dtype in TFLITE),
]


@pytest.mark.parametrize(("kind", "dtype"), CASES)
def test_values_are_the_bit_patterns_of_the_file(tmp_path: Path, kind: str, dtype: str) -> None:
    (tensor,) = read_tensors(write(kind, dtype, tmp_path))
    assert tensor.values.tolist() == patterns(dtype).tolist()
    assert (tensor.dtype, tensor.value_w) == (dtype, BITS[dtype])
    assert (tensor.scale, tensor.zero_point, tensor.note) == ((), (), "")
    sign = "" if dtype.startswith("int") else "u"
    assert tensor.stored == f"{sign}int{8 if BITS[dtype] <= 8 else 16}"
    assert tensor.coding == ("integers" if dtype in INTEGERS else "patterns")
    assert tensor.array().tobytes() == patterns_as(dtype).tobytes()


def patterns_as(dtype: str) -> np.ndarray:
    if BITS[dtype] < 8 and dtype in INTEGERS:
        sign = 0 if dtype.startswith("u") else 1 << BITS[dtype] - 1
        integers = (patterns(dtype).astype(int) ^ sign) - sign
        return integers.astype(element_type(dtype))
    return patterns(dtype).view(element_type(dtype))


@pytest.mark.parametrize("dtype", [d for d in FLOATS if d != "float8_e8m0fnu"])
def test_small_floats_are_quantized_on_request(tmp_path: Path, dtype: str) -> None:
    floats = np.array([[-1, 0.5], [0, 1]]).astype(element_type(dtype))
    proto = helper.make_tensor("w", ONNX[dtype], (2, 2), floats.astype(np.float32).ravel())
    (tensor,) = read_tensors(onnx_file(tmp_path / "m.onnx", [proto]), floats="int8")
    assert tensor.integers().tolist() == [[-127, 64], [0, 127]]
    assert (tensor.dtype, tensor.stored, tensor.value_w) == (dtype, "int8", 8)
    assert tensor.note == f"{dtype} quantized per tensor, symmetric int8"
    (tensor,) = read_tensors(tmp_path / "m.onnx", 5, "int8")
    assert tensor.integers().tolist() == [[-15, 8], [0, 15]] and tensor.value_w == 5


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e5m2"])
def test_patterns_hold_what_quantization_refuses(tmp_path: Path, dtype: str) -> None:
    floats = np.array([[np.nan, np.inf], [-np.inf, -0.0]], element_type(dtype))
    raw = (SAFETENSORS[dtype], (2, 2), floats.tobytes())
    path = safetensors_file(tmp_path / "m.safetensors", {"w": raw})
    (tensor,) = read_tensors(path)
    assert tensor.array().tobytes() == floats.tobytes()
    with pytest.raises(ApackError, match=r"'w' .*holds NaN or infinity"):
        read_tensors(path, floats="int8")


def test_a_value_width_narrows_integers_that_fit_and_widens_none(tmp_path: Path) -> None:
    arrays = {
        "i8": np.full((2, 2), -3, np.int8), "i16": np.full((2, 2), -3, np.int16),
        "f16": np.ones((2, 2), np.float16), "i4": np.full((2, 2), -3, ml_dtypes.int4),
    }  # fmt: skip
    path = onnx_file(tmp_path / "m.onnx", arrays)
    widths = {value_w: {t.name: t.value_w for t in read_tensors(path, value_w)}
              for value_w in (None, 12, 8, 3)}  # fmt: skip
    assert widths[None] == {"i8": 8, "i16": 16, "f16": 16, "i4": 4}
    assert widths[12] == {"i8": 8, "i16": 12, "f16": 16, "i4": 4}
    assert widths[8] == {"i8": 8, "i16": 8, "f16": 16, "i4": 4}
    assert widths[3] == {"i8": 3, "i16": 3, "f16": 16, "i4": 3}
    for tensor in read_tensors(path, 3):
        if tensor.name != "f16":
            assert (tensor.array().astype(int) == -3).all() and tensor.coding == "integers"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["i2", "u2", "f2", "f4"])
@pytest.mark.parametrize("fortran", [False, True])
def test_npy_of_any_byte_order_and_layout(
    tmp_path: Path, order: str, dtype: str, fortran: bool
) -> None:
    array = np.arange(12).reshape(3, 4).astype(order + dtype)
    np.save(tmp_path / "w.npy", np.asfortranarray(array) if fortran else array)
    (tensor,) = read_tensors(tmp_path / "w.npy")
    expected = array.astype(array.dtype.newbyteorder("="))
    if dtype == "f4":
        assert np.allclose(tensor.integers() * tensor.scale[0], array, atol=tensor.scale[0])
    else:
        assert tensor.array().tobytes() == expected.tobytes()


@pytest.mark.parametrize("field", ["int32_data", "raw_data"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e4m3fn", "int4", "uint16"])
def test_onnx_values_in_either_field(tmp_path: Path, field: str, dtype: str) -> None:
    proto = TensorProto(name="w", data_type=ONNX[dtype], dims=SHAPE)
    if field == "raw_data":
        proto.raw_data = packed(dtype)
    else:
        numbers = np.frombuffer(packed(dtype), np.uint8 if BITS[dtype] < 16 else "<u2")
        proto.int32_data.extend(int(number) for number in numbers)
    (tensor,) = read_tensors(onnx_file(tmp_path / "m.onnx", [proto]))
    assert tensor.values.tolist() == patterns(dtype).tolist()


@given(values=st.lists(st.integers(0, 15), min_size=1, max_size=9), bits=st.sampled_from([2, 4]))
def test_packed_values_unpack_from_the_lowest_bits(values: list[int], bits: int) -> None:
    values = [value % (1 << bits) for value in values]
    stream = sum(value << bits * place for place, value in enumerate(values))
    raw = stream.to_bytes(-(-bits * len(values) // 8), "little")
    assert array_of_bytes(raw, f"uint{bits}", (len(values),)).astype(int).tolist() == values
    signed = [value - (1 << bits) if value >> bits - 1 else value for value in values]
    assert array_of_bytes(raw, f"int{bits}", (len(values),)).astype(int).tolist() == signed


@pytest.mark.parametrize("bits", [2, 4])
def test_weights_of_matmulnbits_are_unpacked(tmp_path: Path, bits: int) -> None:
    values = np.random.default_rng(bits).integers(0, 1 << bits, (3, 2, 16), dtype=np.uint8)
    packed = np.zeros((3, 2, 16 * bits // 8), np.uint8)
    for place in range(8 // bits):
        packed |= values[..., place :: 8 // bits] << bits * place
    multiply = node("MatMulNBits", "x", "w", "s", domain="com.microsoft", bits=bits, block_size=16)
    constants = {"w": packed, "s": np.ones((3, 2), np.float32)}
    (tensor,) = read_tensors(onnx_file(tmp_path / "m.onnx", constants, [multiply]))
    assert (tensor.dtype, tensor.value_w) == (f"uint{bits}", bits)
    assert tensor.values.tolist() == values.tolist()
    assert tensor.note.startswith(
        f"values of {bits} bits, packed in bytes in the file; scales lost"
    )


def test_weights_that_are_bytes_to_another_operator_too_stay_bytes(tmp_path: Path) -> None:
    steps = [node("MatMulNBits", "x", "w", "s", domain="com.microsoft", block_size=16),
             node("Add", "w", "w", output="z")]  # fmt: skip
    constants = {"w": np.arange(64, dtype=np.uint8).reshape(4, 16), "s": np.float32([1, 1])}
    (tensor,) = read_tensors(onnx_file(tmp_path / "m.onnx", constants, steps))
    assert (tensor.dtype, tensor.values.shape) == ("uint8", (4, 16))
