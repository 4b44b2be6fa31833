# SPDX-License-Identifier: Apache-2.0
"""read_file and read_tensors: one entry for every file type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ..errors import InputError
from .contents import Contents, Found, LeftOut, one_line
from .imposters import refuse_imposter
from .naming import chosen
from .select import take
from .tensor import Tensor
from .types import FLOAT_WAYS, PATTERNS

Reader = Callable[[Path], list[Found]]

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


def read_file(
    path: str | Path,
    value_w: int | None = None,
    floats: str = PATTERNS,
    names: Sequence[str] = (),
) -> Contents:
    """The tensors of an array file, or the weights of a model, and what was left out of them.

    .npy and .npz: all arrays, whatever their shape. Models: the constants that `is_weight` accepts.
    value_w: bits of a value; None for those of each tensor's own type, and 8 for quantized floats.
    Integers of wider types are read when their values fit, narrower ones keep their own width.
    floats: "patterns" takes floats of up to 16 bits as their bit patterns, "int8" quantizes them
    like wider ones: per tensor, symmetric. names: names or wildcards as in `naming.chosen`, to
    read only these; what is not chosen is not left out. An exact name also chooses a constant that
    is no weight. Names are unique ("w", "w#2") and Unicode text.

    Whatever of a file is of the kind asked for and cannot be read is in `left_out`. Raises
    InputError, in one line, when that leaves no tensor, and for a value width outside 2..16, an
    extension that is not in EXTENSIONS, a missing or damaged file, one of another kind, and names
    that match nothing.
    """
    path = Path(path)
    if value_w is not None and not 2 <= value_w <= 16:
        raise InputError(f"value width {value_w} is not in 2..16")
    if floats not in FLOAT_WAYS:
        raise InputError(f"floats can be coded as {' or '.join(FLOAT_WAYS)}, not {floats!r}")
    try:
        found = _wanted(_found_in(path), names)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error.__cause__
    taken = [take(one, value_w, floats) for one in found]
    contents = Contents(
        [one for one in taken if isinstance(one, Tensor)],
        [one for one in taken if isinstance(one, LeftOut)],
    )
    contents.check(path)
    return contents


def read_tensors(
    path: str | Path, value_w: int | None = None, floats: str = PATTERNS
) -> list[Tensor]:
    """The tensors that `read_file` reads, without word of what it leaves out."""
    return read_file(path, value_w, floats).tensors


def _found_in(path: Path) -> list[Found]:
    """What the reader of this file type finds, under unique names."""
    if path.is_symlink() and not path.exists():
        target = path.readlink()
        annex = "; git annex get fetches it" if "annex" in target.parts else ""
        raise InputError(f"is a link to {target}, which is not there{annex}")
    if not path.exists():
        raise InputError("no such file")
    if path.is_dir():
        raise InputError("is a folder, not a file; name one of the files in it")
    if path.suffix.lower() not in _READERS:
        raise InputError(f"unknown file type; accepted are {', '.join(EXTENSIONS)}")
    if not path.is_file():
        raise InputError("not a file")
    kind, module, function = _READERS[path.suffix.lower()]
    try:
        refuse_imposter(path, kind)
        reader: Reader = getattr(_module(module), function)
        return _with_unique_names(reader(path))
    except (InputError, MemoryError):
        raise
    except PermissionError:
        raise InputError("permission denied") from None
    except Exception as error:
        # The parsers of five formats raise anything from struct.error to protobuf's DecodeError on
        # a damaged file; all of it means the same to the user.
        raise InputError(f"not a readable {kind} ({one_line(error)})") from error


def _module(name: str) -> ModuleType:
    """A reader's module; InputError when the package that parses its files is not installed."""
    try:
        return import_module(f".{name}", __package__)
    except ModuleNotFoundError as error:
        raise InputError(
            f"needs the package {error.name}, which is not installed: pip install {error.name}"
        ) from None


def _wanted(found: list[Found], names: Sequence[str]) -> list[Found]:
    candidates = [one for one in found if one.weight or one.name in names]
    if not names:
        return candidates
    places = chosen([one.name for one in candidates], names)
    return [
        replace(candidates[place], doubt="")
        if candidates[place].name in names
        else candidates[place]
        for place in places
    ]


def _with_unique_names(found: list[Found]) -> list[Found]:
    taken: set[str] = set()
    unique = []
    for one in found:
        plain = one.name.encode("utf-8", "backslashreplace").decode()
        name, copies = plain, 1
        while name in taken:
            copies += 1
            name = f"{plain}#{copies}"
        taken.add(name)
        unique.append(replace(one, name=name))
    return unique
