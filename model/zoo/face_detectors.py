# SPDX-License-Identifier: Apache-2.0
"""Google's BlazeFace face detectors at work on a photograph: their weights and feature maps.

The packaged models are float networks; weights are quantized per tensor to symmetric int8, feature
maps over their range to uint8.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..tensors import QUANTIZE, Tensor, read_tensors
from .inputs import centre_square
from .packages import FACE_DETECTION, MATPLOTLIB
from .tflite_run import LayerRun, run_layers

PORTRAIT = "mpl-data/sample_data/grace_hopper.jpg"
VALUE_W = 8


@dataclass(frozen=True)
class FaceDetector:
    """A detector; side: of its square input, in pixels."""

    file: str
    side: int

    @property
    def path(self) -> Path:
        """Its model; raises InputError when the package is not installed."""
        return FACE_DETECTION.file(f"data/{self.file}.tflite")

    def weights(self) -> list[Tensor]:
        """Its kernels as int8."""
        return read_tensors(self.path, floats=QUANTIZE)

    def run(self, picture: Image.Image) -> LayerRun:
        """What its layers read for the middle of a picture, and the scores of its anchors."""
        pixels = 2 * centre_square(picture, self.side) - 1
        return run_layers(self.path, pixels[None].astype(np.float32))


SHORT_RANGE = FaceDetector("face_detection_short_range", 128)
FULL_RANGE_PRUNED = FaceDetector("face_detection_full_range_sparse", 192)


def portrait() -> Image.Image:
    """Grace Hopper, a photograph of the US Navy that matplotlib ships."""
    return Image.open(MATPLOTLIB.file(PORTRAIT)).convert("RGB")


def map_tensors(run: LayerRun) -> list[Tensor]:
    """The feature maps of a run as uint8."""
    return [
        Tensor(
            name,
            integers,
            "float32",
            VALUE_W,
            (scale,),
            (zero_point,),
            note="float32 feature maps quantized per map over its range, uint8",
            stored="uint8",
        )
        for name, array in run.maps.items()
        for integers, scale, zero_point in [quantize_range(array)]
    ]


def quantize_range(array: np.ndarray) -> tuple[np.ndarray, float, int]:
    """(integers, scale, zero point): uint8 over the range of the array, which zero widens.

    Zero stays exact: array ~= scale * (integers - zero_point).
    """
    low, high = min(float(array.min()), 0.0), max(float(array.max()), 0.0)
    scale = (high - low) / 255 or 1.0
    zero_point = round(-low / scale)
    integers = np.clip(np.rint(array.astype(np.float64) / scale) + zero_point, 0, 255)
    return integers.astype(np.uint8), scale, zero_point
