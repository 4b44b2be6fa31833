# SPDX-License-Identifier: Apache-2.0
import io
import os
import re
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.apack import ApackError, CorruptStream, SymbolTable, decode_block, encode_block
from model.apack.container import Container, PackedTensor, pack, write_container
from model.apack.container.fields import FieldWriter
from model.apack.container.layout import (
    HEADER_BYTES,
    build_header,
    padded_bytes,
    write_record,
)
from model.tensors import Tensor, pattern_dtype
from model.tests.apack import stranger
from model.tests.apack.golden_tensors import FOLDER, GOLDEN, example, mixed
from model.tests.apack.tables import tables_and_values

FORMAT = Path(__file__).parents[3] / "docs" / "apack" / "format.md"


def written(tmp_path: Path, tensors: list[PackedTensor]) -> Path:
    path = tmp_path / "file.apack"
    assert write_container(path, tensors) == path.stat().st_size
    return path


def as_tensor(values, table: SymbolTable, name="t", **fields) -> Tensor:
    stored = np.dtype(pattern_dtype(table.value_w)).name
    return Tensor(name, values, stored, table.value_w, **fields)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_file_is_written_byte_for_byte(name, tmp_path):
    path = written(tmp_path, GOLDEN[name]())
    assert path.read_bytes() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_file_is_read_alike_by_a_stranger(name):
    theirs = stranger.decode_file((FOLDER / name).read_bytes())
    with Container(FOLDER / name) as container:
        assert [record.name for record in container.tensors] == list(theirs)
        for record in container.tensors:
            tensor, other = container.read(record), theirs[record.name]
            assert tensor.values.shape == other["shape"]
            assert tensor.values.reshape(-1).tolist() == other["values"]
            assert (tensor.stored, tensor.dtype) == (other["stored"], other["source"])
            assert tensor.scale == other["scale"]
            assert set(tensor.zero_point) == set(other["zero_point"])
            raw = [container.block(record, block).raw for block in range(record.blocks)]
            assert raw == other["raw"]


def test_golden_files_have_coded_and_raw_blocks_of_every_word_size():
    with Container(FOLDER / "mixed.apack") as container:
        kinds = {
            (record.word_bytes, container.block(record, block).raw)
            for record in container.tensors
            for block in range(record.blocks)
        }
    assert kinds >= {(1, False), (1, True), (2, False), (4, True), (8, False)}


def test_format_page_shows_the_example_file():
    example_text = FORMAT.read_text(encoding="utf-8").split("## 8. Example")[1]
    rows = re.findall(r"^    ((?:[0-9A-F]{2} )*[0-9A-F]{2})  ", example_text, re.MULTILINE)
    assert bytes.fromhex(" ".join(rows)) == (FOLDER / "example.apack").read_bytes()


@given(
    tables_and_values(),
    st.integers(1, 120),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(0, 8),
)
@settings(max_examples=60)
def test_round_trip_and_stranger_agree(tmp_path_factory, case, block_values, word_bytes, slack):
    table, values = case
    code_w = table.count_w + 2 + slack
    packed = pack(as_tensor(values, table), table, block_values, code_w, word_bytes)
    path = written(tmp_path_factory.mktemp("c"), [packed])
    with Container(path) as container:
        (record,) = container.tensors
        np.testing.assert_array_equal(container.read(record).values, values)
        for block in range(record.blocks):
            part = values[block * block_values : (block + 1) * block_values]
            np.testing.assert_array_equal(container.values_of_block(record, block), part)
            stored = container.block(record, block)
            if not stored.raw:
                assert stored.encoded == encode_block(part, table, code_w)
    assert stranger.decode_file(path.read_bytes())["t"]["values"] == values.tolist()


@given(tables_and_values(), st.integers(1, 50), st.sampled_from([1, 2, 4, 8]))
@settings(max_examples=60)
def test_no_block_is_larger_than_raw(case, block_values, word_bytes):
    table, values = case
    packed = pack(as_tensor(values, table), table, block_values, 16, word_bytes)
    raw = sum(
        padded_bytes(len(values[start : start + block_values]) * table.value_w, word_bytes)
        for start in range(0, len(values), block_values)
    )
    assert len(packed.payload) <= raw
    assert len(packed.index) == packed.record.blocks * packed.record.entry_type.itemsize


@pytest.mark.parametrize("word_bytes", [1, 2, 4, 8])
def test_a_block_is_raw_exactly_when_coding_it_would_grow_it(tmp_path, word_bytes):
    # Group 0 costs 1/3 bit a value, group 1 costs 8 of 4 bits: blocks grow with its share.
    table = SymbolTable(4, 4, (0, 1), (0, 15, 16))
    rng = np.random.default_rng(0)
    values = (rng.random(100 * 61) < np.repeat(np.linspace(0.4, 0.6, 100), 61)).astype(np.uint8)
    path = written(tmp_path, [pack(as_tensor(values, table), table, 61, word_bytes=word_bytes)])
    kinds = set()
    with Container(path) as container:
        (record,) = container.tensors
        for block in range(record.blocks):
            coded = encode_block(values[61 * block : 61 * block + 61], table)
            words = [-(-bits // (8 * word_bytes)) for bits in (coded.code.bits, coded.offsets.bits)]
            larger = coded.bits > 244 or sum(words) > -(-244 // (8 * word_bytes))
            assert container.block(record, block).raw == larger, f"block {block}"
            kinds.add(larger)
    assert kinds == {False, True}


@pytest.mark.parametrize(
    ("value_w", "block_values", "entry"),
    [(8, 8191, 8), (8, 8192, 12), (16, 4096, 12), (2, 32767, 8)],
)
def test_index_entries_hold_the_longest_raw_block(tmp_path, value_w, block_values, entry):
    table = SymbolTable.uniform(value_w, 4, 4)
    values = np.random.default_rng(0).integers(0, 1 << value_w, block_values)
    values = values.astype(pattern_dtype(value_w))
    path = written(tmp_path, [pack(as_tensor(values, table), table, block_values)])
    with Container(path) as container:
        (record,) = container.tensors
        assert record.index_bytes == entry and container.block(record, 0).raw
        np.testing.assert_array_equal(container.read(record).values, values)
    assert stranger.decode_file(path.read_bytes())["t"]["values"] == values.tolist()


def test_metadata_of_tensors_is_kept(tmp_path):
    table = SymbolTable.uniform()
    values = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    tensors = [
        as_tensor(values, table, "a", scale=(0.1,), zero_point=(-5,)),
        as_tensor(values, table, "b", scale=(0.5, 0.25, 3.0), zero_point=(1, 2, 3), axis=0),
        as_tensor(values, table, "c", scale=(0.5,) * 3, zero_point=(0,) * 3, axis=0),
        Tensor("d", values, "float32", stored="int8", scale=(1e-300,)),
    ]
    path = written(tmp_path, [pack(tensor, table) for tensor in tensors])
    with Container(path) as container:
        for tensor, record in zip(tensors, container.tensors, strict=True):
            back = container.read(record)
            np.testing.assert_array_equal(back.values, tensor.values)
            for field in ("name", "dtype", "stored", "value_w", "scale", "zero_point", "axis"):
                assert getattr(back, field) == getattr(tensor, field), field


def test_one_block_is_read_without_the_others(tmp_path):
    values = np.random.default_rng(2).integers(0, 256, 400_000).astype(np.uint8)
    table = SymbolTable.uniform()
    path = written(tmp_path, [pack(as_tensor(values, table), table)])
    with Container(path) as container:
        (record,) = container.tensors
        container.index(record)
        damaged = bytearray(path.read_bytes())
        damaged[record.payload_start : record.payload_start + 40_000] = bytes(40_000)
        path.write_bytes(damaged)
        np.testing.assert_array_equal(
            container.values_of_block(record, 50), values[50 * 4096 : 51 * 4096]
        )
        with pytest.raises(CorruptStream, match="tensor 't', block 0"):
            container.read(record)


def test_opening_reads_neither_indexes_nor_blocks(tmp_path):
    path = written(tmp_path, mixed())
    whole = path.read_bytes()
    with Container(path) as container:
        start = container.tensors[0].index_start
    path.write_bytes(whole[:start] + bytes(len(whole) - start))
    with Container(path) as container:
        assert len(container.tensors) == 6
        with pytest.raises(CorruptStream, match="tensor 'skewed': the block index does not match"):
            container.read(container.tensors[0])


def test_progress_counts_every_value(tmp_path):
    path = written(tmp_path, mixed())
    with Container(path) as container:
        for record in container.tensors:
            steps = []
            container.read(record, steps.append)
            assert sum(steps) == record.count


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = written(tmp_path, example())
    before = path.read_bytes()
    with pytest.raises(ApackError, match="two tensors have the name 'x'"):
        write_container(path, example() * 2)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.apack"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"block_values": 0}, "blocks of 0 values"),
        ({"block_values": 65_537}, "blocks of 65537 values"),
        ({"word_bytes": 3}, "words of 3 bytes"),
        ({"code_w": 11}, "code_w >= 12"),
        ({"table": SymbolTable.uniform(4)}, "values of 8 bits, its table is for 4"),
    ],
)
def test_bad_arguments(arguments, message):
    table = SymbolTable.uniform()
    tensor = as_tensor(np.arange(9, dtype=np.uint8), table)
    with pytest.raises(ApackError, match=message):
        pack(**({"tensor": tensor, "table": table} | arguments))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "\ud800"}, "is not Unicode text"),
        ({"stored": "int32"}, "int32"),
        ({"scale": (1.0, 2.0), "zero_point": (1, 2, 3)}, "3 zero points for 2 scales"),
    ],
)
def test_tensors_that_the_format_cannot_hold(fields, message):
    table = SymbolTable.uniform()
    tensor = Tensor(**({"name": "t", "values": np.zeros(3, np.uint8), "dtype": "uint8"} | fields))
    with pytest.raises(ApackError, match=message):
        pack(tensor, table)


def test_missing_tensors_and_blocks_are_named():
    with Container(FOLDER / "example.apack") as container:
        with pytest.raises(ApackError, match="no tensor 'y'"):
            container.record("y")
        for block in (-1, 2):
            with pytest.raises(ApackError, match=f"tensor 'x' has no block {block}; it has 2"):
                container.block(container.record("x"), block)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an APack container"),
        (b"PK\x03\x04" + bytes(60), "not an APack container"),
        (b"\x89APACK\r\n", "header cut short"),
        (b"\x89APACK\r\n\x02" + bytes(40), "container version 2; this program reads version 1"),
    ],
)
def test_what_is_no_container_of_this_version_is_refused(tmp_path, data, message):
    path = tmp_path / "no.apack"
    path.write_bytes(data)
    with pytest.raises(ApackError, match=rf"no\.apack: {message}"):
        Container(path)


def test_a_pipe_is_refused_with_its_reason(tmp_path):
    read, write = os.pipe()
    os.write(write, (FOLDER / "example.apack").read_bytes())
    os.close(write)
    with pytest.raises(ApackError, match=rf"/dev/fd/{read}: a pipe, which cannot be read at any"):
        Container(f"/dev/fd/{read}")
    os.close(read)


def read_everything(path: Path) -> list[np.ndarray]:
    with Container(path) as container:
        return [container.read(record).values for record in container.tensors]


@pytest.mark.parametrize("name", GOLDEN)
def test_every_truncation_is_reported(tmp_path, name):
    data = (FOLDER / name).read_bytes()
    path = tmp_path / "cut.apack"
    for size in {*range(min(len(data), 400)), *range(0, len(data), 97), len(data) - 1}:
        path.write_bytes(data[:size])
        with pytest.raises(ApackError):
            Container(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(CorruptStream, match="1 bytes after the last tensor"):
        Container(path)


def test_every_bit_flip_is_reported_unless_the_values_stay_the_same(tmp_path):
    data = (FOLDER / "example.apack").read_bytes()
    values = read_everything(FOLDER / "example.apack")[0]
    path = tmp_path / "flipped.apack"
    unnoticed = []
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 0x80 >> (bit % 8)
        path.write_bytes(flipped)
        try:
            found = read_everything(path)
        except ApackError:
            continue
        np.testing.assert_array_equal(found[0], values)
        unnoticed.append(bit)
    # The two closing bits of block 0 only keep what follows apart: one may change in vain.
    code_end = 8 * (len(data) - 5) + 8
    assert set(unnoticed) <= {code_end - 2, code_end - 1}


def test_thousands_of_mutated_files_give_an_error_or_the_values(tmp_path):
    """Bytes changed, removed and inserted anywhere; every other file gets a right CRC again."""
    data = (FOLDER / "mixed.apack").read_bytes()
    values = read_everything(FOLDER / "mixed.apack")
    rng = np.random.default_rng(0)
    path = tmp_path / "mutated.apack"
    refused = 0
    for trial in range(4000):
        mutated = mutate(data, rng)
        repaired = trial % 2 == 1
        path.write_bytes(with_right_crc(mutated) if repaired else mutated)
        try:
            found = read_everything(path)
        except ApackError as error:
            refused += 1
            assert "\n" not in str(error) and str(error).startswith(str(path)), f"trial {trial}"
            continue
        if not repaired:
            for mine, right in zip(found, values, strict=True):
                np.testing.assert_array_equal(mine, right, f"trial {trial}")
    assert refused > 3000


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four edits, mostly in the first 500 bytes, where header and directory are."""
    mutated = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        reach = 500 if rng.random() < 0.7 else len(mutated)
        at = int(rng.integers(0, min(reach, len(mutated))))
        kind = rng.integers(0, 5)
        if kind == 0:
            mutated[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            mutated[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))
        elif kind == 2:
            mutated[at : at + 8] = rng.bytes(8)
        elif kind == 3:
            del mutated[at : at + int(rng.integers(1, 9))]
        else:
            mutated[at:at] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(mutated)


def with_right_crc(data: bytes) -> bytes:
    """The file with its directory CRC made right, so that the reader meets the damage itself."""
    size = int.from_bytes(data[16:20], "little")
    crc = zlib.crc32(data[:20] + data[HEADER_BYTES : HEADER_BYTES + size])
    return data[:20] + crc.to_bytes(4, "little") + data[24:]


def test_a_directory_larger_than_the_file_is_refused_unread(tmp_path):
    data = (FOLDER / "example.apack").read_bytes()
    path = tmp_path / "large.apack"
    path.write_bytes(data[:16] + b"\xff\xff\xff\xff" + data[20:])
    with pytest.raises(CorruptStream, match="a directory of 4294967295 bytes in a file of 74"):
        Container(path)


def crafted(tmp_path: Path, header: bytes = b"", directory=lambda fields: None, index=None) -> Path:
    """The example file with a field changed behind checksums that are right again."""
    (packed,) = example()
    record = packed.record
    entries = bytearray(packed.index)
    if index is not None:
        entries[: len(index)] = index
    fields = FieldWriter()
    write_record(fields, replace(record, index_crc=zlib.crc32(entries)))
    directory(fields)
    start = bytearray(build_header(1, bytes(fields.data)))
    start[8 : 8 + len(header)] = header
    path = tmp_path / "crafted.apack"
    data = bytes(start) + bytes(fields.data) + bytes(entries) + packed.payload
    path.write_bytes(with_right_crc(data))
    return path


def longer(fields: FieldWriter) -> None:
    fields.data.append(0)


def nine_bits(fields: FieldWriter) -> None:
    """One group of 2**9 values and 2**4 counts."""
    fields.data[10:21] = b"\x09\x04\x01\x80\x04\x10"


def field_set(at: int, value: int):
    """Sets the byte at a position of the example's directory."""

    def change(fields: FieldWriter) -> None:
        fields.data[at] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"header": b"\1\0\1\0"}, "the reserved field is 1, not 0"),
        ({"header": b"\1\0\0\0\2"}, "bytes wanted, 0 left"),
        ({"directory": longer}, "1 bytes left over"),
        ({"directory": field_set(1, 0xFF)}, "the name of a tensor is not UTF-8"),
        ({"directory": field_set(2, 4)}, "tensor 'x': directory: stored type is 4"),
        ({"directory": field_set(4, 33)}, "number of dimensions is 33; 0 to 32"),
        ({"directory": nine_bits}, "values of 9 bits stored as int8"),
        ({"directory": field_set(10, 17)}, "value_w is 17"),
        ({"directory": field_set(10, 7)}, "size of group 2 is 125|cover"),
        ({"directory": field_set(11, 3)}, "the counts sum to 16, not 8"),
        ({"directory": field_set(13, 0)}, "size of group 0 is 0"),
        ({"directory": field_set(13, 2)}, "the groups cover 257 of 256 values"),
        ({"directory": field_set(14, 7)}, "the counts sum to 17, not 16"),
        ({"directory": field_set(21, 5)}, "code_w is 5; 6 to 32"),
        ({"directory": field_set(22, 0)}, "block_values is 0"),
        ({"directory": field_set(23, 3)}, "words of 3 bytes"),
        ({"directory": field_set(28, 4)}, "after the last tensor"),
        ({"directory": field_set(28, 6)}, "cut short: tensor 'x' ends"),
        ({"index": b"\1\0"}, "index entry 0: 1 code bits and 9 offset bits are impossible"),
        ({"index": b"\x11\0"}, "index entry 0: 17 code bits"),
        ({"index": b"\0\0\x21\0"}, "index entry 0: 0 code bits and 33 offset bits"),
        ({"index": b"\0\0\x1f\0"}, "index entry 0: 0 code bits and 31 offset bits"),
        ({"index": b"\x08\0\x08\0"}, "the index sums to 4 bytes of blocks, the directory says 5"),
        ({"index": b"\x07\0\x09\0"}, "block 0: code stream ended early"),
        ({"index": b"\x08\0\x0a\0"}, "block 0: offset stream left over"),
        ({"index": b"\x03\0"}, "block 0: the padding of a stream is not zero"),
        ({"index": b"\x08\0\x09\0\0"}, "block 0: the values do not match their CRC-32"),
    ],
)
def test_each_broken_rule_is_named(tmp_path, change, message):
    path = crafted(tmp_path, **change)
    with pytest.raises(CorruptStream, match=message):
        read_everything(path)


def test_two_tensors_of_one_name_are_refused(tmp_path):
    packed = example()[0]
    other = replace(packed, record=replace(packed.record, name="y"))
    path = written(tmp_path, [packed, other])
    data = path.read_bytes()
    at = data.index(b"\1y")
    path.write_bytes(with_right_crc(data[:at] + b"\1x" + data[at + 2 :]))
    with pytest.raises(CorruptStream, match="two tensors have the same name"):
        Container(path)


@pytest.mark.parametrize("word", [b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x80\x01"])
def test_hostile_sizes_are_refused_before_anything_is_allocated(tmp_path, word):
    data = (FOLDER / "example.apack").read_bytes()
    path = tmp_path / "hostile.apack"
    tracemalloc.start()
    for at in range(HEADER_BYTES, 53):
        hostile = data[:at] + word + data[at + 1 :]
        size = int.from_bytes(data[16:20], "little") + len(word) - 1
        path.write_bytes(with_right_crc(data[:16] + size.to_bytes(4, "little") + hostile[20:]))
        with pytest.raises(ApackError):
            read_everything(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_stored_block_decodes_with_the_readable_coder():
    with Container(FOLDER / "mixed.apack") as container:
        record = container.record("skewed")
        block = container.block(record, 1)
        decoded = decode_block(block.encoded, record.table, record.code_w)
        np.testing.assert_array_equal(decoded, container.values_of_block(record, 1))


def test_a_container_in_memory_is_read_like_a_file(tmp_path):
    data = (FOLDER / "mixed.apack").read_bytes()
    with Container(FOLDER / "mixed.apack") as file, Container(io.BytesIO(data)) as memory:
        assert memory.tensors == file.tensors and memory.file_bytes == len(data)
        for record in file.tensors:
            np.testing.assert_array_equal(memory.read(record).values, file.read(record).values)
    cut = io.BytesIO(data[:900])
    with pytest.raises(CorruptStream, match="stream: cut short"):
        Container(cut)
    assert cut.closed
