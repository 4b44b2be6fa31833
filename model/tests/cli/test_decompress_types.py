# SPDX-License-Identifier: Apache-2.0
"""Every type goes from a safetensors file into a container and back without losing a bit."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import deserialize

from model.tests.tensors.models import safetensors_file

TYPES = {"I8": 1, "U8": 1, "I16": 2, "U16": 2, "BF16": 2, "F16": 2, "F8_E4M3": 1, "F8_E5M2": 1}


@pytest.mark.parametrize("dtype", TYPES)
def test_a_safetensors_file_comes_back_bit_for_bit(tmp_path: Path, run, dtype: str) -> None:
    raw = np.random.default_rng(7).integers(0, 256, 6 * 50 * TYPES[dtype], np.uint8).tobytes()
    source = safetensors_file(tmp_path / "in.safetensors", {"a[0].w": (dtype, (6, 50), raw)})
    run("compress", source, "-o", tmp_path / "x.apack")
    run("decompress", tmp_path / "x.apack", "-o", tmp_path / "out.safetensors")
    ((name, member),) = deserialize((tmp_path / "out.safetensors").read_bytes())
    assert (name, member["dtype"], member["shape"]) == ("a[0].w", dtype, [6, 50])
    assert bytes(member["data"]) == raw
