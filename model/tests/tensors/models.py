# SPDX-License-Identifier: Apache-2.0
"""Small model files for tests of the readers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import flatbuffers
import numpy as np
import onnx
import tflite
from onnx import NodeProto, TensorProto, helper, numpy_helper

WEIGHTS = np.clip(np.random.default_rng(5).laplace(0, 9, (16, 16)), -128, 127).astype(np.int8)


def onnx_file(
    path: Path,
    constants: Mapping[str, np.ndarray] | Sequence[TensorProto],
    nodes: Sequence[NodeProto] = (),
    **more: object,
) -> Path:
    """An ONNX model with these initializers; more: of `make_graph`, or functions of the model."""
    if isinstance(constants, Mapping):
        constants = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    of_model = {key: more.pop(key) for key in ("functions",) if key in more}
    graph = helper.make_graph(list(nodes), "g", [], [], list(constants), **more)
    onnx.save(helper.make_model(graph, **of_model), path)
    return path


def node(
    operator: str, *inputs: str, output: str = "y", domain: str = "", **attributes
) -> NodeProto:
    """One ONNX node."""
    return helper.make_node(operator, inputs, [output], domain=domain, **attributes)


def safetensors_file(
    path: Path, tensors: Mapping[str, tuple[str, tuple[int, ...], bytes]] | Sequence[tuple]
) -> Path:
    """A safetensors file of (type, shape, bytes) for each name; as pairs, names may repeat."""
    pairs = tensors.items() if isinstance(tensors, Mapping) else tensors
    members, data = [], b""
    for name, (dtype, shape, raw) in pairs:
        place = [len(data), len(data) + len(raw)]
        fields = {"dtype": dtype, "shape": list(shape), "data_offsets": place}
        members.append(f"{json.dumps(name)}: {json.dumps(fields)}")
        data += raw
    header = f"{{{', '.join(members)}}}".encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)
    return path


@dataclass
class Sparsity:
    """levels: a dense size, or (segments, indices) of compressed rows."""

    order: list[int]
    levels: list[int | tuple[list[int], list[int]]]
    blocked: list[int] = field(default_factory=list)


@dataclass
class Constant:
    """A tensor of a TensorFlow Lite model. shares: name of an earlier one with the same buffer."""

    name: str
    data: bytes
    shape: tuple[int, ...]
    type: int = tflite.TensorType.INT8
    scale: Sequence[float] = ()
    zero_point: Sequence[int] = ()
    dimension: int = 0
    details: int = tflite.QuantizationDetails.NONE
    sparsity: Sparsity | None = None
    shares: str = ""
    operator: int | None = tflite.BuiltinOperator.FULLY_CONNECTED
    position: int = 1


def tflite_file(path: Path, constants: Sequence[Constant], outside: bool = False) -> Path:
    """A model in which an operator of its own reads each constant, at `position` of its inputs.

    outside: the data lies after the flatbuffer, as in models of more than 2 GB.
    """
    places = [(0, 0)] * len(constants)
    flat = _flatbuffer(constants, places if outside else None)
    after = b""
    if outside:
        places = []
        for one in constants:
            places.append((len(flat) + len(after), len(one.data)))
            after += one.data
        flat = _flatbuffer(constants, places)
    path.write_bytes(flat + after)
    return path


def _flatbuffer(constants: Sequence[Constant], places: list[tuple[int, int]] | None) -> bytes:
    b = flatbuffers.Builder(1024)
    buffers, numbers = [_table(b, tflite.BufferStart, tflite.BufferEnd)], {}
    for place, one in enumerate(constants):
        if one.shares:
            numbers[one.name] = numbers[one.shares]
            continue
        numbers[one.name] = len(buffers)
        if places is None:
            data = b.CreateByteVector(one.data)
            fields = [(tflite.BufferAddData, data)]
        else:
            # Sizes are never the default 0 here, so that the flatbuffer's length does not change.
            offset, size = places[place]
            fields = [(tflite.BufferAddOffset, offset or 1), (tflite.BufferAddSize, size or 1)]
        buffers.append(_table(b, tflite.BufferStart, tflite.BufferEnd, *fields))
    result = _table(
        b,
        tflite.TensorStart,
        tflite.TensorEnd,
        (tflite.TensorAddShape, _numbers(b, tflite.TensorStartShapeVector, [1])),
    )
    tensors = [result, *(_tensor(b, one, numbers[one.name]) for one in constants)]
    codes = sorted({one.operator for one in constants if one.operator is not None})
    operators = [
        _operator(b, codes.index(one.operator), [-1] * one.position + [index])
        for index, one in enumerate(constants, 1)
        if one.operator is not None
    ]
    graph = _table(
        b,
        tflite.SubGraphStart,
        tflite.SubGraphEnd,
        (tflite.SubGraphAddTensors, _tables(b, tflite.SubGraphStartTensorsVector, tensors)),
        (tflite.SubGraphAddOperators, _tables(b, tflite.SubGraphStartOperatorsVector, operators)),
    )
    code_tables = [
        _table(
            b,
            tflite.OperatorCodeStart,
            tflite.OperatorCodeEnd,
            (tflite.OperatorCodeAddDeprecatedBuiltinCode, min(code, 127)),
            (tflite.OperatorCodeAddBuiltinCode, code),
        )
        for code in codes
    ]
    model = _table(
        b,
        tflite.ModelStart,
        tflite.ModelEnd,
        (tflite.ModelAddVersion, 3),
        (
            tflite.ModelAddOperatorCodes,
            _tables(b, tflite.ModelStartOperatorCodesVector, code_tables),
        ),
        (tflite.ModelAddSubgraphs, _tables(b, tflite.ModelStartSubgraphsVector, [graph])),
        (tflite.ModelAddBuffers, _tables(b, tflite.ModelStartBuffersVector, buffers)),
    )
    b.Finish(model, b"TFL3")
    return bytes(b.Output())


def _tensor(b: flatbuffers.Builder, one: Constant, buffer: int) -> int:
    fields = [
        (tflite.TensorAddName, b.CreateString(one.name)),
        (tflite.TensorAddShape, _numbers(b, tflite.TensorStartShapeVector, one.shape)),
        (tflite.TensorAddQuantization, _quantization(b, one)),
    ]
    if one.sparsity:
        fields.append((tflite.TensorAddSparsity, _sparsity(b, one.sparsity)))
    fields += [(tflite.TensorAddType, one.type), (tflite.TensorAddBuffer, buffer)]
    return _table(b, tflite.TensorStart, tflite.TensorEnd, *fields)


def _quantization(b: flatbuffers.Builder, one: Constant) -> int:
    scale = _numbers(b, tflite.QuantizationParametersStartScaleVector, one.scale, "Float32")
    zero = _numbers(b, tflite.QuantizationParametersStartZeroPointVector, one.zero_point, "Int64")
    fields = [
        (tflite.QuantizationParametersAddScale, scale),
        (tflite.QuantizationParametersAddZeroPoint, zero),
        (tflite.QuantizationParametersAddQuantizedDimension, one.dimension),
    ]
    if one.details:
        custom = _table(b, tflite.CustomQuantizationStart, tflite.CustomQuantizationEnd)
        fields += [
            (tflite.QuantizationParametersAddDetailsType, one.details),
            (tflite.QuantizationParametersAddDetails, custom),
        ]
    return _table(b, tflite.QuantizationParametersStart, tflite.QuantizationParametersEnd, *fields)


def _sparsity(b: flatbuffers.Builder, sparsity: Sparsity) -> int:
    levels = []
    for level in sparsity.levels:
        if isinstance(level, int):
            fields = [(tflite.DimensionMetadataAddDenseSize, level)]
        else:
            segments, indices = (_index_vector(b, numbers) for numbers in level)
            fields = [
                (tflite.DimensionMetadataAddFormat, tflite.DimensionType.SPARSE_CSR),
                (tflite.DimensionMetadataAddArraySegmentsType, segments[0]),
                (tflite.DimensionMetadataAddArraySegments, segments[1]),
                (tflite.DimensionMetadataAddArrayIndicesType, indices[0]),
                (tflite.DimensionMetadataAddArrayIndices, indices[1]),
            ]
        levels.append(
            _table(b, tflite.DimensionMetadataStart, tflite.DimensionMetadataEnd, *fields)
        )
    order = _numbers(b, tflite.SparsityParametersStartTraversalOrderVector, sparsity.order)
    blocked = _numbers(b, tflite.SparsityParametersStartBlockMapVector, sparsity.blocked)
    return _table(
        b,
        tflite.SparsityParametersStart,
        tflite.SparsityParametersEnd,
        (tflite.SparsityParametersAddTraversalOrder, order),
        (tflite.SparsityParametersAddBlockMap, blocked),
        (
            tflite.SparsityParametersAddDimMetadata,
            _tables(b, tflite.SparsityParametersStartDimMetadataVector, levels),
        ),
    )


def _index_vector(b: flatbuffers.Builder, numbers: list[int]) -> tuple[int, int]:
    """In the narrowest type that holds them, as converters choose it."""
    kind, name = (
        (tflite.SparseIndexVector.Uint8Vector, "Uint8")
        if max(numbers, default=0) < 256
        else (tflite.SparseIndexVector.Uint16Vector, "Uint16")
    )
    start = getattr(tflite, f"{name}VectorStartValuesVector")
    values = _numbers(b, start, numbers, name)
    begin, end = (getattr(tflite, f"{name}Vector{step}") for step in ("Start", "End"))
    return kind, _table(b, begin, end, (getattr(tflite, f"{name}VectorAddValues"), values))


def _operator(b: flatbuffers.Builder, code: int, inputs: list[int]) -> int:
    return _table(
        b,
        tflite.OperatorStart,
        tflite.OperatorEnd,
        (tflite.OperatorAddOpcodeIndex, code),
        (tflite.OperatorAddInputs, _numbers(b, tflite.OperatorStartInputsVector, inputs)),
        (tflite.OperatorAddOutputs, _numbers(b, tflite.OperatorStartOutputsVector, [0])),
    )


def _table(
    b: flatbuffers.Builder, start: Callable, end: Callable, *fields: tuple[Callable, int]
) -> int:
    start(b)
    for add, value in fields:
        add(b, value)
    return end(b)


def _numbers(
    b: flatbuffers.Builder, start: Callable, numbers: Sequence, kind: str = "Int32"
) -> int:
    start(b, len(numbers))
    for number in reversed(numbers):
        getattr(b, f"Prepend{kind}")(number)
    return b.EndVector()


def _tables(b: flatbuffers.Builder, start: Callable, tables: list[int]) -> int:
    start(b, len(tables))
    for table in reversed(tables):
        b.PrependUOffsetTRelative(table)
    return b.EndVector()
