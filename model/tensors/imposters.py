# SPDX-License-Identifier: Apache-2.0
"""Files that are not what their names say: what stands in for large files, and other kinds."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError

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
    """Raise InputError, naming the file's real kind, when its first bytes show it is no `kind`."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise InputError("is empty: 0 bytes")
    refuse_pointer(head)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:32].lower().startswith(_PAGE_MARKS):
        raise InputError("this is a web page, not the file: was the download an error page?")
    real = _kind_of(head)
    if real and real[1] != kind:
        raise InputError(f"this is {real[0]}, not a {kind}")


def refuse_pointer(head: bytes) -> None:
    """Raise InputError when a file, by its first 24 bytes or more, only says where its data is.

    Extensions of Git leave such files where data was not fetched.
    """
    if any(head.startswith(mark[: max(len(head), 24)]) for mark in _LFS_MARKS):
        raise InputError("this is a Git LFS pointer, not the file: run git lfs pull")
    if head.lstrip(b"./\\").startswith((b"annex/objects/", b"git/annex/objects/")):
        raise InputError("this is a git-annex pointer, not the file: run git annex get")


def _kind_of(head: bytes) -> tuple[str, str] | None:
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model", "TensorFlow Lite model"
    return next(((what, kind) for mark, what, kind in _MAGIC if head.startswith(mark)), None)
