# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite models, read through the flatbuffer classes of the `tflite` package."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import tflite

from ..errors import InputError
from .contents import Found, one_line
from .quantization import UNQUANTIZED, Quantization, agreed, lost, stated
from .raw_bytes import array_of_bytes
from .select import is_weight
from .sparse import Level, dense
from .types import bits_of

_IDENTIFIER = b"TFL3"
_DTYPES = {code: name.lower() for name, code in vars(tflite.TensorType).items() if name.isupper()}
_INDEX_VECTORS = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}
# Inputs that say what an operator does rather than what it computes with, by their position.
_SETTINGS = {
    tflite.BuiltinOperator.PAD: 1,
    tflite.BuiltinOperator.PADV2: 1,
    tflite.BuiltinOperator.MIRROR_PAD: 1,
    tflite.BuiltinOperator.SPACE_TO_BATCH_ND: 2,
    tflite.BuiltinOperator.BATCH_TO_SPACE_ND: 2,
}
_INITIAL = "only the initial state of a variable"
_UNUSED = "no operator uses it"


def read_tflite(path: Path) -> list[Found]:
    """The constants of a model; a buffer shared by several tensors of one type comes once.

    Constants that only initialise a state variable, and those of no operator, are in doubt.
    """
    data = path.read_bytes()
    if data[4:8] != _IDENTIFIER:
        raise InputError("not a TensorFlow Lite model (no TFL3 mark)")
    model = tflite.Model.GetRootAs(data, 0)
    alike = defaultdict(list)
    for graph in (model.Subgraphs(i) for i in range(model.SubgraphsLength())):
        roles = _roles(model, graph)
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            if roles.get(index) != "setting" and _has_data(model, tensor):
                key = tensor.Buffer(), tensor.Type()
                alike[key].append((tensor, roles.get(index, _UNUSED)))
    return [_found(data, model, tensors) for tensors in alike.values()]


def _roles(model: tflite.Model, graph: tflite.SubGraph) -> dict[int, str]:
    """What the tensors are that operators read: "" of a weight, "setting", or why it is none."""
    roles: dict[int, str] = {}
    for operator in (graph.Operators(i) for i in range(graph.OperatorsLength())):
        code = builtin_code(model, operator)
        for position in range(operator.InputsLength()):
            index = operator.Inputs(position)
            role = ""
            if code == tflite.BuiltinOperator.ASSIGN_VARIABLE:
                role = _INITIAL
            elif _SETTINGS.get(code) == position:
                role = "setting"
            if roles.get(index) != "":
                roles[index] = role
    return roles


def builtin_code(model: tflite.Model, operator: tflite.Operator) -> int:
    """Which of tflite.BuiltinOperator an operator is.

    Codes below 127 are in the old one-byte field, later ones in the new field; the larger counts.
    """
    code = model.OperatorCodes(operator.OpcodeIndex())
    return max(code.BuiltinCode(), code.DeprecatedBuiltinCode())


def _has_data(model: tflite.Model, tensor: tflite.Tensor) -> bool:
    if tensor.Buffer() >= model.BuffersLength():
        return True  # `_load` says what is wrong with it
    buffer = model.Buffers(tensor.Buffer())
    return buffer.DataLength() > 0 or buffer.Size() > 0


def _found(data: bytes, model: tflite.Model, tensors: Sequence[tuple[tflite.Tensor, str]]) -> Found:
    """What to make of the tensors of one type that share a buffer: the one most like a weight."""
    dtype = _DTYPES.get(tensors[0][0].Type(), f"type {tensors[0][0].Type()}")

    def unlikeness(pair: tuple[tflite.Tensor, str]) -> tuple[bool, bool]:
        return not is_weight(dtype, _shape(pair[0])), pair[1] != ""

    tensor, doubt = min(tensors, key=unlikeness)
    shape = _shape(tensor)
    sparsity = tensor.Sparsity()
    return Found(
        (tensor.Name() or b"unnamed").decode("utf-8", "replace"),
        dtype,
        shape,
        partial(_load, data, model, tensor, dtype),
        is_weight(dtype, shape),
        agreed([_quantization(each) for each, _ in tensors if is_weight(dtype, _shape(each))]),
        doubt,
        "sparse in the file, coded with its zeros" if sparsity else "",
    )


def _shape(tensor: tflite.Tensor) -> tuple[int, ...]:
    return tuple(tensor.Shape(i) for i in range(tensor.ShapeLength()))


def _load(data: bytes, model: tflite.Model, tensor: tflite.Tensor, dtype: str) -> np.ndarray:
    shape = _shape(tensor)
    if tensor.Buffer() >= model.BuffersLength():
        raise InputError(f"its buffer {tensor.Buffer()} is not in the file")
    raw = _bytes_of(data, model.Buffers(tensor.Buffer()))
    if tensor.Sparsity():
        return _dense(raw, tensor.Sparsity(), dtype, shape)
    return array_of_bytes(raw, dtype, shape)


def _bytes_of(data: bytes, buffer: tflite.Buffer) -> bytes | np.ndarray:
    """The bytes of a buffer, which in models of over 2 GB lie after the flatbuffer."""
    if buffer.Size() == 0:
        return buffer.DataAsNumpy()
    if buffer.Offset() + buffer.Size() > len(data):
        raise InputError("its data would lie after the end of the file")
    return data[buffer.Offset() : buffer.Offset() + buffer.Size()]


def _dense(
    raw: bytes | np.ndarray,
    sparsity: tflite.SparsityParameters,
    dtype: str,
    shape: tuple[int, ...],
) -> np.ndarray:
    values = array_of_bytes(raw, dtype, (8 * len(raw) // bits_of(dtype),))
    levels = [_level(sparsity.DimMetadata(i)) for i in range(sparsity.DimMetadataLength())]
    order = [sparsity.TraversalOrder(i) for i in range(sparsity.TraversalOrderLength())]
    blocked = [sparsity.BlockMap(i) for i in range(sparsity.BlockMapLength())]
    return dense(values, shape, levels, order, blocked)


def _level(dimension: tflite.DimensionMetadata) -> Level:
    if dimension.Format() == tflite.DimensionType.DENSE:
        return Level(dimension.DenseSize())
    return Level(
        segments=_indices(dimension.ArraySegmentsType(), dimension.ArraySegments()),
        indices=_indices(dimension.ArrayIndicesType(), dimension.ArrayIndices()),
    )


def _indices(kind: int, table: object) -> np.ndarray:
    vector = _INDEX_VECTORS[kind]()
    vector.Init(table.Bytes, table.Pos)
    return vector.ValuesAsNumpy() if vector.ValuesLength() else np.zeros(0, np.int64)


def _quantization(tensor: tflite.Tensor) -> Quantization:
    try:
        return _stated(tensor)
    except Exception as error:  # whatever damage makes the flatbuffer's classes raise
        return lost(f"not readable ({one_line(error)})")


def _stated(tensor: tflite.Tensor) -> Quantization:
    quantization = tensor.Quantization()
    if quantization is None:
        return UNQUANTIZED
    if quantization.DetailsType() != tflite.QuantizationDetails.NONE:
        return lost("blocked or of a kind of its own")
    if quantization.ScaleLength() == 0:
        return UNQUANTIZED
    return stated(
        _shape(tensor),
        quantization.ScaleAsNumpy(),
        quantization.ZeroPointAsNumpy() if quantization.ZeroPointLength() else (),
        quantization.QuantizedDimension(),
    )
