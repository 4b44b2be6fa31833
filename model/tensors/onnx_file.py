"""ONNX models, read with the `onnx` package; nothing is executed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, numpy_helper

from model.tensors.select import is_weight, make_tensor
from model.tensors.tensor import Tensor

_DTYPES = {
    TensorProto.INT8: "int8",
    TensorProto.UINT8: "uint8",
    TensorProto.INT16: "int16",
    TensorProto.UINT16: "uint16",
    TensorProto.FLOAT16: "float16",
    TensorProto.FLOAT: "float32",
}
# Operators that name the scale and the zero point of a constant: position of (constant, scale,
# zero point) among their inputs.
_QUANTIZED_OPERANDS = {
    "DequantizeLinear": ((0, 1, 2),),
    "QLinearConv": ((0, 1, 2), (3, 4, 5)),
    "QLinearMatMul": ((0, 1, 2), (3, 4, 5)),
}


def read_onnx(path: Path, value_w: int) -> list[Tensor]:
    """The weights among a model's initializers and Constant nodes, subgraphs included."""
    model = onnx.load(path)
    graphs = list(_graphs(model.graph))
    found = [pair for graph in graphs for pair in _constants(graph)]
    constants = dict(found)
    parameters = _quantization_names(graphs)
    tensors = []
    for name, proto in found:  # not `constants`: branches may reuse a name
        if is_weight(_DTYPES.get(proto.data_type, ""), tuple(proto.dims)):
            scale, zero_point, axis = _quantization(parameters.get(name), constants)
            array = numpy_helper.to_array(proto)
            tensors.append(make_tensor(name, array, value_w, scale, zero_point, axis))
    return tensors


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from _graphs(attribute.g)


def _constants(graph: GraphProto) -> Iterator[tuple[str, TensorProto]]:
    for proto in graph.initializer:
        yield proto.name, proto
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                yield node.output[0], attribute.t


def _quantization_names(graphs: list[GraphProto]) -> dict[str, tuple[str, str, int]]:
    """Constant name -> (name of its scale, name of its zero point, axis)."""
    names = {}
    for node in (node for graph in graphs for node in graph.node):
        inputs = list(node.input)
        for value, scale, zero in _QUANTIZED_OPERANDS.get(node.op_type, ()):
            if len(inputs) > scale:
                zero_name = inputs[zero] if len(inputs) > zero else ""
                names[inputs[value]] = (inputs[scale], zero_name, _axis(node))
    return names


def _axis(node: NodeProto) -> int:
    default = 0 if node.op_type == "QLinearConv" else 1
    return next((a.i for a in node.attribute if a.name == "axis"), default)


def _quantization(
    names: tuple[str, str, int] | None, constants: dict[str, TensorProto]
) -> tuple[tuple[float, ...], tuple[int, ...], int | None]:
    if names is None or names[0] not in constants:
        return (), (), None
    scale = np.ravel(numpy_helper.to_array(constants[names[0]]))
    zero = np.zeros(len(scale), np.int64)
    if names[1] in constants:
        zero = np.ravel(numpy_helper.to_array(constants[names[1]]))
    axis = names[2] if len(scale) > 1 else None
    return tuple(map(float, scale)), tuple(map(int, zero)), axis
