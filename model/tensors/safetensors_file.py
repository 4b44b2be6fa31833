"""safetensors files (https://huggingface.co/docs/safetensors), read lazily tensor by tensor."""

from __future__ import annotations

from pathlib import Path

from safetensors import safe_open

from model.tensors.select import is_weight, make_tensor
from model.tensors.tensor import Tensor

_DTYPES = {
    "I8": "int8",
    "U8": "uint8",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "F32": "float32",
}


def read_safetensors(path: Path, value_w: int) -> list[Tensor]:
    """The weight tensors of a safetensors file, in its order."""
    tensors = []
    with safe_open(path, framework="numpy") as file:
        for name in file.offset_keys():
            view = file.get_slice(name)
            dtype = _DTYPES.get(view.get_dtype(), "")
            if is_weight(dtype, tuple(view.get_shape())):
                tensors.append(make_tensor(name, file.get_tensor(name), value_w))
    return tensors
