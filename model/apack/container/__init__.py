# SPDX-License-Identifier: Apache-2.0
"""The .apack file: several tensors, each with its table, block index and streams.

docs/apack/format.md is the definition of the format; this package reads and writes it.
"""

from .layout import VERSION
from .limits import MAX_BLOCK_VALUES, WORD_BYTES
from .reader import Container, StoredBlock
from .record import TensorRecord
from .writer import PackedTensor, pack, write_container

__all__ = [
    "MAX_BLOCK_VALUES",
    "VERSION",
    "WORD_BYTES",
    "Container",
    "PackedTensor",
    "StoredBlock",
    "TensorRecord",
    "pack",
    "write_container",
]
