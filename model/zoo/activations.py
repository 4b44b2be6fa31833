# SPDX-License-Identifier: Apache-2.0
"""Integer feature maps of the zoo's networks, running quantized on real inputs.

onnxruntime's static quantization (QDQ form) turns the float network into one with 8-bit weights
and activations; calibration is the range seen on the profiling inputs. What is captured is the
quantized input of every layer with weights or products (Conv, ConvTranspose, Gemm, MatMul): the
maps that an accelerator reads from memory, each once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from ..tensors import Tensor
from . import packages
from .catalog import CLASSIFIER_ONNX, DETECTOR_ONNX, MINILM_ONNX, ZooModel, zoo_model
from .inputs import (
    EVALUATION_PICTURES,
    EVALUATION_SCENES,
    EVALUATION_TOPICS,
    PROFILE_PICTURES,
    PROFILE_SCENES,
    PROFILE_TOPICS,
    Feed,
    detector_feeds,
    lite0_feeds,
    mobilenet_feeds,
    text_feeds,
    text_line_feeds,
)
from .mobile_graphs import efficientnet_lite0, mobilenet_v2

LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
QUANTIZED = (*LAYERS, "Add", "Clip", "Relu", "Mul", "MaxPool", "AveragePool", "GlobalAveragePool")


@dataclass(frozen=True)
class Network:
    """A float network of the zoo with the inputs it is profiled and evaluated on.

    graph: builds or reads it; profile, evaluation: a fresh iterator of inputs each.
    """

    model: ZooModel
    graph: Callable[[], onnx.ModelProto]
    profile: Callable[[], Iterator[Feed]]
    evaluation: Callable[[], Iterator[Feed]]


NETWORKS = (
    Network(
        zoo_model("mobilenet-v2"),
        mobilenet_v2,
        lambda: mobilenet_feeds(PROFILE_PICTURES),
        lambda: mobilenet_feeds(EVALUATION_PICTURES),
    ),
    Network(
        zoo_model("efficientnet-lite0"),
        efficientnet_lite0,
        lambda: lite0_feeds(PROFILE_PICTURES),
        lambda: lite0_feeds(EVALUATION_PICTURES),
    ),
    Network(
        zoo_model("ppocr-detector"),
        lambda: onnx.load(packages.RAPIDOCR.file(DETECTOR_ONNX)),
        lambda: detector_feeds(PROFILE_SCENES),
        lambda: detector_feeds(EVALUATION_SCENES),
    ),
    Network(
        zoo_model("ppocr-classifier"),
        lambda: onnx.load(packages.RAPIDOCR.file(CLASSIFIER_ONNX)),
        lambda: text_line_feeds("text.png", slice(9)),
        lambda: text_line_feeds("page.png", slice(6)),
    ),
    Network(
        zoo_model("minilm-l6"),
        lambda: onnx.load(packages.MINILM.file(MINILM_ONNX)),
        lambda: text_feeds(PROFILE_TOPICS),
        lambda: text_feeds(EVALUATION_TOPICS),
    ),
)


class _Reader(CalibrationDataReader):
    def __init__(self, feeds: Iterator[Feed]) -> None:
        self._feeds = feeds

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def quantized(network: Network) -> onnx.ModelProto:
    """The network in QDQ form: uint8 activations, symmetric int8 weights, both per tensor."""
    with tempfile.TemporaryDirectory() as folder:
        source, folded, result = (Path(folder) / f"{name}.onnx" for name in "abc")
        onnx.save(network.graph(), source)
        # Folding turns weights that are stored as integer, scale and product into plain constants.
        quant_pre_process(source, folded, skip_symbolic_shape=True)
        quantize_static(
            folded,
            result,
            _Reader(network.profile()),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTIZED),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return onnx.load(result)


@dataclass(frozen=True)
class MapSource:
    """A quantized feature map in a QDQ graph: its name, scale and zero point."""

    name: str
    scale: float
    zero_point: int


def layer_inputs(model: onnx.ModelProto) -> list[MapSource]:
    """The quantized feature maps that layers read, in the order of their first reader."""
    producers = {node.output[0]: node for node in model.graph.node if node.output}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    found: dict[str, MapSource] = {}
    for layer in (node for node in model.graph.node if node.op_type in LAYERS):
        for dequantize in (producers.get(name) for name in layer.input):
            if dequantize is None or dequantize.op_type != "DequantizeLinear":
                continue
            quantize = producers.get(dequantize.input[0])
            if quantize is None or quantize.op_type != "QuantizeLinear":
                continue
            scale, zero = (numpy_helper.to_array(constants[n]) for n in quantize.input[1:3])
            found.setdefault(
                quantize.output[0], MapSource(quantize.output[0], float(scale), int(zero))
            )
    return list(found.values())


def capture(
    model: onnx.ModelProto, sources: list[MapSource], feeds: Iterable[Feed]
) -> Iterator[list[Tensor]]:
    """Per input: the feature maps of `sources`, uint8, each of its own shape."""
    traced = onnx.ModelProto()
    traced.CopyFrom(model)
    traced.graph.output.extend(
        onnx.helper.make_tensor_value_info(source.name, onnx.TensorProto.UINT8, None)
        for source in sources
    )
    options = onnxruntime.SessionOptions()
    # Optimizations would fuse the quantized maps away.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        traced.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for feed in feeds:
        maps = session.run([source.name for source in sources], feed)
        yield [
            Tensor(
                source.name.removesuffix("_QuantizeLinear_Output"),
                values,
                "uint8",
                8,
                (source.scale,),
                (source.zero_point,),
            )
            for source, values in zip(sources, maps, strict=True)
        ]
