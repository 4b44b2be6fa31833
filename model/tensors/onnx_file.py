# SPDX-License-Identifier: Apache-2.0
"""ONNX models, read with the `onnx` package; nothing is executed."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from onnx import SparseTensorProto, TensorProto, numpy_helper
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from ..errors import InputError
from .contents import Found
from .imposters import refuse_pointer
from .onnx_graph import Constant, scopes
from .onnx_quantization import packed_bits, parameters, quantizations
from .quantization import UNQUANTIZED
from .raw_bytes import array_of_bytes, check_size
from .select import is_weight
from .sparse import MOST_VALUES
from .types import INTEGER_BITS, bits_of, is_accepted

_HEAD_BYTES = 64


def read_onnx(path: Path) -> list[Found]:
    """The constants of a model: initializers and tensors in attributes, of all its graphs.

    Subgraphs, functions and training graphs are included. Constants that are only scales and zero
    points of others are no weights.
    """
    model = onnx.load(path, load_external_data=False)
    every = scopes(model)
    load = partial(_load, folder=path.parent)
    said = quantizations(every, load)
    no_weights = parameters(every)
    packed = packed_bits(every)
    constants = dict.fromkeys(constant for scope in every for constant in scope.own)
    found = []
    for constant in constants:
        dtype = _name_of(constant.values.data_type)
        one = Found(
            constant.name or "unnamed",
            dtype,
            constant.shape,
            partial(load, constant),
            is_weight(dtype, constant.shape) and constant not in no_weights,
            said.get(constant, UNQUANTIZED),
            note=_note(constant),
        )
        if constant in packed and dtype == "uint8" and constant.shape:
            one = _unpacked(one, packed[constant])
        found.append(one)
    return found


def _unpacked(one: Found, bits: int) -> Found:
    """The narrow values in the bytes of a constant; its last dimension grows."""
    dtype, shape = f"uint{bits}", (*one.shape[:-1], one.shape[-1] * 8 // bits)
    return replace(
        one,
        dtype=dtype,
        shape=shape,
        load=lambda: array_of_bytes(one.load().tobytes(), dtype, shape),
        note=f"values of {bits} bits, packed in bytes in the file",
    )


def _name_of(data_type: int) -> str:
    if data_type == TensorProto.STRING:
        return "string"
    try:
        return onnx.helper.tensor_dtype_to_np_dtype(data_type).name
    except KeyError:
        return f"type {data_type}"


def _note(constant: Constant) -> str:
    if isinstance(constant.proto, SparseTensorProto):
        return "sparse in the file, coded with its zeros"
    return ""


def _load(constant: Constant, folder: Path) -> np.ndarray:
    if any(length < 0 for length in constant.shape):
        raise InputError("a dimension of its shape is negative")
    if isinstance(constant.proto, SparseTensorProto):
        return _dense(constant.proto, folder)
    return _array(constant.proto, folder)


def _array(proto: TensorProto, folder: Path) -> np.ndarray:
    if uses_external_data(proto):
        location = ExternalDataInfo(proto).location
        if not (folder / location).is_file():
            raise InputError(f"its external data file {location} is missing")
        try:
            with (folder / location).open("rb") as file:
                refuse_pointer(file.read(_HEAD_BYTES))
        except InputError as error:
            raise InputError(f"its external data file {location}: {error}") from None
    array = numpy_helper.to_array(proto, str(folder))
    _check_nothing_dropped(proto, array)
    return array


def _check_nothing_dropped(proto: TensorProto, array: np.ndarray) -> None:
    """Raise InputError for data that onnx cut to the shape, or to the bits of the type."""
    dtype, words = array.dtype.name, proto.int32_data
    if not is_accepted(dtype):
        return
    if proto.HasField("raw_data"):
        check_size(len(proto.raw_data), dtype, array.size)
    elif words and bits_of(dtype) in (2, 4):
        check_size(len(words), dtype, array.size)
    elif words and dtype in INTEGER_BITS and not np.array_equal(words, array.ravel()):
        raise InputError(f"holds values that do not fit {dtype}")


def _dense(proto: SparseTensorProto, folder: Path) -> np.ndarray:
    """A sparse tensor with its zeros; indices count values (nnz,) or dimensions (nnz, rank)."""
    values, indices = _array(proto.values, folder), _array(proto.indices, folder)
    shape = tuple(proto.dims)
    if math.prod(shape) > MOST_VALUES:
        raise InputError(f"more than {MOST_VALUES} values with its zeros")
    if indices.ndim == 2:
        indices = np.ravel_multi_index(tuple(indices.T), shape)
    if (
        values.ndim != 1
        or values.shape != indices.shape
        or len(set(indices.tolist())) != len(values)
    ):
        raise InputError("its indices do not fit its values")
    dense = np.zeros(math.prod(shape), dtype=values.dtype)
    if len(indices) and not 0 <= indices.min() <= indices.max() < len(dense):
        raise InputError("an index lies outside of its shape")
    dense[indices] = values
    return dense.reshape(shape)
