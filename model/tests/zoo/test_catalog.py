# SPDX-License-Identifier: Apache-2.0
"""The microWakeWord files, without running the package that ships them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from model.apack import ApackError
from model.zoo import MODELS, wakeword_paths, zoo_model
from model.zoo.package import Package


def test_four_models_are_found() -> None:
    paths = wakeword_paths()
    assert [name for name, _ in paths] == ["alexa", "hey_jarvis", "hey_mycroft", "okay_nabu"]
    assert all(path.read_bytes()[4:8] == b"TFL3" for _, path in paths)


def test_the_package_is_not_imported() -> None:
    script = (
        "import sys; from model.zoo import wakeword_paths; wakeword_paths();"
        " sys.exit('pymicro_wakeword' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_their_weights_are_int8_as_shipped() -> None:
    tensors = zoo_model("microwakeword").weights()
    assert len(tensors) == 45 and sum(t.values.size for t in tensors) == 106686
    assert all(t.dtype == "int8" and t.note == "" for t in tensors)
    assert len({t.name for t in tensors}) == len(tensors)


def test_integers_as_shipped_have_one_width() -> None:
    with pytest.raises(ApackError, match="microWakeWord are shipped as 8-bit"):
        zoo_model("microwakeword").weights(4)


def test_an_unknown_model_gets_the_list() -> None:
    with pytest.raises(ApackError, match="no model 'vgg' in the zoo; there are mobilenet-v2, "):
        zoo_model("vgg")


def test_a_missing_package_or_file_is_named() -> None:
    absent = Package("absent-package", "absent_package_module", "MIT", "nobody")
    with pytest.raises(ApackError, match="absent-package is not installed"):
        absent.file("a.onnx")
    assert absent.version() == "not installed"
    with pytest.raises(ApackError, match=r"numpy ships no a\.onnx"):
        Package("numpy", "numpy", "BSD-3-Clause", "NumPy").file("a.onnx")


def test_every_model_names_its_licence_and_origin() -> None:
    assert all(model.package.licence and model.package.origin for model in MODELS)
    assert len({model.key for model in MODELS}) == len(MODELS)
