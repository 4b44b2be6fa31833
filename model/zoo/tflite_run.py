# SPDX-License-Identifier: Apache-2.0
"""What the layers of a TensorFlow Lite model read while it runs: weights and feature maps.

The interpreter is the C library that pymicro-wakeword ships. It reuses the memory of what no later
operator needs, so that the tensors wanted are made outputs of the model first.
"""

from __future__ import annotations

import ctypes
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tflite
from pymicro_wakeword import wakeword

from ..errors import InputError
from ..tensors.tflite_file import builtin_code
from .packages import WAKEWORD

LAYERS = (tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEPTHWISE_CONV_2D)
OUTPUTS_SLOT = 8  # of the table SubGraph in TensorFlow Lite's schema


@dataclass(frozen=True)
class LayerRun:
    """One run: name -> float32 array, in the order in which layers read them first.

    weights: kernels, float16 and sparse ones as the interpreter expands them.
    maps: feature maps, without the padding that some models add in an operator of its own.
    outputs: what the model itself puts out.
    """

    weights: dict[str, np.ndarray]
    maps: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]


def run_layers(path: Path, picture: np.ndarray) -> LayerRun:
    """Run the float model of a file on one input, float32 of the shape that it takes.

    Raises InputError when the interpreter does not take the model or the input.
    """
    data = path.read_bytes()
    graph = tflite.Model.GetRootAs(data, 0).Subgraphs(0)
    weights, maps = _layer_inputs(data)
    outputs = [graph.Outputs(i) for i in range(graph.OutputsLength())]
    wanted = list(dict.fromkeys([*weights, *maps, *outputs]))
    with tempfile.TemporaryDirectory() as folder:
        traced = Path(folder) / "traced.tflite"
        traced.write_bytes(_with_outputs(data, wanted))
        arrays = dict(zip(wanted, _run(traced, picture, len(wanted)), strict=True))
    return LayerRun(
        *(
            {graph.Tensors(index).Name().decode(): arrays[index] for index in indices}
            for indices in (weights, maps, outputs)
        )
    )


def _layer_inputs(data: bytes) -> tuple[list[int], list[int]]:
    """Tensor numbers of the kernels and of the feature maps that layers read."""
    model = tflite.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    weights: dict[int, None] = {}
    maps: dict[int, None] = {}
    unpadded: dict[int, int] = {}
    for operator in (graph.Operators(i) for i in range(graph.OperatorsLength())):
        kind = builtin_code(model, operator)
        if kind == tflite.BuiltinOperator.PAD:
            unpadded[operator.Outputs(0)] = operator.Inputs(0)
        elif kind in LAYERS:
            read = operator.Inputs(0)
            maps[unpadded.get(read, read)] = None
            weights[operator.Inputs(1)] = None
    return list(weights), list(maps)


def _with_outputs(data: bytes, tensors: list[int]) -> bytes:
    """The model with these tensors for outputs: a vector at its end and the offset to it."""
    table = tflite.Model.GetRootAs(data, 0).Subgraphs(0)._tab
    field = table.Pos + table.Offset(OUTPUTS_SLOT)
    padded = data + bytes(-len(data) % 4)
    offset = struct.pack("<I", len(padded) - field)
    vector = struct.pack(f"<{1 + len(tensors)}i", len(tensors), *tensors)
    return padded[:field] + offset + padded[field + len(offset) :] + vector


def _run(path: Path, picture: np.ndarray, outputs: int) -> list[np.ndarray]:
    with _interpreter(path) as (library, interpreter):
        into = library.TfLiteInterpreterGetInputTensor(interpreter, 0)
        pixels = np.ascontiguousarray(picture)
        if library.TfLiteTensorCopyFromBuffer(into, pixels.ctypes.data, pixels.nbytes):
            raise InputError(f"{path.name}: takes no input of {pixels.nbytes} bytes")
        if library.TfLiteInterpreterInvoke(interpreter):
            raise InputError(f"{path.name}: the TensorFlow Lite interpreter does not run it")
        return [
            _array(library, library.TfLiteInterpreterGetOutputTensor(interpreter, place))
            for place in range(outputs)
        ]


@contextmanager
def _interpreter(path: Path) -> Iterator[tuple[ctypes.CDLL, int]]:
    """The library and an interpreter of the model, ready to run."""
    library = wakeword.TfLiteWakeWord(WAKEWORD.first_file("lib/*tensorflowlite_c.*")).lib
    model = library.TfLiteModelCreateFromFile(str(path).encode())
    interpreter = library.TfLiteInterpreterCreate(model, None) if model else None
    try:
        if not interpreter or library.TfLiteInterpreterAllocateTensors(interpreter):
            raise InputError(f"{path.name}: the TensorFlow Lite interpreter does not take it")
        yield library, interpreter
    finally:
        if interpreter:
            library.TfLiteInterpreterDelete(interpreter)
        if model:
            library.TfLiteModelDelete(model)


def _array(library: ctypes.CDLL, tensor: int) -> np.ndarray:
    shape = [library.TfLiteTensorDim(tensor, i) for i in range(library.TfLiteTensorNumDims(tensor))]
    array = np.empty(shape, np.float32)
    if library.TfLiteTensorCopyToBuffer(tensor, array.ctypes.data, array.nbytes):
        raise InputError("an inner tensor of the model is not of type float32")
    return array
