"""The .apack file: several tensors, each with its table, block index and streams.

docs/format.md is the definition of the format; this package reads and writes it.
"""

from model.apack.container.layout import VERSION
from model.apack.container.limits import MAX_BLOCK_VALUES, WORD_BYTES
from model.apack.container.reader import Container, StoredBlock
from model.apack.container.record import TensorRecord
from model.apack.container.writer import PackedTensor, pack, write_container

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
