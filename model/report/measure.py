# SPDX-License-Identifier: Apache-2.0
"""Size of one tensor under APack and under every other codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..apack import SymbolTable, solve
from ..apack.blocks import HEADER_BYTES
from ..apack.container import TensorRecord, blocks_of, pack
from ..apack.container.fields import FieldWriter
from ..apack.container.layout import write_record
from ..apack.fast import encode_blocks
from ..codecs import APACK, CODECS, Codec
from ..tensors import Tensor, signed_values
from ..tensors.statistics import entropy_bits, histogram

SYMBOLS = 16


@dataclass(frozen=True)
class ApackSize:
    """What APack needs for one tensor in a container (docs/apack/format.md), in bits.

    coded: the pieces of all blocks, raw ones included;
    stored: the same in whole memory words;
    metadata: symbol table, other parameters of the decoder, headers of blocks and tile table, but
    not name, scales and zero points, which uncompressed values need too;
    raw_blocks: how many of `blocks` are stored raw;
    largest_block_excess: by how much a block exceeds its values in whole words at most; 0 or less.
    """

    coded: int
    stored: int
    metadata: int
    blocks: int
    raw_blocks: int
    largest_block_excess: int

    @property
    def total(self) -> int:
        """All bits that go to memory."""
        return self.stored + self.metadata

    def __add__(self, other: ApackSize) -> ApackSize:
        return ApackSize(
            self.coded + other.coded,
            self.stored + other.stored,
            self.metadata + other.metadata,
            self.blocks + other.blocks,
            self.raw_blocks + other.raw_blocks,
            max(self.largest_block_excess, other.largest_block_excess),
        )


@dataclass(frozen=True)
class TensorSize:
    """One tensor (or one feature map over several inputs) under every codec.

    signed: the patterns are two's complement; zero: pattern of the real number zero;
    counts: its histogram; entropy: order-0, in bits, of each input by itself;
    apack: with the table it is given; own_table: coded bits with a table solved from itself;
    others: bits by the key of each other codec that takes this width.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    note: str
    value_w: int
    signed: bool
    values: int
    zero: int
    table: SymbolTable
    counts: np.ndarray
    entropy: float
    apack: ApackSize
    own_table: int
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def raw(self) -> int:
        """Bits without compression."""
        return self.values * self.value_w

    @property
    def zero_integer(self) -> int:
        """Integer that stands for the real number zero."""
        return int(signed_values(np.array(self.zero), self.value_w)) if self.signed else self.zero

    @property
    def footprint(self) -> float:
        """Share of the raw size that APack needs, everything included."""
        return self.apack.total / self.raw

    def bits(self, codec: Codec) -> int:
        """What a codec needs; KeyError when it does not take this width."""
        return self.apack.total if codec is APACK else self.others[codec.key]

    def over_input(self, other: TensorSize) -> TensorSize:
        """This feature map and the same one of another input, taken together."""
        return TensorSize(
            self.name,
            self.shape,
            self.dtype,
            self.note,
            self.value_w,
            self.signed,
            self.values + other.values,
            self.zero,
            self.table,
            self.counts + other.counts,
            self.entropy + other.entropy,
            self.apack + other.apack,
            self.own_table + other.own_table,
            {key: bits + other.others[key] for key, bits in self.others.items()},
        )


def measure(tensor: Tensor, table: SymbolTable | None = None) -> TensorSize:
    """Encode a tensor with every codec; without a table, APack's is solved from the tensor.

    Codecs that look for zeros get the values with the zero point taken off (modulo
    2^value_w), so that the real number zero is pattern 0; APack takes the patterns as they are.
    """
    values = tensor.values.reshape(-1)
    counts = histogram(values, tensor.value_w)
    own = solve(counts, tensor.value_w, SYMBOLS)
    table = table or own
    apack = apack_size(tensor, table)
    zero = real_zero(tensor)
    centred = centre(values, zero, tensor.value_w)
    return TensorSize(
        tensor.name,
        tensor.values.shape,
        tensor.dtype,
        tensor.note,
        tensor.value_w,
        tensor.stored.startswith("int"),
        values.size,
        zero,
        table,
        counts,
        entropy_bits(counts),
        apack,
        apack.coded if table is own else encode_blocks(values, own).bits,
        {
            codec.key: codec.coded_bits(centred, tensor.value_w)
            for codec in CODECS
            if codec is not APACK and tensor.value_w <= codec.max_value_w
        },
    )


def real_zero(tensor: Tensor) -> int:
    """Pattern of the real number zero; 0 when the file names no zero point or several."""
    zeros = set(tensor.zero_point)
    return zeros.pop() % (1 << tensor.value_w) if len(zeros) == 1 else 0


def centre(values: np.ndarray, zero: int, value_w: int) -> np.ndarray:
    """The patterns with `zero` taken off, modulo 2^value_w, in their own type."""
    if zero == 0:
        return values
    return ((values.astype(np.int32) - zero) & (1 << value_w) - 1).astype(values.dtype)


def apack_size(tensor: Tensor, table: SymbolTable) -> ApackSize:
    """Pack a tensor as for a container and add up what is written."""
    packed = pack(tensor, table)
    record = packed.record
    encoded = blocks_of(record, packed.payload, record.count)
    headers = HEADER_BYTES * record.blocks
    raw = [record.raw_bytes(record.block_count(block)) for block in range(record.blocks)]
    return ApackSize(
        coded=encoded.bits,
        stored=8 * (len(packed.payload) - headers),
        metadata=8 * (headers + len(packed.tile_table) + parameter_bytes(record)),
        blocks=record.blocks,
        raw_blocks=int(encoded.raw.sum()),
        largest_block_excess=8 * int((np.diff(encoded.starts) - raw).max()),
    )


def parameter_bytes(record: TensorRecord) -> int:
    """Bytes of a directory record without the tensor's name and quantization parameters."""
    fields = FieldWriter()
    write_record(fields, replace(record, name="", scale=(), zero_point=(), axis=None))
    return len(fields.data)
