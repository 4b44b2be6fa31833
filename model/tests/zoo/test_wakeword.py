"""The microWakeWord files, without running the package that ships them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from model.apack import ApackError
from model.zoo import wakeword_paths
from model.zoo.package import package_file


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


def test_a_missing_package_or_file_is_named() -> None:
    with pytest.raises(ApackError, match="absent-package is not installed"):
        package_file("absent-package", "absent_package_module", "a.onnx")
    with pytest.raises(ApackError, match=r"numpy ships no a\.onnx"):
        package_file("numpy", "numpy", "a.onnx")
