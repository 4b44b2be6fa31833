# SPDX-License-Identifier: Apache-2.0
"""The list of hardware modules."""

from __future__ import annotations

from pathlib import Path

from tb.sim.modules import free_parameters, rtl_modules, rtl_sources


def names(top: str) -> set[str]:
    return {path.stem for path in rtl_sources(top)}


def test_sources_are_the_modules_below_the_top() -> None:
    assert rtl_sources("apack_encoder_engine")[0].stem == "apack_encoder_engine"
    found = names("apack_encoder_engine")
    assert {"apack_interval_loop", "apack_symbol_lookup", "cell_cut"} <= found
    assert "apack_search_loop" not in found
    assert names("cell_leading_ones") == {"cell_leading_ones"}


def test_every_file_is_a_module() -> None:
    assert set(rtl_modules()) >= {"apack_compressor", "apack_decompressor", "cell_cut"}


def test_derived_parameters_are_not_free(tmp_path: Path) -> None:
    source = tmp_path / "m.v"
    source.write_text(
        "module m #(\n  // parameter OLD = 3,\n  parameter A_W = 8,\n"
        "  parameter B_W = $clog2(A_W),\n  parameter C_W = 16\n) ();\nendmodule\n"
    )
    assert free_parameters(source) == {"A_W": 8, "C_W": 16}
