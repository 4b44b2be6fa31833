# SPDX-License-Identifier: Apache-2.0
"""Outputs: files that appear whole or not at all, and the devices and pipes among them."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}
_MOST_LINKS = 40


def write_whole(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write the parts to a file, whole or not at all, or into whatever else `path` names.

    Symbolic links are followed: they stay, and the file they lead to is replaced, or made. A new
    file takes the place of the old one when it is complete, with its permissions. Devices, FIFOs
    and open files of this process (/dev/stdout, /dev/fd/3) are written into, and so is a file that
    has other names or is in a folder without write permission. Raises OSError that names `path`.
    """
    try:
        descriptor = descriptor_of(path)
        if descriptor is not None:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.writelines(parts)
            return
        target = Path(os.path.realpath(path))
        status = _status(target)
        if status is None or _is_replaceable(target, status):
            _replace(target, status, parts)
        else:
            with target.open("wb") as file:
                file.writelines(parts)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def descriptor_of(path: Path) -> int | None:
    """The number of the open file that a path such as /dev/stdout or /dev/fd/3 stands for."""
    for _ in range(_MOST_LINKS):
        if str(path) in _STANDARD:
            return _STANDARD[str(path)]
        folder = os.path.realpath(path.parent)
        if folder in (f"/proc/{os.getpid()}/fd", "/dev/fd") and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _status(target: Path) -> os.stat_result | None:
    try:
        return target.stat()
    except FileNotFoundError:
        return None


def _is_replaceable(target: Path, status: os.stat_result) -> bool:
    """Whether a new file can take the place of this one; PermissionError when it is read-only."""
    if not stat.S_ISREG(status.st_mode):
        return False
    # Putting a new file in place would need no permission to write the old one.
    with target.open("ab"):
        pass
    return status.st_nlink == 1 and os.access(target.parent, os.W_OK)


def _replace(
    target: Path, status: os.stat_result | None, parts: Iterable[bytes | memoryview]
) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
        if status is None:
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
        else:
            with suppress(PermissionError):
                os.chown(name, status.st_uid, status.st_gid)
            Path(name).chmod(stat.S_IMODE(status.st_mode))
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
