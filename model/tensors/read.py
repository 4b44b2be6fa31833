"""read_tensors: one entry for every file type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from model.apack import ApackError
from model.tensors.select import ACCEPTED
from model.tensors.tensor import Tensor

Reader = Callable[[Path, int], list[Tensor]]

# What it is, and the module and function that read it. A module is imported with the first file of
# its type: the parsers of all formats take as long to load as many a simulation takes to run.
_READERS: dict[str, tuple[str, str, str]] = {
    ".npy": ("NumPy array", "array_file", "read_npy"),
    ".npz": ("NumPy archive", "array_file", "read_npz"),
    ".tflite": ("TensorFlow Lite model", "tflite_file", "read_tflite"),
    ".onnx": ("ONNX model", "onnx_file", "read_onnx"),
    ".safetensors": ("safetensors file", "safetensors_file", "read_safetensors"),
}
EXTENSIONS = tuple(_READERS)


def read_tensors(path: str | Path, value_w: int = 8) -> list[Tensor]:
    """Every tensor of an array file, or every weight tensor of a model.

    .npy and .npz: all arrays, whatever their shape. Models: the constants that `is_weight` accepts.
    Integers come as shipped; floats are quantized per tensor, symmetric, to `value_w` bits, and
    the note of the tensor says so. Names are made unique ("w", "w#2").

    Raises ApackError, in one line, for a value width outside 2..16, an extension that is not in
    EXTENSIONS, a missing or corrupted file, a type that is not accepted, an empty tensor, values
    wider than value_w, and a model without weights.
    """
    path = Path(path)
    if not 2 <= value_w <= 16:
        raise ApackError(f"value width {value_w} is not in 2..16")
    if not path.exists():
        raise ApackError(f"{path}: no such file")
    if path.suffix.lower() not in _READERS:
        raise ApackError(f"{path}: unknown file type; accepted are {', '.join(EXTENSIONS)}")
    if not path.is_file():
        raise ApackError(f"{path}: not a file")
    kind, module, function = _READERS[path.suffix.lower()]
    reader = getattr(import_module(f"model.tensors.{module}"), function)
    tensors = _read_guarded(path, kind, reader, value_w)
    if not tensors:
        raise ApackError(
            f"{path}: no weight tensor found (constants of two or more dimensions; {ACCEPTED})"
        )
    return _with_unique_names(tensors)


def _read_guarded(path: Path, kind: str, reader: Reader, value_w: int) -> list[Tensor]:
    try:
        return reader(path, value_w)
    except ApackError as error:
        raise ApackError(f"{path}: {error}") from None
    except PermissionError:
        raise ApackError(f"{path}: permission denied") from None
    except Exception as error:
        # The parsers of five formats raise anything from struct.error to protobuf's DecodeError on
        # a damaged file; all of it means the same to the user.
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ApackError(f"{path}: not a readable {kind} ({reason})") from error


def _with_unique_names(tensors: list[Tensor]) -> list[Tensor]:
    taken: set[str] = set()
    unique = []
    for tensor in tensors:
        name, copies = tensor.name, 1
        while name in taken:
            copies += 1
            name = f"{tensor.name}#{copies}"
        taken.add(name)
        unique.append(replace(tensor, name=name))
    return unique
