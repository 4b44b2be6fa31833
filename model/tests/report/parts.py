# SPDX-License-Identifier: Apache-2.0
"""Small measured parts for the tests of the report: made-up values under the names of the zoo."""

from __future__ import annotations

import numpy as np

from model.report.measure import measure
from model.report.part import ACTIVATIONS, NARROW_WIDTHS, WEIGHTS, Part
from model.tensors import Tensor
from model.tensors.select import make_tensor
from model.zoo import MODELS, ZooModel


def bell(values: int, seed: int, peak: float = 4.0) -> np.ndarray:
    """Float32 values of a normal distribution whose largest magnitude is `peak` deviations."""
    drawn = np.clip(np.random.default_rng(seed).normal(size=values), -peak, peak)
    drawn[0] = peak
    return drawn.astype(np.float32)


def weights(model: ZooModel, value_w: int = 8) -> Part:
    tensors = [make_tensor(f"w<{n}>", bell(n, n).reshape(-1, 3), value_w) for n in (3, 1500, 6000)]
    return Part(model, WEIGHTS, value_w, tuple(map(measure, tensors)))


def activations(model: ZooModel) -> Part:
    sizes = []
    for seed in (1, 2):
        integers = np.clip(np.rint(bell(5000, seed) * 20) + 50, 50, 255).astype(np.uint8)
        sizes.append(measure(Tensor("map", integers, "uint8", 8, (0.1,), (50,))))
    return Part(model, ACTIVATIONS, 8, (sizes[0].over_input(sizes[1]),), inputs=2)


def some_parts() -> list[Part]:
    """Weights of every model of the zoo, activations of two, narrow weights of one."""
    return [
        *(weights(model) for model in MODELS),
        *(activations(model) for model in MODELS[:2]),
        *(weights(MODELS[0], value_w) for value_w in NARROW_WIDTHS),
    ]
