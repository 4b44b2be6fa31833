# SPDX-License-Identifier: Apache-2.0
"""Whether an error or the failure of a tool comes from a full disk.

Standard library only.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

LEAST_FREE = 1 << 16  # bytes; with less, what tools write is cut off
FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no space left, or no quota."""
    return isinstance(error, OSError) and error.errno in FULL


def raise_if_full(folder: Path, output: str = "") -> None:
    """Raise the OSError of a full disk when a tool that wrote to `folder` failed for it."""
    says_so = any(os.strerror(number) in output for number in FULL)
    if says_so or shutil.disk_usage(folder).free < LEAST_FREE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
