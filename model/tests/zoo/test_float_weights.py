# SPDX-License-Identifier: Apache-2.0
"""The float weights of the zoo, from files made here: the packages are installed on demand."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from safetensors.numpy import save_file

from model.apack import ApackError
from model.zoo import MODELS, float_weights


def test_they_are_those_of_the_models_that_are_not_shipped_as_integers():
    assert set(float_weights.FLOAT_MODELS) == {m.key for m in MODELS if not m.as_shipped}


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ApackError, match="no float weights of 'minilm-l6'; there are those of mob"):
        float_weights.float_weights("minilm-l6")


def test_only_float_matrices_are_taken_from_any_file(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    arrays = {
        "matrix": rng.normal(size=(3, 4)).astype(np.float32),
        "bias": rng.normal(size=(1, 4)).astype(np.float32),
        "vector": np.ones(4, np.float32),
        "integers": np.ones((3, 4), np.int8),
        "half": np.ones((3, 4), np.float16),
    }
    save_file(arrays, tmp_path / "m.safetensors")
    protos = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    constant = numpy_helper.from_array(arrays["matrix"] + 1)
    node = helper.make_node("Constant", [], ["constant"], value=constant)
    graph = helper.make_graph([node], "g", [], [], initializer=protos)
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")

    class Folder:
        file = staticmethod(tmp_path.joinpath)

    readers = {
        "st": float_weights._safetensors(Folder, "m.safetensors"),
        "onnx": float_weights._onnx(Folder, "m.onnx"),
    }
    monkeypatch.setattr(float_weights, "_READERS", readers)
    found = float_weights.float_weights("st")
    assert list(found) == ["matrix"]
    np.testing.assert_array_equal(found["matrix"], arrays["matrix"])
    found = float_weights.float_weights("onnx")
    assert list(found) == ["matrix", "constant"]
    np.testing.assert_array_equal(found["constant"], arrays["matrix"] + 1)
