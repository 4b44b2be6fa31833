# SPDX-License-Identifier: Apache-2.0
"""ShapeShifter: groups of values sent at the width that the widest of the group needs.

Source: Delmas Lascorz et al., "ShapeShifter: Enabling Fine-Grain Data Width Adaptation in Deep
Learning", MICRO 2019, section 3. The paper folds the sign into the lowest bit, so that small
negative values are narrow too. The fold used here, 0, -1, 1, -2, .. to 0, 1, 2, 3, .., also has a
place for the most negative value. The encoder folds when that makes the tensor smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ..bitstream.bits import Bits
from ..bitstream.fields import FieldReader, pack_fields
from .grouping import group_masks, grouped


def encode_shapeshifter(values: np.ndarray, value_w: int, group: int) -> Bits:
    """ShapeShifter stream of unsigned patterns with `group` (at most 64) values a group.

    One bit for the tensor: 1 when the sign is folded. Then per group: a mask (bit 1 = not zero),
    the width - 1 in ceil(log2(value_w)) bits, and the values that are not zero at that width.
    """
    folded = _fold(values.reshape(-1).astype(np.int64), value_w)
    candidates = [_encode(values, value_w, group, 0), _encode(folded, value_w, group, 1)]
    fields, widths = min(candidates, key=lambda candidate: int(candidate[1].sum()))
    return pack_fields(fields, widths)


def _encode(
    values: np.ndarray, value_w: int, group: int, folded: int
) -> tuple[np.ndarray, np.ndarray]:
    groups, sizes = grouped(values, group)
    width = np.maximum(np.ceil(np.log2(groups.max(axis=1, initial=0) + 1)).astype(np.int64), 1)
    width_w = (value_w - 1).bit_length()
    fields = np.column_stack([group_masks(groups, sizes), width - 1, groups])
    widths = np.column_stack(
        [sizes, np.full(len(sizes), width_w), np.where(groups != 0, width[:, None], 0)]
    )
    return np.append(folded, fields), np.append(1, widths)


def decode_shapeshifter(stream: Bits, count: int, value_w: int, group: int) -> np.ndarray:
    """The `count` values of a ShapeShifter stream, int64; raises CorruptStream."""
    reader = FieldReader(stream)
    folded = reader.take(1)
    values: list[int] = []
    while len(values) < count:
        size = min(group, count - len(values))
        mask = reader.take(size)
        width = reader.take((value_w - 1).bit_length()) + 1
        values += [reader.take(width) if mask >> size - 1 - i & 1 else 0 for i in range(size)]
    reader.finish()
    decoded = np.array(values, np.int64)
    return _unfold(decoded, value_w) if folded else decoded


def _fold(patterns: np.ndarray, value_w: int) -> np.ndarray:
    """Two's complement patterns to 0, 1, 2, .. in the order 0, -1, 1, -2, .."""
    negative = patterns >> value_w - 1 & 1
    return np.where(negative, ((1 << value_w) - patterns) * 2 - 1, patterns * 2)


def _unfold(folded: np.ndarray, value_w: int) -> np.ndarray:
    return np.where(folded & 1, (1 << value_w) - (folded + 1) // 2, folded // 2)


def shapeshifter(group: int) -> tuple[Callable[..., Bits], Callable[..., np.ndarray]]:
    """(encode, decode) for one group size."""
    return partial(encode_shapeshifter, group=group), partial(decode_shapeshifter, group=group)
