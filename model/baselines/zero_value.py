# SPDX-License-Identifier: Apache-2.0
"""Zero-value compression (ZVC): a bit mask and the values that are not zero.

Source: Rhu et al., "Compressing DMA Engine: Leveraging Activation Sparsity for Training Deep
Neural Networks", HPCA 2018, section V.
"""

from __future__ import annotations

import numpy as np

from ..bitstream.bits import Bits
from ..bitstream.fields import FieldReader, pack_fields
from .grouping import group_masks, grouped

GROUP = 32  # values behind one mask


def encode_zvc(values: np.ndarray, value_w: int) -> Bits:
    """Per 32 values: a mask (bit 1 = not zero, first value first), then those values in full."""
    groups, sizes = grouped(values, GROUP)
    fields = np.column_stack([group_masks(groups, sizes), groups])
    widths = np.column_stack([sizes, np.where(groups != 0, value_w, 0)])
    return pack_fields(fields, widths)


def decode_zvc(stream: Bits, count: int, value_w: int) -> np.ndarray:
    """The `count` values of a ZVC stream, int64; raises CorruptStream."""
    reader = FieldReader(stream)
    values: list[int] = []
    while len(values) < count:
        size = min(GROUP, count - len(values))
        mask = reader.take(size)
        present = [mask >> size - 1 - i & 1 for i in range(size)]
        values += [reader.take(value_w) if bit else 0 for bit in present]
    reader.finish()
    return np.array(values, np.int64)
