# SPDX-License-Identifier: Apache-2.0
"""The tensors behind the golden files: fixed by formulas, with tables written out.

`python -m model.tests.apack.golden_tensors` writes the files anew, for a new version of the format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.apack import SymbolTable
from model.apack.container import PackedTensor, pack, write_container
from model.tensors import Tensor

FOLDER = Path(__file__).parent / "golden"


def example() -> list[PackedTensor]:
    """The example of docs/apack/format.md."""
    rows = [[0, -60, 0, -2, 5], [0, 0, 77, 0, 9], [-60, 0, -2, 0, 1], [0, 2, -3, 100, -100]]
    values = np.array(rows, dtype=np.int8).view(np.uint8)
    table = SymbolTable(8, 4, (0, 1, 128, 253), (0, 6, 9, 10, 16))
    return [
        pack(
            Tensor("x", values, "int8"),
            table,
            block_values=16,
            code_w=8,
            streams=2,
            word_bytes=4,
            tile_blocks=1,
        )
    ]


def mixed() -> list[PackedTensor]:
    """Every feature of the format in one file."""
    return [
        _skewed_bytes(),
        _noise_that_stays_raw(),
        _quantized_floats(),
        _wide_values(),
        pack(
            Tensor("empty", np.zeros((0, 3), np.uint8), "uint8"),
            SymbolTable(8, 10, (0,), (0, 1024)),
        ),
        pack(
            Tensor("scalar", np.array(200, np.uint8), "uint8"),
            SymbolTable(8, 1, (0, 200), (0, 1, 2)),
        ),
    ]


GOLDEN = {"example.apack": example, "mixed.apack": mixed}


def _skewed_bytes() -> PackedTensor:
    steps = np.arange(9000)
    values = (steps * steps % 7 * (steps % 11 == 0) + steps % 3).astype(np.uint8)
    tensor = Tensor("skewed", values.reshape(90, 100), "uint8", scale=(0.1,), zero_point=(3,))
    table = SymbolTable(8, 10, (0, 1, 2, 3, 8), (0, 330, 660, 990, 1023, 1024))
    return pack(tensor, table, block_values=1000, tile_blocks=3)


def _noise_that_stays_raw() -> PackedTensor:
    values = (np.arange(5000) * 40503 % 65521 % 251).astype(np.uint8)
    table = SymbolTable(8, 10, (0, 16), (0, 1000, 1024))
    return pack(Tensor("noise", values, "int8"), table, block_values=1000, streams=8, word_bytes=2)


def _quantized_floats() -> PackedTensor:
    values = (np.arange(2 * 3 * 50) ** 3 % 9 * 7 % 16).astype(np.uint8).reshape(2, 3, 50)
    tensor = Tensor(
        "naïve/вес",
        values,
        "float32",
        value_w=4,
        scale=(0.1, 0.25, 3.0),
        zero_point=(0, 0, 0),
        stored="int8",
        axis=1,
    )
    table = SymbolTable(4, 6, (0, 1, 7, 8), (0, 21, 22, 43, 64))
    return pack(tensor, table, block_values=64, code_w=12, streams=1)


def _wide_values() -> PackedTensor:
    values = (np.arange(70_000) % 300 * (np.arange(70_000) % 7 == 0)).astype(np.uint16)
    tensor = Tensor("wide", values, "int16", value_w=12, scale=(0.5,), zero_point=(-40_000,))
    table = SymbolTable(12, 15, (0, 1, 100, 2048), (0, 28_000, 30_600, 32_760, 32_768))
    return pack(tensor, table, block_values=65_536, code_w=20, streams=2, word_bytes=4)


if __name__ == "__main__":
    for file_name, tensors in GOLDEN.items():
        write_container(FOLDER / file_name, tensors())
