# SPDX-License-Identifier: Apache-2.0
"""Where an ONNX model keeps constants, and which constant a name stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    SparseTensorProto,
    TensorProto,
)

# Operators that hand on the values they get, in another type, shape or order.
MOVES = {"Identity", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"}
_LONGEST_WAY = 64


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor inside a model; two are the same only if they are one object of the file."""

    name: str
    proto: TensorProto | SparseTensorProto

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.proto.dims)

    @property
    def values(self) -> TensorProto:
        """The tensor with the values, which is a part of a sparse one."""
        return self.proto.values if isinstance(self.proto, SparseTensorProto) else self.proto


@dataclass
class Scope:
    """The nodes of a graph or function, and the constants their names stand for.

    own: the constants that this scope brings into the model. bound: those that a function's inputs
    stand for at one call of it.
    """

    nodes: Sequence[NodeProto]
    own: list[Constant]
    bound: Mapping[str, Constant] = field(default_factory=dict)
    parent: Scope | None = None

    def __post_init__(self) -> None:
        self._named = {constant.name: constant for constant in self.own} | dict(self.bound)
        self._producers = {output: node for node in self.nodes for output in node.output}

    def constant(self, name: str) -> Constant | None:
        """The constant of that name here or in an enclosing graph."""
        found = self._named.get(name)
        return found or (self.parent.constant(name) if self.parent else None)

    def source(self, name: str) -> tuple[Constant | None, list[NodeProto]]:
        """The constant whose values arrive under a name, and the nodes on their way, last first."""
        way: list[NodeProto] = []
        while len(way) < _LONGEST_WAY:
            constant, node = self.constant(name), self._producer(name)
            if constant or node is None or node.op_type not in MOVES or not node.input:
                return constant, way
            name = node.input[0]
            way.append(node)
        return None, way

    def _producer(self, name: str) -> NodeProto | None:
        node = self._producers.get(name)
        return node or (self.parent._producer(name) if self.parent else None)


def scopes(model: ModelProto) -> list[Scope]:
    """All graphs and functions of a model; a function comes once for each way it is called."""
    return list(_Walk(model).scopes())


class _Walk:
    def __init__(self, model: ModelProto) -> None:
        self._model = model
        self._functions = {
            (function.domain, function.name): (function, _constants_of_function(function))
            for function in model.functions
        }
        self._calls: set[tuple] = set()
        self._called: set[tuple[str, str]] = set()

    def scopes(self) -> Iterator[Scope]:
        main = Scope(self._model.graph.node, _constants_of_graph(self._model.graph))
        yield from self._with_inner(main)
        for training in self._model.training_info:
            for graph in (training.initialization, training.algorithm):
                yield from self._graph(graph, main)
        for key, (function, constants) in self._functions.items():
            if key not in self._called:
                yield from self._with_inner(Scope(function.node, constants))

    def _graph(self, graph: GraphProto, parent: Scope) -> Iterator[Scope]:
        yield from self._with_inner(Scope(graph.node, _constants_of_graph(graph), parent=parent))

    def _with_inner(self, scope: Scope) -> Iterator[Scope]:
        yield scope
        for node in scope.nodes:
            for attribute in node.attribute:
                for graph in _graphs(attribute):
                    yield from self._graph(graph, scope)
            if (node.domain, node.op_type) in self._functions:
                yield from self._call(node, scope)

    def _call(self, node: NodeProto, scope: Scope) -> Iterator[Scope]:
        key = node.domain, node.op_type
        function, constants = self._functions[key]
        arguments = zip(function.input, node.input, strict=False)  # the last ones are optional
        bound = {formal: scope.source(actual)[0] for formal, actual in arguments}
        bound = {formal: constant for formal, constant in bound.items() if constant}
        call = (key, *sorted((formal, id(constant)) for formal, constant in bound.items()))
        if call not in self._calls:
            self._calls.add(call)
            self._called.add(key)
            yield from self._with_inner(Scope(function.node, constants, bound))


def _graphs(attribute: AttributeProto) -> list[GraphProto]:
    return [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def _constants_of_graph(graph: GraphProto) -> list[Constant]:
    constants = [Constant(proto.name, proto) for proto in graph.initializer]
    constants += [Constant(proto.values.name, proto) for proto in graph.sparse_initializer]
    return constants + _constants_of_nodes(graph.node)


def _constants_of_function(function: FunctionProto) -> list[Constant]:
    defaults = [
        Constant(f"{function.name}.{attribute.name}", proto)
        for attribute in function.attribute_proto
        for proto in _tensors(attribute)
    ]
    return defaults + _constants_of_nodes(function.node)


def _constants_of_nodes(nodes: Sequence[NodeProto]) -> list[Constant]:
    """Tensors among the attributes: those of a Constant node under the name of its output."""
    constants = []
    for node in nodes:
        output = next(iter(node.output), "")
        for attribute in node.attribute:
            for proto in _tensors(attribute):
                inside = f"{node.name or output or node.op_type}.{attribute.name}"
                constants.append(Constant(output if node.op_type == "Constant" else inside, proto))
    return constants


def _tensors(attribute: AttributeProto) -> list[TensorProto | SparseTensorProto]:
    return [
        *([attribute.t] if attribute.HasField("t") else []),
        *attribute.tensors,
        *([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []),
        *attribute.sparse_tensors,
    ]
