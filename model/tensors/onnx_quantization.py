# SPDX-License-Identifier: Apache-2.0
"""Which constants of an ONNX model are scales and zero points, and of what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import NodeProto

from .contents import one_line
from .onnx_graph import MOVES, Constant, Scope
from .quantization import Quantization, agreed, lost, stated

Load = Callable[[Constant], np.ndarray]

_ATTRIBUTE, _GEMM, _BLOCKS = "axis", "transB", "blocks"
_ROW, _COLUMN = -2, -1


@dataclass(frozen=True)
class Operand:
    """Positions among the inputs of a node: of a value, its scale and its zero point.

    value is None where only an output is scaled, scale is None where the operator leaves scaling to
    others. axis: of a vector of scales; a dimension, or the rule that names it.
    """

    value: int | None
    scale: int | None
    zero_point: int | None
    axis: int | str | None = None


_UNARY = (Operand(0, 1, 2), Operand(None, 3, 4))
_BINARY = (Operand(0, 1, 2), Operand(3, 4, 5), Operand(None, 6, 7))
_MATMUL = (Operand(0, 1, 2, _ROW), Operand(3, 4, 5, _COLUMN), Operand(None, 6, 7))
_INTEGER = (Operand(0, None, 2), Operand(1, None, 3))
# Of ONNX and, from QGemm on, of ONNX Runtime's domain com.microsoft.
_OPERANDS: dict[str, tuple[Operand, ...]] = {
    "DequantizeLinear": (Operand(0, 1, 2, _ATTRIBUTE),),
    "QuantizeLinear": (Operand(None, 1, 2),),
    "QLinearConv": (Operand(0, 1, 2), Operand(3, 4, 5, 0), Operand(None, 6, 7)),
    "QLinearMatMul": _MATMUL,
    "MatMulInteger": _INTEGER,
    "ConvInteger": _INTEGER,
    "QGemm": (Operand(0, 1, 2), Operand(3, 4, 5, _GEMM), Operand(None, 7, 8)),
    "QLinearAdd": _BINARY,
    "QLinearMul": _BINARY,
    "QLinearWhere": (Operand(1, 2, 3), Operand(4, 5, 6), Operand(None, 7, 8)),
    "QLinearSigmoid": _UNARY,
    "QLinearLeakyRelu": _UNARY,
    "QLinearSoftmax": _UNARY,
    "QLinearReduceMean": _UNARY,
    "QLinearAveragePool": _UNARY,
    "QLinearGlobalAveragePool": _UNARY,
    "MatMulIntegerToFloat": (Operand(0, 2, 4), Operand(1, 3, 5, _COLUMN)),
    "DynamicQuantizeMatMul": (Operand(1, 2, 3, _COLUMN),),
    "DynamicQuantizeLSTM": (Operand(1, 8, 9, 0), Operand(2, 10, 11, 0)),
    "QAttention": (Operand(0, 3, 6), Operand(1, 4, 7, _COLUMN)),
    "QEmbedLayerNormalization": tuple(Operand(2 + at, 8 + at, 13 + at) for at in range(5)),
    "QOrderedMatMul": (Operand(0, 1, None), Operand(2, 3, None, _COLUMN), Operand(None, 4, None)),
    "MatMulNBits": (Operand(1, 2, 3, _BLOCKS),),
    "MatMulBnb4": (Operand(1, 2, None, _BLOCKS),),
    "GatherBlockQuantized": (Operand(0, 2, 3, _BLOCKS),),
    "QMoE": (
        Operand(2, 3, 11, _BLOCKS),
        Operand(5, 6, 12, _BLOCKS),
        Operand(8, 9, 13, _BLOCKS),
    ),
}


def quantizations(scopes: Sequence[Scope], load: Load) -> dict[Constant, Quantization]:
    """What the operators of a model say of the constants they dequantize."""
    said: dict[Constant, list[Quantization]] = defaultdict(list)
    for scope in scopes:
        for node in scope.nodes:
            for operand in _operands(node):
                constant, way = scope.source(_input(node, operand.value))
                if constant is None:
                    continue
                try:
                    quantization = _quantization(node, operand, constant, way, scope, load)
                except Exception as error:  # whatever a damaged scale makes its parser raise
                    quantization = lost(f"not readable ({one_line(error)})")
                said[constant].append(quantization)
    return {constant: agreed(each) for constant, each in said.items()}


def parameters(scopes: Sequence[Scope]) -> set[Constant]:
    """The constants that are nothing but scales and zero points."""
    as_parameters: set[Constant] = set()
    otherwise: set[Constant] = set()
    for scope in scopes:
        for node in scope.nodes:
            if node.op_type in MOVES:
                continue
            places = {place for one in _operands(node) for place in (one.scale, one.zero_point)}
            for place, name in enumerate(node.input):
                constant, _ = scope.source(name)
                if constant is not None:
                    (as_parameters if place in places else otherwise).add(constant)
    return as_parameters - otherwise


def packed_bits(scopes: Sequence[Scope]) -> dict[Constant, int]:
    """Bits of the values in the bytes of constants that every reader takes for 2 or 4 bits wide.

    That is MatMulNBits of ONNX Runtime, whose weights lie in bytes from the lowest bits up.
    """
    bits: dict[Constant, set[int]] = defaultdict(set)
    for scope in scopes:
        for node in scope.nodes:
            for place, name in enumerate(node.input):
                constant, way = scope.source(name)
                packs = node.op_type == "MatMulNBits" and place == 1 and _unchanged(way)
                if constant is not None and node.op_type not in MOVES:
                    bits[constant].add(_attribute(node, "bits", 4) if packs else 8)
    return {constant: min(each) for constant, each in bits.items() if each in ({2}, {4})}


def _operands(node: NodeProto) -> Sequence[Operand]:
    if node.op_type == "QLinearConcat":  # scale and zero point of the output, then triples
        return [
            Operand(None, 0, 1),
            *(Operand(at, at + 1, at + 2) for at in range(2, len(node.input), 3)),
        ]
    return _OPERANDS.get(node.op_type, ())


def _input(node: NodeProto, place: int | None) -> str:
    return node.input[place] if place is not None and place < len(node.input) else ""


def _quantization(
    node: NodeProto,
    operand: Operand,
    constant: Constant,
    way: Sequence[NodeProto],
    scope: Scope,
    load: Load,
) -> Quantization:
    zero_name = _input(node, operand.zero_point)
    zero, zero_way = scope.source(zero_name)
    if zero_name and (zero is None or not _unchanged(zero_way)):
        return lost("their zero points are computed when the model runs")
    zeros = load(zero) if zero else np.zeros(0, np.int64)
    if operand.scale is None:
        return _zero_point_alone(node, constant, zeros)
    scale, scale_way = scope.source(_input(node, operand.scale))
    if scale is None or not _unchanged(scale_way):
        return lost("they are computed when the model runs")
    scales = load(scale)
    block = _attribute(node, "block_size", 0)
    if operand.axis == _BLOCKS:
        return lost(f"blocked, one for each {block or 'few'} values")
    moved = [step for step in way if step.op_type not in ("Identity", "Cast")]
    if scales.size <= 1 or not moved:
        return stated(constant.shape, scales, zeros, _axis(node, operand), block)
    if scales.ndim > 1 or any(step.op_type != "Transpose" for step in moved):
        return lost(f"their axis is that after {moved[0].op_type}")
    axis = _before_transposes(_axis(node, operand), moved, len(constant.shape))
    return stated(constant.shape, scales, zeros, axis, block)


def _unchanged(way: Sequence[NodeProto]) -> bool:
    return all(step.op_type == "Identity" for step in way)


def _zero_point_alone(node: NodeProto, constant: Constant, zeros: np.ndarray) -> Quantization:
    """Of an operator that multiplies integers and leaves their scales to those after it."""
    kept = stated(constant.shape, (1.0,), np.unique(zeros), None)
    note = f"scales lost: {node.op_type} leaves them to later operators"
    if zeros.size and not kept.zero_point:
        note += f"; zero points lost: {zeros.size} of them have no place without scales"
    return Quantization(zero_point=kept.zero_point, note=note)


def _axis(node: NodeProto, operand: Operand) -> int | None:
    if operand.axis == _ATTRIBUTE:
        return _attribute(node, "axis", 1)
    if operand.axis == _GEMM:
        return 0 if _attribute(node, "transB", 0) else 1
    return operand.axis if isinstance(operand.axis, int) else None


def _before_transposes(axis: int | None, steps: Sequence[NodeProto], rank: int) -> int | None:
    """The dimension of the constant that an axis after some transpositions is."""
    for step in steps:
        order = next((list(a.ints) for a in step.attribute if a.name == "perm"), None)
        order = order or list(range(rank))[::-1]
        if axis is None or sorted(order) != list(range(rank)) or not -rank <= axis < rank:
            return None
        axis = order[axis]
    return axis


def _attribute(node: NodeProto, name: str, default: int) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), default)
