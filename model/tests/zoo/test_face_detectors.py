# SPDX-License-Identifier: Apache-2.0
"""The face detectors run, and what is taken of a run is what their layers read."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from model.apack import ApackError
from model.tensors import quantize_symmetric
from model.zoo.face_detectors import (
    FULL_RANGE_PRUNED,
    SHORT_RANGE,
    map_tensors,
    portrait,
    quantize_range,
)
from model.zoo.tflite_run import LayerRun, run_layers

DETECTORS = (SHORT_RANGE, FULL_RANGE_PRUNED)


def face_score(run: LayerRun) -> float:
    """Probability of the most likely face."""
    logits = next(array for array in run.outputs.values() if array.shape[-1] == 1)
    return 1 / (1 + np.exp(-logits.max()))


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_face_is_found_where_there_is_one(detector) -> None:
    assert face_score(detector.run(portrait())) > 0.75
    assert face_score(detector.run(Image.new("RGB", (64, 64), "grey"))) < 0.25


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_kernels_that_layers_read_are_the_weights_of_the_file(detector) -> None:
    """The interpreter expands float16 and sparse kernels; so does the reader."""
    found = detector.run(portrait()).weights
    expected = detector.weights()
    assert len(found) == len(expected)
    values = {tensor.values.tobytes() for tensor in expected}
    for name, array in found.items():
        integers, _ = quantize_symmetric(array)
        assert integers.tobytes() in values, name


def test_a_map_times_its_kernel_is_what_comes_out() -> None:
    """Of the layer of 1 x 1 convolutions that scores the anchors of the finer grid."""
    run = SHORT_RANGE.run(portrait())
    scores = run.outputs["classificators"].reshape(-1)[: 16 * 16 * 2].reshape(256, 2)
    kernel = run.weights["classificator_8/Kernel_dequantize"].reshape(2, 88)
    products = run.maps["activation_11"].reshape(256, 88) @ kernel.T
    bias = scores - products
    np.testing.assert_allclose(bias, np.broadcast_to(bias[0], bias.shape), atol=1e-4)


def test_maps_come_once_and_without_their_padding() -> None:
    tensors = map_tensors(SHORT_RANGE.run(portrait()))
    assert len({tensor.name for tensor in tensors}) == len(tensors) == 34
    assert tensors[0].values.shape == (1, 128, 128, 3)
    assert all(tensor.values.dtype == np.uint8 for tensor in tensors)
    after_relu = [tensor for tensor in tensors if tensor.name.startswith("activation")]
    assert {tensor.zero_point for tensor in after_relu} == {(0,)}
    assert np.mean([np.mean(tensor.values == 0) for tensor in after_relu]) > 0.2


@pytest.mark.parametrize("low, high", [(0, 3.5), (-1.25, 7), (2, 5), (-9, -4), (0, 0)])
def test_quantized_maps_are_off_by_half_a_step_at_most(low, high) -> None:
    array = np.linspace(low, high, 77, dtype=np.float32)
    integers, scale, zero_point = quantize_range(array)
    assert np.abs(scale * (integers.astype(int) - zero_point) - array).max() <= 0.501 * scale
    assert 0 <= zero_point <= 255
    assert quantize_range(np.append(array, np.float32(0)))[0][-1] == zero_point


def test_an_input_of_another_size_is_refused() -> None:
    with pytest.raises(ApackError, match="takes no input of 192 bytes"):
        run_layers(SHORT_RANGE.path, np.zeros((1, 4, 4, 3), np.float32))
