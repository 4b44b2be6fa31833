# SPDX-License-Identifier: Apache-2.0
"""The .apack file: several tensors, each with its symbol table, tile table and blocks.

docs/apack/format.md is the definition of the format; this package reads and writes it.
"""

from .layout import VERSION
from .reader import Container, StoredBlock, blocks_of
from .record import TensorRecord
from .writer import PackedTensor, pack, write_container

__all__ = [
    "VERSION",
    "Container",
    "PackedTensor",
    "StoredBlock",
    "TensorRecord",
    "blocks_of",
    "pack",
    "write_container",
]
