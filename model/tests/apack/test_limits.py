# SPDX-License-Identifier: Apache-2.0
"""What a container may hold: the writer refuses whatever the reader would."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from model.apack import ApackError, SymbolTable
from model.apack.container import Container, pack, write_container
from model.apack.container import writer as container_writer
from model.apack.container.limits import check_directory_size, check_record
from model.tensors import Tensor
from model.tests.apack import stranger

LEGAL = {
    "name": st.text(max_size=12)
    | st.sampled_from(["a\0b", "../x", "a.npy", "e\u0301", "n" * 70_000]),
    "stored": st.sampled_from(["int8", "uint8", "int16", "uint16"]),
    "source": st.text(min_size=1, max_size=9) | st.sampled_from(["float32", "bfloat16", "int4"]),
    "value_w": st.sampled_from([2, 4, 7, 8, 9, 12, 16]),
    "values": st.sampled_from([np.uint8, np.uint16, np.int8, np.int64, ">u2"]),
    "shape": st.lists(st.integers(0, 4), max_size=4)
    | st.integers(30, 32).map(lambda dimensions: [1] * dimensions)
    | st.just([0, 2**48]),
    "scale": st.floats() | st.floats(width=32) | st.sampled_from([np.float32(0.1), 3]),
    "zero_point": st.integers(-(2**31), 2**31 - 1) | st.just(np.int64(5)),
    "block_values": st.sampled_from([1, 3, 4096, 2**20]),
    "code_w": st.sampled_from([8, 16, 32]),
    "streams": st.sampled_from([1, 2, 4, 8, 16, 32, 64]),
    "word_bytes": st.sampled_from([2, 4, 8]),
    "tile_blocks": st.sampled_from([1, 2, 16, 65_536]),
}
ILLEGAL = {
    "name": st.sampled_from(["\ud800", "x\udfff"]),
    "stored": st.sampled_from(["int32", "bool", "", "bfloat16"]),
    "source": st.sampled_from(["", "\ud800"]),
    "value_w": st.sampled_from([1, 17]),
    "values": st.sampled_from([np.float32, bool]),
    "shape": st.sampled_from([[1] * 33, [2**48 + 1, 0], [0, 2**50]]),
    "scale": st.sampled_from([2**60 + 1, 10**400, Fraction(1, 3), None, "1", 1j]),
    "zero_point": st.sampled_from([2**31, -(2**31) - 1, 2**63, 1.0, None]),
    "axis": st.sampled_from([-1, 40, 0.0, True]),
    "zero_points": st.just(4),
    "block_values": st.sampled_from([0, 2**20 + 1, 2.0]),
    "code_w": st.sampled_from([7, 33, 16.0]),
    "streams": st.sampled_from([0, 3, 128]),
    "word_bytes": st.sampled_from([0, 1, 3, 16]),
    "tile_blocks": st.sampled_from([0, 65_537, 1.0]),
}
PARAMETERS = ("block_values", "code_w", "streams", "word_bytes", "tile_blocks")


@st.composite
def cases(draw) -> tuple[Tensor, dict, bool]:
    """A tensor, the parameters of pack, and whether all is legal; up to two fields may not be."""
    spoiled = draw(st.just(set()) | st.sets(st.sampled_from(sorted(ILLEGAL)), max_size=2))

    def field(name: str):
        return draw(ILLEGAL[name] if name in spoiled else LEGAL[name])

    shape, value_w = tuple(field("shape")), field("value_w")
    if value_w > 8 and draw(st.integers(0, 9)):
        stored = draw(st.sampled_from(["int16", "uint16"]))
    else:
        stored = field("stored")
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(
        0, 1 << min(value_w, 7), math.prod(shape)
    )
    scale = tuple(field("scale") for _ in range(draw(st.integers(0, 3))))
    zero_points = 4 if "zero_points" in spoiled else draw(st.sampled_from([0, 1, len(scale)]))
    if "axis" in spoiled:
        axis = draw(ILLEGAL["axis"])
    else:
        axis = draw(st.none() | st.integers(0, len(shape) - 1)) if shape else None
    tensor = Tensor(
        field("name"),
        values.astype(field("values")).reshape(shape),
        field("source") if draw(st.booleans()) else stored,
        value_w,
        scale,
        tuple(field("zero_point") for _ in range(zero_points)),
        stored=stored,
        axis=axis,
    )
    legal = not spoiled and (value_w <= 8 or stored.endswith("16"))
    return tensor, {name: field(name) for name in PARAMETERS}, legal


def table_for(value_w: int) -> SymbolTable:
    return SymbolTable.uniform(min(max(value_w, 2), 16), 4, 6)


@given(cases())
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_what_the_writer_accepts_the_reader_reads_back_alike(tmp_path_factory, case):
    tensor, parameters, legal = case
    path = tmp_path_factory.mktemp("limits") / "file.apack"
    try:
        packed = pack(tensor, table_for(tensor.value_w), **parameters)
    except ApackError as error:
        event("refused")
        assert not legal, f"refused though docs/apack/format.md allows it: {error}"
        assert "\n" not in str(error) and len(str(error)) < 300
        assert repr(tensor.name)[:20] in str(error), "the message names the tensor"
        return
    event("written")
    write_container(path, [packed])
    with Container(path) as container:
        (record,) = container.tensors
        back = container.read(record)
    assert_alike(back, tensor)
    theirs = stranger.decode_file(path.read_bytes())[tensor.name]
    assert theirs["values"] == tensor.values.reshape(-1).tolist()
    assert theirs["shape"] == tensor.values.shape
    assert (theirs["stored"], theirs["source"]) == (tensor.stored, tensor.dtype)


def assert_alike(back: Tensor, tensor: Tensor) -> None:
    for field in ("name", "dtype", "stored", "value_w", "axis"):
        assert getattr(back, field) == getattr(tensor, field), field
    assert back.values.shape == tensor.values.shape
    np.testing.assert_array_equal(back.values, tensor.values)
    # Bit by bit: not-a-number is not equal to itself, and 0.0 is equal to -0.0.
    assert np.array(back.scale).tobytes() == np.array(tensor.scale, np.float64).tobytes()
    assert all(
        mine == right or right != right
        for mine, right in zip(back.scale, tensor.scale, strict=True)
    )
    spread = len(tensor.scale) if len(tensor.zero_point) == 1 and tensor.scale else 1
    assert back.zero_point == tensor.zero_point * spread


@pytest.mark.parametrize("coded_at", [9, 12, 16])
@pytest.mark.parametrize("stored", ["int8", "uint8"])
def test_a_byte_is_never_written_wider_than_it_is(stored, coded_at):
    tensor = Tensor("w", np.zeros(5, np.uint16), stored, coded_at)
    message = f"tensor 'w': values of {coded_at} bits stored as {stored}"
    with pytest.raises(ApackError, match=message):
        pack(tensor, table_for(coded_at))


def test_patterns_in_a_wider_type_are_written_in_their_own(tmp_path):
    tensor = Tensor("w", np.arange(256, dtype=np.uint16), "uint16", 8)
    write_container(tmp_path / "w.apack", [pack(tensor, table_for(8))])
    with Container(tmp_path / "w.apack") as container:
        back = container.read(container.tensors[0])
    np.testing.assert_array_equal(back.values, tensor.values)
    assert back.integers().dtype == np.uint16


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": 5}, "its name is 5, not a text"),
        ({"name": "n\ud800"}, "its name is not Unicode text"),
        ({"source": ""}, "its source type is empty"),
        ({"source": None}, "its source type is None, not a text"),
        ({"stored": "int32"}, "type 'int32'; uint8, int8, uint16, int16 can be stored"),
        ({"shape": (1,) * 33}, "number of dimensions is 33; 0 to 32 are legal"),
        ({"shape": (2**24, 2**25)}, r"shape \(16777216, 33554432\) has more than 281474976710656"),
        ({"shape": (0, 2**48 + 1)}, "dimension is 281474976710657; 0 to"),
        ({"shape": (0, *[2**48] * 31)}, r"shape \(0, 28.* values, or would without its 0$"),
        ({"shape": (2**47, 0, 3)}, r"shape \(140737488355328, 0, 3\) has more than"),
        ({"scale": (1.0, 10**400)}, "scale 1000.* is not a number of 64-bit floating point"),
        ({"scale": ("1",)}, "scale '1' is not a number"),
        ({"zero_point": (1, 2)}, "2 zero points for 0 scales"),
        ({"zero_point": (2**31,)}, "zero point is 2147483648; -2147483648 to 2147483647"),
        ({"zero_point": (1.0,)}, "zero point is 1.0"),
        ({"zero_point": (True,)}, "zero point is True"),
        ({"axis": 2}, "quantization axis is 2; 0 to 1 are legal"),
        ({"axis": -1}, "quantization axis is -1; 0 to 1 are legal"),
        ({"shape": (), "axis": 0}, "quantization axis 0 of a tensor without dimensions"),
        ({"block_values": 0}, "block_values is 0; 1 to 1048576 are legal"),
        ({"streams": 5}, "5 streams; 1, 2, 4, 8, 16, 32, 64 are legal"),
        ({"word_bytes": 3}, r"words of 3 bytes; 2, 4, 8 are legal"),
        ({"tile_blocks": 0}, "tile_blocks is 0; 1 to 65536 are legal"),
        ({"code_w": 11}, "count_w 10 needs code_w >= 12"),
        ({"code_w": 33}, "code_w is 33; 3 to 32 are legal"),
        ({"tile_crc": 2**32}, "CRC of the tile table is 4294967296"),
        ({"payload_bytes": 2**48 + 1}, "payload_bytes is 281474976710657"),
    ],
)
def test_a_record_of_no_container_is_refused_with_its_reason(fields, message):
    record = pack(Tensor("t", np.zeros((2, 3), np.uint8), "uint8"), SymbolTable.uniform()).record
    with pytest.raises(ApackError, match=f"^tensor .*: {message}"):
        check_record(replace(record, **fields))


def test_a_changed_record_is_refused_when_it_is_written(tmp_path):
    packed = pack(Tensor("t", np.zeros((2, 3), np.uint8), "uint8"), SymbolTable.uniform())
    axis = replace(packed, record=replace(packed.record, axis=2))
    with pytest.raises(ApackError, match="tensor 't': quantization axis is 2"):
        write_container(tmp_path / "t.apack", [axis])
    assert not list(tmp_path.iterdir())


def test_a_long_name_does_not_make_a_long_message(tmp_path):
    packed = pack(Tensor("n" * 10**6, np.zeros(9, np.uint8), "uint8"), SymbolTable.uniform())
    with pytest.raises(ApackError, match="two tensors have the name 'nnn") as caught:
        write_container(tmp_path / "t.apack", [packed, packed])
    assert len(str(caught.value)) < 200


def test_more_than_the_header_can_count_is_refused(tmp_path, monkeypatch):
    for sizes in ((2**32, 1), (1, 2**32)):
        with pytest.raises(ApackError, match="a container holds at most 4294967295 of both"):
            check_directory_size(*sizes)
    seen = []
    monkeypatch.setattr(container_writer, "check_directory_size", lambda *sizes: seen.append(sizes))
    packed = pack(Tensor("t", np.zeros(9, np.uint8), "uint8"), SymbolTable.uniform())
    write_container(tmp_path / "t.apack", [packed])
    (directory_bytes,) = np.frombuffer((tmp_path / "t.apack").read_bytes()[16:20], "<u4")
    assert seen == [(1, directory_bytes)]


def test_no_tensors_make_a_container(tmp_path):
    write_container(tmp_path / "none.apack", [])
    with Container(tmp_path / "none.apack") as container:
        assert container.tensors == ()
    assert stranger.decode_file((tmp_path / "none.apack").read_bytes()) == {}
