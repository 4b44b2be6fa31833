# SPDX-License-Identifier: Apache-2.0
"""The parameters of the units, and the tables and lengths that are legal for them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from cocotb.handle import SimHandleBase

from model.apack import SymbolTable
from model.apack.coder import piece_width
from model.apack.hostile import centred_table
from tb.apack.env.illegal import Rows, illegal_tables
from tb.apack.env.memory_image import MemoryImage
from tb.apack.env.stimulus import random_table

TESTED_BLOCK = 256  # values of a block, above which tests make shorter ones


@dataclass(frozen=True)
class CoderWidths:
    """The parameters that everything with a coder in it has."""

    value_w: int
    symbols: int
    count_w: int
    code_w: int

    @property
    def piece_w(self) -> int:
        """Bits of a piece."""
        return piece_width(SymbolTable.uniform(self.value_w, 1, self.count_w))

    def random_table(self) -> SymbolTable:
        """A legal table for these widths."""
        return random_table(self.value_w, self.symbols, self.count_w)

    def hostile_table(self) -> SymbolTable:
        """A table that makes the longest runs of pending bits, if these widths have one."""
        if self.symbols < 3 or self.count_w < 2:
            return SymbolTable.uniform(self.value_w, 1, self.count_w)
        return centred_table(self.value_w, self.count_w)

    def illegal_tables(self) -> list[tuple[Rows, int]]:
        """Tables that break each rule, with the row each is wrong in."""
        return illegal_tables(self.value_w, self.symbols, self.count_w)


@dataclass(frozen=True)
class TopWidths(CoderWidths):
    """The parameters of a compressor or a decompressor."""

    engines: int
    streams: int
    word_w: int
    lanes: int
    block_max: int  # BLOCK_VALUES
    hold: int = 0  # HOLD, of a decompressor

    @classmethod
    def of(cls, dut: SimHandleBase) -> Self:
        """Those that `dut` was built with."""
        names = [name for name in cls._parameters().values() if hasattr(dut, name)]
        return cls.of_parameters({name: int(getattr(dut, name).value) for name in names})

    @classmethod
    def of_parameters(cls, parameters: Mapping[str, int]) -> Self:
        """Those of a set of parameters by their names in Verilog."""
        names = cls._parameters().items()
        return cls(**{name: parameters[its] for name, its in names if its in parameters})

    @classmethod
    def _parameters(cls) -> dict[str, str]:
        names = {name: name.upper() for name in cls.__dataclass_fields__}
        return names | {"block_max": "BLOCK_VALUES"}

    @property
    def block_values(self) -> int:
        """Most values of most blocks that tests make: few where the hardware is for long ones."""
        return self.block_max if self.block_max <= TESTED_BLOCK else 8 * self.lanes

    @property
    def lane_bytes(self) -> int:
        """Bytes of a value on the value port."""
        return 1 if self.value_w <= 8 else 2

    def any_block(self) -> int:
        """A legal BLOCK: the most, the least, or any."""
        most = self.block_values // self.lanes
        return self.lanes * random.choice((1, most, random.randint(1, most)))

    def any_length(self, block: int, most: int) -> int:
        """A number of values that ends in an interesting place, at most about `most`."""
        blocks = random.randint(1, max(most // block, 1))
        near = max(blocks * block + random.choice((-1, 0, 0, 1, self.lanes)), 1)
        turns = random.randint(1, 3) * self.streams + random.choice((-1, 0, 1))
        return random.choice((1, max(turns, 1), min(block, most), near, random.randint(1, most)))

    def image(self, values: np.ndarray, table: SymbolTable, block: int) -> MemoryImage:
        """What the model writes for these values."""
        return MemoryImage.of(values, table, block, self.word_w, self.code_w, self.streams)
