# SPDX-License-Identifier: Apache-2.0
"""Measures the whole zoo: weights at 8 bits and below, and activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import reduce

from ..apack import SymbolTable
from ..apack.profile import profiled_table
from ..tensors import Tensor
from ..tensors.statistics import histogram
from ..zoo import MODELS, ZooModel
from ..zoo.activations import NETWORKS, Network, capture, layer_inputs, quantized
from .measure import SYMBOLS, TensorSize, measure
from .part import ACTIVATIONS, NARROW_WIDTHS, WEIGHTS, Part


@dataclass(frozen=True)
class Stage:
    """One part that is still to be measured."""

    title: str
    measure: Callable[[Executor], Part]


def stages() -> list[Stage]:
    """Everything the report measures, in its order."""
    shipped = [_weight_stage(model, 8) for model in MODELS]
    activations = [_activation_stage(network) for network in NETWORKS]
    narrow = [
        _weight_stage(model, value_w)
        for value_w in NARROW_WIDTHS
        for model in MODELS
        if not model.as_shipped
    ]
    return shipped + activations + narrow


def _weight_stage(model: ZooModel, value_w: int) -> Stage:
    return Stage(
        f"{model.title}, weights of {value_w} bits",
        lambda pool: weight_part(pool, model, value_w),
    )


def _activation_stage(network: Network) -> Stage:
    return Stage(f"{network.model.title}, activations", lambda pool: activation_part(pool, network))


def weight_part(pool: Executor, model: ZooModel, value_w: int) -> Part:
    """Measure every weight tensor of a network."""
    tensors = model.weights(value_w)
    return Part(model, WEIGHTS, value_w, tuple(pool.map(measure, tensors)))


def activation_part(pool: Executor, network: Network) -> Part:
    """Profile a network, then measure its feature maps on inputs it was not profiled on."""
    graph = quantized(network)
    sources = layer_inputs(graph)
    tables = profiled_tables(capture(graph, sources, network.profile()))
    runs = [
        tuple(pool.map(measure, maps, tables))
        for maps in capture(graph, sources, network.evaluation())
    ]
    tensors = tuple(reduce(TensorSize.over_input, sizes) for sizes in zip(*runs, strict=True))
    return Part(network.model, ACTIVATIONS, 8, tensors, len(runs))


def profiled_tables(runs: Iterator[list[Tensor]]) -> list[SymbolTable]:
    """One table per feature map, from its histogram over all profiling inputs."""
    histograms = [[histogram(m.values, 8) for m in maps] for maps in runs]
    return [profiled_table(list(inputs), 8, SYMBOLS) for inputs in zip(*histograms, strict=True)]
