"""TensorFlow Lite models, read through the flatbuffer classes of the `tflite` package."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tflite

from model.apack import ApackError
from model.tensors.select import is_weight, make_tensor
from model.tensors.tensor import Tensor

_IDENTIFIER = b"TFL3"
_DTYPES = {
    tflite.TensorType.INT8: np.dtype("int8"),
    tflite.TensorType.UINT8: np.dtype("uint8"),
    tflite.TensorType.INT16: np.dtype("int16"),
    tflite.TensorType.FLOAT16: np.dtype("float16"),
    tflite.TensorType.FLOAT32: np.dtype("float32"),
}


def read_tflite(path: Path, value_w: int) -> list[Tensor]:
    """The constants of a model that an operator computes with.

    Constants that only initialise a state variable are not weights. A buffer shared by several
    tensors comes once.
    """
    data = path.read_bytes()
    if data[4:8] != _IDENTIFIER:
        raise ApackError("not a TensorFlow Lite model (no TFL3 mark)")
    model = tflite.Model.GetRootAs(data, 0)
    seen: set[int] = set()
    tensors = []
    for tensor in _operands(model):
        dtype = _DTYPES.get(tensor.Type())
        if dtype is None or tensor.Buffer() in seen or not _has_data(model, tensor):
            continue
        seen.add(tensor.Buffer())
        if is_weight(dtype.name, tuple(int(d) for d in tensor.ShapeAsNumpy())):
            tensors.append(_make(model, tensor, dtype, value_w))
    return tensors


def _operands(model: tflite.Model) -> Iterator[tflite.Tensor]:
    """Every tensor that is an input of an operator other than ASSIGN_VARIABLE."""
    for graph in (model.Subgraphs(i) for i in range(model.SubgraphsLength())):
        for operator in (graph.Operators(i) for i in range(graph.OperatorsLength())):
            if _builtin_code(model, operator) == tflite.BuiltinOperator.ASSIGN_VARIABLE:
                continue
            for index in (operator.Inputs(i) for i in range(operator.InputsLength())):
                if index >= 0:  # -1 stands for an optional input left out
                    yield graph.Tensors(index)


def _builtin_code(model: tflite.Model, operator: tflite.Operator) -> int:
    # Codes below 127 are in the old one-byte field, later ones in the new field; the larger counts.
    code = model.OperatorCodes(operator.OpcodeIndex())
    return max(code.BuiltinCode(), code.DeprecatedBuiltinCode())


def _has_data(model: tflite.Model, tensor: tflite.Tensor) -> bool:
    return tensor.ShapeLength() > 0 and model.Buffers(tensor.Buffer()).DataLength() > 0


def _make(model: tflite.Model, tensor: tflite.Tensor, dtype: np.dtype, value_w: int) -> Tensor:
    name = (tensor.Name() or b"unnamed").decode("utf-8", "replace")
    raw = model.Buffers(tensor.Buffer()).DataAsNumpy()
    shape = tuple(int(d) for d in tensor.ShapeAsNumpy())
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ApackError(f"tensor '{name}' has {len(raw)} bytes, which its shape {shape} denies")
    array = raw.view(dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    scale, zero_point, axis = _quantization(tensor)
    return make_tensor(name, array, value_w, scale, zero_point, axis)


def _quantization(
    tensor: tflite.Tensor,
) -> tuple[tuple[float, ...], tuple[int, ...], int | None]:
    quantization = tensor.Quantization()
    if quantization is None or quantization.ScaleLength() == 0:
        return (), (), None
    scale = tuple(float(s) for s in quantization.ScaleAsNumpy())
    zero_point = tuple(quantization.ZeroPoint(i) for i in range(quantization.ZeroPointLength()))
    return scale, zero_point, quantization.QuantizedDimension() if len(scale) > 1 else None
