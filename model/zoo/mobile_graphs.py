# SPDX-License-Identifier: Apache-2.0
"""ONNX graphs of the two networks that come as bare checkpoints, batch norms folded.

Architectures: Sandler et al., "MobileNetV2", CVPR 2018, table 2; EfficientNet-Lite0 after
tensorflow/tpu, efficientnet/lite (no squeeze-and-excitation, ReLU6, static padding).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper, numpy_helper

from . import packages
from .catalog import EFFICIENTNET_CHECKPOINT, MOBILENET_CHECKPOINT
from .torch_checkpoint import read_checkpoint

INPUT_SIDE = 224
_OPSET = 17
_IR_VERSION = 8

# Stride of the depthwise convolution of each inverted residual block.
_MOBILENET_STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
_LITE0_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)


@dataclass
class _Graph:
    """An ONNX graph under construction; every method appends nodes and returns an output name.

    weights: checkpoint, name -> array; epsilon: of its batch norms;
    same_upper: pad as TensorFlow does (more at the end) rather than evenly.
    """

    weights: dict[str, np.ndarray]
    epsilon: float
    same_upper: bool
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    channels: dict[str, int] = field(default_factory=dict)

    def node(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, array: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def convolution(self, x: str, conv: str, norm: str, stride: int = 1) -> str:
        """Convolution with the batch norm behind it folded in; depthwise by its weight's shape."""
        kernel = self.weights[f"{conv}.weight"]
        gain = self.weights[f"{norm}.weight"] / np.sqrt(
            self.weights[f"{norm}.running_var"] + self.epsilon
        )
        bias = self.weights[f"{norm}.bias"] - gain * self.weights[f"{norm}.running_mean"]
        names = [
            self.constant(f"{conv}.weight", kernel * gain[:, None, None, None]),
            self.constant(f"{conv}.bias", bias),
        ]
        side = kernel.shape[2]
        padding = {"auto_pad": "SAME_UPPER"} if self.same_upper else {"pads": [side // 2] * 4}
        depthwise = kernel.shape[1] == 1
        self.channels[f"{conv}.output"] = kernel.shape[0]
        return self.node(
            "Conv",
            [x, *names],
            f"{conv}.output",
            strides=[stride, stride],
            kernel_shape=[side, side],
            group=kernel.shape[0] if depthwise else 1,
            **padding,
        )

    def relu6(self, x: str) -> str:
        self.channels[f"{x}.relu6"] = self.channels[x]
        return self.node("Clip", [x, "zero", "six"], f"{x}.relu6")

    def residual(self, x: str, y: str, stride: int) -> str:
        """y, plus x when the block from x to y keeps the shape."""
        if stride != 1 or self.channels[x] != self.channels[y]:
            return y
        self.channels[f"{y}.sum"] = self.channels[y]
        return self.node("Add", [x, y], f"{y}.sum")

    def classifier(self, x: str, name: str) -> str:
        """Mean over the picture, then the fully connected layer."""
        mean = self.node("GlobalAveragePool", [x], "mean")
        flat = self.node("Flatten", [mean], "flat")
        weight = self.constant(f"{name}.weight", self.weights[f"{name}.weight"])
        bias = self.constant(f"{name}.bias", self.weights[f"{name}.bias"])
        return self.node("Gemm", [flat, weight, bias], "logits", transB=1)

    def model(self, name: str) -> onnx.ModelProto:
        """The finished model: "picture" (1, 3, 224, 224) to "logits" (1, 1000), float32."""
        self.constant("zero", np.array(0.0))
        self.constant("six", np.array(6.0))
        shape = [1, 3, INPUT_SIDE, INPUT_SIDE]
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("picture", onnx.TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [1, 1000])],
            self.initializers,
        )
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)


def mobilenet_v2() -> onnx.ModelProto:
    """MobileNetV2 with torchvision's ImageNet weights; raises InputError without the package."""
    checkpoint = read_checkpoint(packages.MOBILENET.file(MOBILENET_CHECKPOINT))
    graph = _Graph(checkpoint, epsilon=1e-5, same_upper=False)
    x = graph.relu6(graph.convolution("picture", "features.0.0", "features.0.1", 2))
    for index, stride in enumerate(_MOBILENET_STRIDES, start=1):
        x = _torchvision_block(graph, x, f"features.{index}.conv", stride)
    x = graph.relu6(graph.convolution(x, "features.18.0", "features.18.1"))
    graph.classifier(x, "classifier.1")
    return graph.model("MobileNetV2")


def _torchvision_block(graph: _Graph, x: str, name: str, stride: int) -> str:
    y, layer = x, 0
    if f"{name}.3.weight" in graph.weights:  # the first block alone does not expand
        y = graph.relu6(graph.convolution(y, f"{name}.0.0", f"{name}.0.1"))
        layer = 1
    y = graph.relu6(graph.convolution(y, f"{name}.{layer}.0", f"{name}.{layer}.1", stride))
    y = graph.convolution(y, f"{name}.{layer + 1}", f"{name}.{layer + 2}")
    return graph.residual(x, y, stride)


def efficientnet_lite0() -> onnx.ModelProto:
    """EfficientNet-Lite0 with ImageNet weights; raises InputError without the package."""
    checkpoint = read_checkpoint(packages.EFFICIENTNET.file(EFFICIENTNET_CHECKPOINT))
    graph = _Graph(checkpoint, epsilon=1e-3, same_upper=True)
    x = graph.relu6(graph.convolution("picture", "_conv_stem", "_bn0", 2))
    for index, stride in enumerate(_LITE0_STRIDES):
        x = _lite_block(graph, x, f"_blocks.{index}", stride)
    x = graph.relu6(graph.convolution(x, "_conv_head", "_bn1"))
    graph.classifier(x, "_fc")
    return graph.model("EfficientNet-Lite0")


def _lite_block(graph: _Graph, x: str, name: str, stride: int) -> str:
    y = x
    if f"{name}._expand_conv.weight" in graph.weights:
        y = graph.relu6(graph.convolution(y, f"{name}._expand_conv", f"{name}._bn0"))
    y = graph.relu6(graph.convolution(y, f"{name}._depthwise_conv", f"{name}._bn1", stride))
    y = graph.convolution(y, f"{name}._project_conv", f"{name}._bn2")
    return graph.residual(x, y, stride)
