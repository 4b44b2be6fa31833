# SPDX-License-Identifier: Apache-2.0
"""Scales, zero points and axes are right, or said to be lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tflite
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import NodeProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from model.tensors import Tensor, read_file
from model.tensors.quantization import stated
from model.tests.tensors.models import WEIGHTS, Constant, node, onnx_file, tflite_file

S16 = np.arange(1, 17, dtype=np.float32) / 8
Z16 = np.arange(-8, 8, dtype=np.int8)
ONE = np.float32(0.5)
ZERO = np.int8(3)


def dequantized(tensor: Tensor) -> np.ndarray:
    """The real values a tensor stands for, by what `Tensor` says of its fields."""
    shape = [1] * tensor.values.ndim
    if tensor.axis is not None:
        shape[tensor.axis] = -1
    zero = np.array(tensor.zero_point).reshape(shape)
    return np.array(tensor.scale).reshape(shape) * (tensor.integers().astype(int) - zero)


def by_name(path: Path) -> dict[str, Tensor]:
    contents = read_file(path)
    assert not contents.left_out
    return {tensor.name: tensor for tensor in contents.tensors}


@settings(max_examples=60, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture
])  # fmt: skip
@given(data=st.data())
def test_dequantized_like_onnx_itself(tmp_path: Path, data: st.DataObject) -> None:
    """Any rank, axis and sign of it, with transpositions before, as the evaluator of onnx runs it.

    What cannot be kept must be said.
    """
    rank = data.draw(st.integers(2, 4))
    shape = tuple(data.draw(st.lists(st.integers(2, 4), min_size=rank, max_size=rank)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    weights = rng.integers(-128, 128, shape).astype(np.int8)
    moves, name, shape_now = [], "w", shape
    for step in range(data.draw(st.integers(0, 2))):
        order = data.draw(st.permutations(range(rank)))
        moves.append(node("Transpose", name, output=f"t{step}", perm=order))
        name, shape_now = f"t{step}", tuple(shape_now[place] for place in order)
    axis = data.draw(st.integers(-rank, rank - 1))
    kind = data.draw(st.sampled_from(["tensor", "axis", "blocks"]))
    along = shape_now[axis]
    if kind == "blocks":
        block = data.draw(st.sampled_from([b for b in range(1, along + 1) if along % b == 0]))
        size = list(shape_now)
        size[axis] = along // block
        attributes = {"axis": axis, "block_size": block}
    else:
        size = [along] if kind == "axis" else []
        attributes = {"axis": axis}
    constants = {
        "w": weights,
        "s": rng.uniform(0.1, 1, size).astype(np.float32),
        "z": rng.integers(-9, 9, size).astype(np.int8),
    }
    last = node("DequantizeLinear", name, "s", "z", **attributes)
    path = onnx_file(tmp_path / "m.onnx", constants, [*moves, last])
    (tensor,) = by_name(path).values()
    if kind == "blocks" and not tensor.scale:
        assert tensor.note.startswith("scales lost: ")
        return
    graph = helper.make_graph(
        [*moves, last], "g", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [*(onnx_tensor(name, array) for name, array in constants.items())],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    (expected,) = ReferenceEvaluator(model).run(None, {})
    found = dequantized(tensor)
    for move in moves:
        found = found.transpose(list(move.attribute[0].ints))
    assert np.allclose(found, expected) and tensor.note == ""


def onnx_tensor(name: str, array: np.ndarray) -> TensorProto:
    return helper.make_tensor(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.ravel()
    )


@pytest.mark.parametrize(
    ("orders", "axis", "expected"),
    [([[2, 0, 1]], 0, 2), ([[2, 0, 1]], -1, 1), ([[]], 0, 2), ([[1, 2, 0], [0, 2, 1]], 1, 0)],
)
def test_an_axis_is_followed_back_through_transpositions(
    tmp_path: Path, orders: list[list[int]], axis: int, expected: int
) -> None:
    steps, name = [], "w"
    for step, order in enumerate(orders):
        attributes = {"perm": order} if order else {}
        steps.append(node("Transpose", name, output=f"t{step}", **attributes))
        name = f"t{step}"
    steps.append(node("DequantizeLinear", name, "s", axis=axis))
    constants = {"w": WEIGHTS[:8].reshape(2, 8, 8)[:, :, :4], "s": S16[: (2, 8, 4)[expected]]}
    (tensor,) = by_name(onnx_file(tmp_path / "m.onnx", constants, steps)).values()
    assert (tensor.axis, tensor.note) == (expected, "")


PER_AXIS = {"s": S16, "z": Z16}
WHOLE = {"s": ONE, "z": ZERO}


@pytest.mark.parametrize(
    ("operator", "inputs", "domain", "attributes", "axis"),
    [
        ("DequantizeLinear", "w s z", "", {"axis": 0}, 0),
        ("DequantizeLinear", "w s z", "", {}, 1),
        ("DequantizeLinear", "w s z", "com.microsoft", {"axis": -1}, 1),
        ("QLinearConv", "x a b w s z a b", "", {}, 0),
        ("QLinearMatMul", "x a b w s z a b", "", {}, 1),
        ("QLinearMatMul", "w s z x a b a b", "", {}, 0),
        ("QGemm", "x a b w s z", "com.microsoft", {}, 1),
        ("QGemm", "x a b w s z", "com.microsoft", {"transB": 1}, 0),
        ("MatMulIntegerToFloat", "x w a s b z", "com.microsoft", {}, 1),
        ("DynamicQuantizeMatMul", "x w s z", "com.microsoft", {}, 1),
        ("QAttention", "x w bias a s mask b z", "com.microsoft", {}, 1),
    ],
)
def test_operators_with_scales_along_an_axis(
    tmp_path: Path, operator: str, inputs: str, domain: str, attributes: dict, axis: int
) -> None:
    constants = {"w": WEIGHTS, "a": ONE, "b": ZERO} | PER_AXIS
    step = node(operator, *inputs.split(), domain=domain, **attributes)
    (tensor,) = by_name(onnx_file(tmp_path / "m.onnx", constants, [step])).values()
    assert (tensor.scale, tensor.zero_point, tensor.axis, tensor.note) == (
        tuple(S16.tolist()), tuple(Z16.tolist()), axis, "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "inputs"),
    [
        ("QLinearAdd", "w s z x a b a b"),
        ("QLinearAdd", "x a b w s z a b"),
        ("QLinearMul", "x a b w s z a b"),
        ("QLinearSigmoid", "w s z a b"),
        ("QLinearLeakyRelu", "w s z a b"),
        ("QLinearGlobalAveragePool", "w s z a b"),
        ("QLinearConcat", "a b x a b w s z"),
        ("QLinearConcat", "a b w s z x a b"),
        ("QLinearWhere", "c w s z x a b a b"),
        ("QLinearWhere", "c x a b w s z a b"),
        ("QEmbedLayerNormalization", "i j w x x x x m s a a a a z b b b b"),
        ("QEmbedLayerNormalization", "i j x w x x x m a s a a a b z b b b"),
        ("DynamicQuantizeLSTM", "x w r b l h c p s z a b"),
        ("DynamicQuantizeLSTM", "x r w b l h c p a b s z"),
    ],
)
def test_operators_with_one_scale(tmp_path: Path, operator: str, inputs: str) -> None:
    constants = {"w": WEIGHTS, "a": np.float32(7), "b": np.int8(1)} | WHOLE
    step = node(operator, *inputs.split(), domain="com.microsoft")
    (tensor,) = by_name(onnx_file(tmp_path / "m.onnx", constants, [step])).values()
    assert (tensor.scale, tensor.zero_point, tensor.axis) == ((0.5,), (3,), None)
    assert tensor.note == ""


@pytest.mark.parametrize("operator", ["MatMulInteger", "ConvInteger"])
def test_integer_operators_have_a_zero_point_alone(tmp_path: Path, operator: str) -> None:
    path = onnx_file(
        tmp_path / "m.onnx", {"w": WEIGHTS, "z": ZERO}, [node(operator, "x", "w", "", "z")]
    )
    (tensor,) = by_name(path).values()
    assert (tensor.scale, tensor.zero_point) == ((), (3,))
    assert tensor.note == f"scales lost: {operator} leaves them to later operators"
    onnx_file(path, {"w": WEIGHTS, "z": Z16}, [node(operator, "x", "w", "", "z")])
    (tensor,) = by_name(path).values()
    assert (tensor.scale, tensor.zero_point) == ((), ())
    assert tensor.note.startswith("scales lost: ")
    assert "; zero points lost: 16 of them have no place without scales" in tensor.note


BLOCKS = np.ones((2, 16), np.float32)


@pytest.mark.parametrize(
    ("constants", "steps", "lost"),
    [
        ({"s": BLOCKS, "z": np.ones((2, 16), np.int8)},
         [node("DequantizeLinear", "w", "s", "z", axis=0, block_size=8)],
         "blocked, 2x16 scales for 16x16 values"),
        ({"s": BLOCKS}, [node("DequantizeLinear", "w", "s", axis=0, block_size=8,
                              domain="com.microsoft")], "blocked, 2x16 scales"),
        ({"s": BLOCKS, "z": np.ones((16, 4), np.uint8)},
         [node("MatMulNBits", "x", "w", "s", "z", domain="com.microsoft", bits=8, block_size=32)],
         "blocked, one for each 32 values"),
        ({"s": BLOCKS}, [node("GatherBlockQuantized", "w", "i", "s", domain="com.microsoft",
                              block_size=16)], "blocked, one for each 16 values"),
        ({"s": BLOCKS}, [node("MatMulBnb4", "x", "w", "s", domain="com.microsoft")], "blocked"),
        ({"s": S16, "t": ONE}, [node("DequantizeLinear", "w", "s", axis=0),
                                node("DequantizeLinear", "w", "t", output="z")],
         "given in 2 different ways"),
        ({"s": S16}, [node("DequantizeLinear", "w", "s", axis=0),
                      node("DequantizeLinear", "w", "s", axis=1, output="z")],
         "given in 2 different ways"),
        ({"s": S16}, [node("DequantizeLinear", "w", "s", axis=2)], "axis 2 of 2 dimensions"),
        ({"s": S16}, [node("DequantizeLinear", "w", "s", axis=-3)], "axis -3 of 2 dimensions"),
        ({"s": S16[:3]}, [node("DequantizeLinear", "w", "s", axis=0)],
         "3 of them for 16 along dimension 0"),
        ({"s": S16, "z": Z16[:3]}, [node("DequantizeLinear", "w", "s", "z", axis=0)],
         "3 zero points for 16 scales"),
        ({"s": S16}, [node("Reshape", "w", "shape", output="r"),
                      node("DequantizeLinear", "r", "s", axis=0)],
         "their axis is that after Reshape"),
        ({}, [node("DequantizeLinear", "w", "s")], "they are computed when the model runs"),
        ({"s": S16}, [node("DequantizeLinear", "w", "s", "z", axis=0)],
         "their zero points are computed when the model runs"),
        ({"s": S16}, [node("Reshape", "s", "shape", output="r"),
                      node("DequantizeLinear", "w", "r", axis=0)],
         "they are computed when the model runs"),
        ({"s": ONE, "z": np.float32(0.5)}, [node("DequantizeLinear", "w", "s", "z")],
         "zero points that are no whole numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_said_to_be_lost(
    tmp_path: Path, constants: dict[str, np.ndarray], steps: list[NodeProto], lost: str
) -> None:
    path = onnx_file(tmp_path / "m.onnx", {"w": WEIGHTS} | constants, steps)
    (tensor,) = by_name(path).values()
    assert (tensor.scale, tensor.zero_point, tensor.axis) == ((), (), None)
    assert tensor.note.startswith(f"scales lost: {lost}")


@pytest.mark.parametrize(
    "steps",
    [
        [node("DequantizeLinear", "w", "s"), node("DequantizeLinear", "w", "s", output="z")],
        [node("Identity", "w", output="i"), node("DequantizeLinear", "i", "s")],
        [node("Cast", "w", output="i", to=TensorProto.INT32), node("DequantizeLinear", "i", "s")],
        [node("Identity", "s", output="i"), node("DequantizeLinear", "w", "i")],
        [node("Reshape", "w", "shape", output="i"), node("DequantizeLinear", "i", "s")],
    ],
)
def test_one_scale_holds_whatever_the_way_of_the_values(
    tmp_path: Path, steps: list[NodeProto]
) -> None:
    path = onnx_file(tmp_path / "m.onnx", {"w": WEIGHTS, "s": ONE}, steps)
    (tensor,) = by_name(path).values()
    assert (tensor.scale, tensor.zero_point, tensor.note) == ((0.5,), (0,), "")


def test_scales_of_the_caller_inside_functions_and_branches(tmp_path: Path) -> None:
    dequantize = node("DequantizeLinear", "a", "b", axis=0)
    function = helper.make_function("own", "Load", ["a", "b"], ["y"], [dequantize], [])
    inner = node("DequantizeLinear", "v", "t", axis=-1)
    branch = helper.make_graph([inner], "b", [], [])
    steps = [
        node("Load", "w", "s", domain="own"),
        node("Load", "u", "t", domain="own"),
        node("If", "condition", then_branch=branch, else_branch=branch),
    ]
    constants = {"w": WEIGHTS, "u": WEIGHTS, "v": WEIGHTS, "s": S16, "t": S16 * 2}
    tensors = by_name(onnx_file(tmp_path / "m.onnx", constants, steps, functions=[function]))
    assert tensors.keys() == {"w", "u", "v"}
    assert [tensors[name].axis for name in "wuv"] == [0, 0, 1]
    assert tensors["w"].scale == tuple(S16.tolist())
    assert tensors["u"].scale == tensors["v"].scale == tuple((S16 * 2).tolist())
    assert not any(tensor.note for tensor in tensors.values())


def test_names_of_branches_stand_for_their_own_constants(tmp_path: Path) -> None:
    def branch(name: str, scale: float) -> object:
        constants = [onnx_tensor("w", WEIGHTS), onnx_tensor("s", np.full(1, scale, np.float32))]
        return helper.make_graph([node("DequantizeLinear", "w", "s")], name, [], [], constants)

    step = node("If", "c", then_branch=branch("then", 0.5), else_branch=branch("else", 2.0))
    tensors = by_name(onnx_file(tmp_path / "m.onnx", {}, [step]))
    assert {name: tensor.scale for name, tensor in tensors.items()} == {"w": (2.0,), "w#2": (0.5,)}


def test_a_function_that_calls_itself_ends(tmp_path: Path) -> None:
    again = helper.make_function("own", "F", ["a"], ["y"], [node("F", "a", domain="own")], [])
    path = onnx_file(
        tmp_path / "m.onnx", {"w": WEIGHTS}, [node("F", "w", domain="own")], functions=[again]
    )
    assert by_name(path).keys() == {"w"}


def test_a_constant_is_a_weight_when_it_is_not_only_a_scale(tmp_path: Path) -> None:
    steps = [node("DequantizeLinear", "w", "s", axis=0, block_size=8), node("MatMul", "x", "s")]
    constants = {"w": WEIGHTS, "s": np.ones((2, 16), np.float32)}
    assert by_name(onnx_file(tmp_path / "m.onnx", constants, steps)).keys() == {"w", "s"}


def test_scales_of_float_patterns_are_lost(tmp_path: Path) -> None:
    raw = TensorProto(name="w", data_type=TensorProto.FLOAT8E4M3FN, dims=(2, 2), raw_data=b"abcd")
    path = onnx_file(
        tmp_path / "m.onnx", [raw, onnx_tensor("s", np.full(1, 2.0, np.float32))],
        [node("DequantizeLinear", "w", "s")],
    )  # fmt: skip
    (tensor,) = by_name(path).values()
    assert tensor.scale == () and tensor.is_patterns
    assert tensor.note == "scales lost: they scale floats"


def quantized_tflite(folder: Path, **quantization: object) -> Tensor:
    constants = [Constant("w", WEIGHTS.tobytes(), (16, 16), **quantization)]
    (tensor,) = by_name(tflite_file(folder / "m.tflite", constants)).values()
    return tensor


def test_tflite_scales_along_a_dimension(tmp_path: Path) -> None:
    tensor = quantized_tflite(tmp_path, scale=S16, zero_point=Z16, dimension=1)
    assert (tensor.scale, tensor.zero_point) == (tuple(S16.tolist()), tuple(Z16.tolist()))
    assert (tensor.axis, tensor.note) == (1, "")
    assert quantized_tflite(tmp_path, scale=S16, zero_point=[5]).zero_point == (5,) * 16
    assert quantized_tflite(tmp_path, scale=S16).zero_point == (0,) * 16
    assert quantized_tflite(tmp_path).scale == ()


@pytest.mark.parametrize(
    ("quantization", "lost"),
    [
        ({"scale": [1], "zero_point": [1 << 31]}, "zero point 2147483648 has more than 32 bits"),
        ({"scale": [1], "zero_point": [-(1 << 40)]}, "zero point -1099511627776 has more than"),
        ({"scale": S16, "zero_point": [1, 2]}, "2 zero points for 16 scales"),
        ({"scale": S16[:4]}, "4 of them for 16 along dimension 0"),
        ({"scale": S16, "dimension": 2}, "axis 2 of 2 dimensions"),
        ({"scale": [1], "details": tflite.QuantizationDetails.CustomQuantization}, "blocked or"),
        ({"details": 2}, "blocked or of a kind of its own"),
    ],
)
def test_tflite_parameters_that_are_lost(tmp_path: Path, quantization: dict, lost: str) -> None:
    tensor = quantized_tflite(tmp_path, **quantization)
    assert (tensor.scale, tensor.zero_point, tensor.axis) == ((), (), None)
    assert tensor.note.startswith(f"scales lost: {lost}")


def test_tensors_that_share_values_but_not_scales(tmp_path: Path) -> None:
    def shared(scale: list[float]) -> Tensor:
        constants = [
            Constant("w", WEIGHTS.tobytes(), (16, 16), scale=[0.5], zero_point=[0]),
            Constant("v", b"", (16, 16), shares="w", scale=scale, zero_point=[0] * len(scale)),
        ]
        return by_name(tflite_file(tmp_path / "m.tflite", constants))["w"]

    assert shared([0.5]).scale == shared([]).scale == (0.5,)
    assert shared([0.25]).note == "scales lost: given in 2 different ways"


SIGNALING = np.array([0x7F800001], np.uint32).view(np.float32)[0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf, SIGNALING])
def test_scales_that_scale_nothing_are_kept_and_said(scale: float) -> None:
    quantization = stated((2, 3), np.array([scale, 1.0], np.float32), [], 0)
    assert np.array_equal(np.array(quantization.scale), [float(scale), 1.0], equal_nan=True)
    assert quantization.note == "1 scale not above zero or no number"


@pytest.mark.parametrize(("sizes", "axis"), [((1, 16), 1), ((16, 1), 0), ((1, 1), None)])
def test_scales_of_full_rank_that_run_along_one_dimension(sizes: tuple, axis: int | None) -> None:
    quantization = stated((16, 16), np.ones(sizes), [], 0, 16)
    assert (quantization.axis, quantization.note) == (axis, "")
