# SPDX-License-Identifier: Apache-2.0
"""The zoo: which networks, where their weights are, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..tensors import QUANTIZE, Tensor, read_tensors
from ..tensors.select import is_weight, make_tensor
from . import packages
from .package import Package
from .torch_checkpoint import read_checkpoint
from .wakeword import wakeword_paths


@dataclass(frozen=True)
class ZooModel:
    """A network whose weights are in an installed package.

    as_shipped: the weights are integers in the file, so that there is one width for them, 8.
    """

    key: str
    title: str
    task: str
    package: Package
    as_shipped: bool
    read: Callable[[int], list[Tensor]]

    def weights(self, value_w: int = 8) -> list[Tensor]:
        """Its weight tensors; floats are quantized per tensor, symmetric, to `value_w` bits.

        Raises InputError when the package is missing, or when `value_w` is not 8 and the weights
        come as 8-bit integers.
        """
        if self.as_shipped and value_w != 8:
            raise InputError(f"the weights of {self.title} are shipped as 8-bit integers")
        return self.read(value_w)


def _model_file(package: Package, relative: str) -> Callable[[int], list[Tensor]]:
    return lambda value_w: read_tensors(package.file(relative), value_w, QUANTIZE)


def _checkpoint(package: Package, relative: str) -> Callable[[int], list[Tensor]]:
    return lambda value_w: _checkpoint_weights(package.file(relative), value_w)


def _checkpoint_weights(path: Path, value_w: int) -> list[Tensor]:
    arrays = read_checkpoint(path)
    return [
        make_tensor(name, array, value_w, QUANTIZE)
        for name, array in arrays.items()
        if is_weight(array.dtype.name, array.shape)
    ]


def _wakeword_weights(value_w: int) -> list[Tensor]:
    return [
        replace(tensor, name=f"{word}/{tensor.name}")
        for word, path in wakeword_paths()
        for tensor in read_tensors(path, value_w, QUANTIZE)
    ]


MOBILENET_CHECKPOINT = "weights/mobilenet_v2-b0353104.pth"
EFFICIENTNET_CHECKPOINT = "models/efficientnet-lite0-57934424.pth"
DETECTOR_ONNX = "models/PP-OCRv6_det_small.onnx"
SILERO_SAFETENSORS = "data/silero_vad_16k.safetensors"
CLASSIFIER_ONNX = "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx"
MINILM_ONNX = "model.onnx"

MODELS = (
    ZooModel(
        "mobilenet-v2",
        "MobileNetV2",
        "image classification",
        packages.MOBILENET,
        False,
        _checkpoint(packages.MOBILENET, MOBILENET_CHECKPOINT),
    ),
    ZooModel(
        "efficientnet-lite0",
        "EfficientNet-Lite0",
        "image classification",
        packages.EFFICIENTNET,
        False,
        _checkpoint(packages.EFFICIENTNET, EFFICIENTNET_CHECKPOINT),
    ),
    ZooModel(
        "ppocr-detector",
        "PP-OCR detector",
        "text detection in pictures",
        packages.RAPIDOCR,
        False,
        _model_file(packages.RAPIDOCR, DETECTOR_ONNX),
    ),
    ZooModel(
        "ppocr-classifier",
        "PP-OCR classifier",
        "text direction",
        packages.RAPIDOCR,
        False,
        _model_file(packages.RAPIDOCR, CLASSIFIER_ONNX),
    ),
    ZooModel(
        "silero-vad",
        "Silero VAD",
        "speech detection",
        packages.SILERO,
        False,
        _model_file(packages.SILERO, SILERO_SAFETENSORS),
    ),
    ZooModel(
        "minilm-l6",
        "MiniLM-L6",
        "sentence embedding",
        packages.MINILM,
        True,
        _model_file(packages.MINILM, MINILM_ONNX),
    ),
    ZooModel(
        "microwakeword",
        "microWakeWord",
        "wake words, four networks",
        packages.WAKEWORD,
        True,
        _wakeword_weights,
    ),
)


def zoo_model(key: str) -> ZooModel:
    """The model of that key; raises InputError that lists the keys."""
    for model in MODELS:
        if model.key == key:
            return model
    raise InputError(f"no model {key!r} in the zoo; there are {', '.join(m.key for m in MODELS)}")
