"""Files that are not what their names say: what stands in for large files, and other kinds."""

from __future__ import annotations

from pathlib import Path

from model.apack.errors import ApackError

_HEAD_BYTES = 1024
_LFS_MARKS = (
    b"version https://git-lfs.github.com/spec/",
    b"version https://hawser.github.com/spec/",
)
_PAGE_MARKS = (b"<!doctype html", b"<html", b"<head", b"<?xml")
# Kinds that are told by their first bytes, and the ending of those that can be read.
_MAGIC = (
    (b"\x93NUMPY", "a NumPy array", "NumPy array"),
    (b"PK\x03\x04", "a ZIP archive", "NumPy archive"),
    (b"PK\x05\x06", "a ZIP archive", "NumPy archive"),
    (b"\x1f\x8b", "compressed by gzip: unpack it", ""),
    (b"BZh", "compressed by bzip2: unpack it", ""),
    (b"\xfd7zXZ\x00", "compressed by xz: unpack it", ""),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it", ""),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it", ""),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", ""),
    (b"GGUF", "a GGUF model", ""),
    (b"\x89APACK", "an APack container", ""),
)


def refuse_imposter(path: Path, kind: str) -> None:
    """Raise ApackError, naming the file's real kind, when its first bytes show it is no `kind`."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise ApackError("is empty: 0 bytes")
    _refuse_pointer(head)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:32].lower().startswith(_PAGE_MARKS):
        raise ApackError("this is a web page, not the file: was the download an error page?")
    real = _kind_of(head)
    if real and real[1] != kind:
        raise ApackError(f"this is {real[0]}, not a {kind}")


def refuse_pointer(path: Path) -> None:
    """Raise ApackError when a file only says where the data is, as Git's extensions leave it."""
    with path.open("rb") as file:
        _refuse_pointer(file.read(_HEAD_BYTES))


def _refuse_pointer(head: bytes) -> None:
    if head.startswith(_LFS_MARKS):
        raise ApackError("this is a Git LFS pointer, not the file: run git lfs pull")
    if head.lstrip(b"./\\").startswith((b"annex/objects/", b"git/annex/objects/")):
        raise ApackError("this is a git-annex pointer, not the file: run git annex get")


def _kind_of(head: bytes) -> tuple[str, str] | None:
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model", "TensorFlow Lite model"
    return next(((what, kind) for mark, what, kind in _MAGIC if head.startswith(mark)), None)
