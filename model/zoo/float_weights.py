# SPDX-License-Identifier: Apache-2.0
"""The float32 weights of the zoo's networks, before any quantization."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import InputError
from . import packages
from .catalog import (
    CLASSIFIER_ONNX,
    DETECTOR_ONNX,
    EFFICIENTNET_CHECKPOINT,
    MOBILENET_CHECKPOINT,
    SILERO_SAFETENSORS,
)
from .package import Package
from .torch_checkpoint import read_checkpoint

Arrays = dict[str, np.ndarray]


def _checkpoint(package: Package, relative: str) -> Callable[[], Arrays]:
    return lambda: read_checkpoint(package.file(relative))


def _onnx(package: Package, relative: str) -> Callable[[], Arrays]:
    def read() -> Arrays:
        import onnx

        graph = onnx.load(package.file(relative)).graph
        constants = {proto.name: proto for proto in graph.initializer}
        for node in graph.node:
            for attribute in node.attribute:
                if node.op_type == "Constant" and attribute.name == "value":
                    constants[node.output[0]] = attribute.t
        return {name: onnx.numpy_helper.to_array(proto) for name, proto in constants.items()}

    return read


def _safetensors(package: Package, relative: str) -> Callable[[], Arrays]:
    def read() -> Arrays:
        from safetensors.numpy import load_file

        return load_file(package.file(relative))

    return read


_READERS = {
    "mobilenet-v2": _checkpoint(packages.MOBILENET, MOBILENET_CHECKPOINT),
    "efficientnet-lite0": _checkpoint(packages.EFFICIENTNET, EFFICIENTNET_CHECKPOINT),
    "ppocr-detector": _onnx(packages.RAPIDOCR, DETECTOR_ONNX),
    "ppocr-classifier": _onnx(packages.RAPIDOCR, CLASSIFIER_ONNX),
    "silero-vad": _safetensors(packages.SILERO, SILERO_SAFETENSORS),
}
FLOAT_MODELS = tuple(_READERS)


def float_weights(key: str) -> Arrays:
    """The float32 weights of a network by name: longer than one along two dimensions or more.

    Raises InputError for a key that is not in FLOAT_MODELS, and when its package is missing.
    """
    if key not in _READERS:
        raise InputError(f"no float weights of {key!r}; there are those of {', '.join(_READERS)}")
    return {
        name: array
        for name, array in _READERS[key]().items()
        if array.dtype == np.float32 and sum(length > 1 for length in array.shape) >= 2
    }
