# SPDX-License-Identifier: Apache-2.0
"""What a container may hold: the limits that its writer and its reader share.

docs/apack/format.md, section 3, is their definition.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Integral, Real

from ...errors import InputError, shown
from ...tensors.quantization import ZERO_POINTS
from ..coder import CODE_W_RANGE, check_code_w, check_streams, piece_width
from ..fast import MOST_BLOCK_VALUES, WORD_BYTES_CHOICES
from .record import TensorRecord

STORED_TYPES = ("uint8", "int8", "uint16", "int16")
MAX_TILE_BLOCKS = 1 << 16
MAX_VALUES = 1 << 48
MAX_DIMENSIONS = 32
MAX_TENSORS = MAX_DIRECTORY_BYTES = (1 << 32) - 1
_CRCS = range(1 << 32)


def check_record(record: TensorRecord) -> None:
    """Raise InputError, in one line that names the tensor, unless a container may hold it."""
    try:
        _check_text("its name", record.name)
        _check_types(record)
        _check_shape(record.shape)
        _check_quantization(record)
        _check_coding(record)
    except InputError as error:
        raise InputError(f"tensor {shown(record.name)}: {error}") from None


def check_names(names: Iterable[str]) -> None:
    """Raise InputError when two tensors have the same name."""
    name, copies = next(iter(Counter(names).most_common(1)), ("", 0))
    if copies > 1:
        raise InputError(f"two tensors have the name {shown(name)}")


def check_directory_size(tensors: int, directory_bytes: int) -> None:
    """Raise InputError for more tensors, or a larger directory, than the header can count."""
    if tensors > MAX_TENSORS or directory_bytes > MAX_DIRECTORY_BYTES:
        raise InputError(
            f"{tensors} tensors with a directory of {directory_bytes} bytes: "
            f"a container holds at most {MAX_DIRECTORY_BYTES} of both"
        )


def _check_text(what: str, text: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"{what} is {shown(text)}, not a text")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{what} is not Unicode text") from None


def _check_types(record: TensorRecord) -> None:
    if record.stored not in STORED_TYPES:
        raise InputError(f"type {shown(record.stored)}; {', '.join(STORED_TYPES)} can be stored")
    _check_text("its source type", record.source)
    if not record.source:
        raise InputError("its source type is empty")
    value_w = record.table.value_w
    if value_w > 8 and record.stored in ("uint8", "int8"):
        raise InputError(f"values of {value_w} bits stored as {record.stored}")


def _check_shape(shape: Sequence[int]) -> None:
    if len(shape) > MAX_DIMENSIONS:
        raise InputError(f"number of dimensions is {len(shape)}; 0 to {MAX_DIMENSIONS} are legal")
    for length in shape:
        _check_integer("dimension", length, range(MAX_VALUES + 1))
    # Nothing can hold an empty array of lengths whose product passes all bounds without the zero.
    if math.prod(filter(None, shape)) > MAX_VALUES:
        raise InputError(
            f"shape {shown(tuple(shape))} has more than {MAX_VALUES} values, or would without its 0"
        )


def _check_quantization(record: TensorRecord) -> None:
    for scale in record.scale:
        if not _is_double(scale):
            raise InputError(f"scale {shown(scale)} is not a number of 64-bit floating point")
    if len(record.zero_point) not in (0, 1, len(record.scale)):
        raise InputError(f"{len(record.zero_point)} zero points for {len(record.scale)} scales")
    for zero_point in record.zero_point:
        _check_integer("zero point", zero_point, ZERO_POINTS)
    if record.axis is not None and not record.shape:
        raise InputError(f"quantization axis {shown(record.axis)} of a tensor without dimensions")
    if record.axis is not None:
        _check_integer("quantization axis", record.axis, range(len(record.shape)))


def _is_double(number: object) -> bool:
    """Whether 64 bits of floating point hold a number, which may be infinite or none, exactly."""
    try:
        return isinstance(number, Real) and (number != number or float(number) == number)
    except OverflowError:
        return False


def _check_coding(record: TensorRecord) -> None:
    _check_integer("code_w", record.code_w, CODE_W_RANGE)
    check_code_w(record.table, record.code_w)
    check_streams(record.streams)
    _check_integer("block_values", record.block_values, range(1, MOST_BLOCK_VALUES + 1))
    if record.word_bytes not in WORD_BYTES_CHOICES:
        raise InputError(
            f"words of {shown(record.word_bytes)} bytes; "
            f"{', '.join(map(str, WORD_BYTES_CHOICES))} are legal"
        )
    if 8 * record.word_bytes < piece_width(record.table):
        raise InputError(f"words of {record.word_bytes} bytes do not hold a piece of 32 bits")
    _check_integer("tile_blocks", record.tile_blocks, range(1, MAX_TILE_BLOCKS + 1))
    _check_integer("CRC of the tile table", record.tile_crc, _CRCS)
    _check_integer("payload_bytes", record.payload_bytes, range(MAX_VALUES + 1))


def _check_integer(what: str, number: object, legal: range) -> None:
    if not _is_integer(number, legal):
        raise InputError(f"{what} is {shown(number)}; {legal[0]} to {legal[-1]} are legal")


def _is_integer(number: object, legal: range) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool) and int(number) in legal
