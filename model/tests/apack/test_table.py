# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from hypothesis import given

from model.apack import ApackError, IllegalTable, SymbolTable
from model.tests.apack.tables import tables

LEGAL = {"value_w": 3, "count_w": 4, "base": [0, 1, 3], "cum": [0, 2, 9, 16]}


def test_offset_widths_cover_each_group():
    table = SymbolTable(4, 6, (0, 1, 3, 6, 11), (0, 1, 2, 3, 4, 64))
    assert table.sizes == (1, 2, 3, 5, 5)
    assert table.offset_w == (0, 1, 2, 3, 3)
    assert table.counts == (1, 1, 1, 1, 60)


def test_symbol_of_every_value():
    table = SymbolTable(**LEGAL)
    assert [table.symbol_of(value) for value in range(8)] == [0, 1, 1, 2, 2, 2, 2, 2]
    with pytest.raises(ApackError, match="value 8"):
        table.symbol_of(8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value_w": 1}, "value_w is 1"),
        ({"value_w": 17}, "value_w is 17"),
        ({"value_w": "8"}, "value_w is '8'"),
        ({"value_w": True}, "value_w is True"),
        ({"count_w": 0}, "count_w is 0"),
        ({"base": []}, "base is empty"),
        ({"base": [1, 2, 3]}, r"base\[0\] is 1"),
        ({"base": [0, 3, 3]}, r"base\[2\] is 3, not above base\[1\] = 3"),
        ({"base": [0, 1, 8]}, r"base\[2\] is 8, not a value of 3 bits"),
        ({"base": [0, 1.5, 3]}, r"base\[1\] is 1.5, not an integer"),
        ({"base": 3}, "base is not a list"),
        ({"cum": [0, 2, 16]}, "cum has 3 entries; 3 groups need 4"),
        ({"cum": [1, 2, 9, 16]}, r"cum\[0\] is 1"),
        ({"cum": [0, 9, 9, 16]}, r"cum\[2\] is 9, not above cum\[1\]"),
        ({"cum": [0, 2, 9, 15]}, r"cum\[3\] is 15; the last entry must be 2\*\*count_w = 16"),
        ({"cum": [0, 2, 9, 17]}, r"cum\[3\] is 17"),
        ({"cum": [0, -1, 9, 16]}, r"cum\[1\] is -1"),
    ],
)
def test_illegal_table_names_the_row(change, message):
    with pytest.raises(IllegalTable, match=message):
        SymbolTable.from_json(json.dumps(LEGAL | change))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "3", json.dumps(LEGAL | {"extra": 1}), "[" * 100_000, '{"base": NaN}']
)
def test_bad_json_is_an_illegal_table(text):
    with pytest.raises(IllegalTable):
        SymbolTable.from_json(text)


@given(tables())
def test_json_round_trip(table):
    assert SymbolTable.from_json(table.to_json()) == table


def test_file_round_trip_and_errors_name_the_file(tmp_path):
    path = tmp_path / "table.json"
    table = SymbolTable(**LEGAL)
    table.save(path)
    assert SymbolTable.load(path) == table
    path.write_text("{}")
    with pytest.raises(IllegalTable, match=r"table\.json"):
        SymbolTable.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ApackError, match=r"table\.json"):
        SymbolTable.load(path)
    with pytest.raises(ApackError, match=r"missing\.json"):
        SymbolTable.load(tmp_path / "missing.json")


def test_numpy_rows_are_accepted():
    table = SymbolTable(3, 4, np.array([0, 1, 3]), np.array([0, 2, 9, 16]))
    assert table == SymbolTable(**LEGAL)
    assert json.loads(table.to_json()) == LEGAL


def test_uniform_spreads_values_and_counts_evenly():
    table = SymbolTable.uniform(8, 16, 10)
    assert set(table.sizes) == {16} and set(table.counts) == {64}
    odd = SymbolTable.uniform(4, 5, 4)
    assert max(odd.sizes) - min(odd.sizes) <= 1 and max(odd.counts) - min(odd.counts) <= 1
    with pytest.raises(IllegalTable, match="17 groups"):
        SymbolTable.uniform(4, 17, 10)


def test_expected_bits_by_hand():
    table = SymbolTable(2, 2, (0, 1), (0, 1, 4))
    histogram = np.array([4, 1, 2, 3])
    assert table.expected_bits(histogram) == pytest.approx(4 * 2 + 6 * (np.log2(4 / 3) + 2))
    with pytest.raises(ApackError, match="histogram of 3 bins"):
        table.expected_bits(np.array([1, 2, 3]))
