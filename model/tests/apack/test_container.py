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
from model.apack.blocks import BlockHeader
from model.apack.coder import STREAM_COUNTS, piece_width
from model.apack.container import Container, PackedTensor, TensorRecord, pack, write_container
from model.apack.container.fields import FieldWriter
from model.apack.container.layout import HEADER_BYTES, build_header, write_record
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
            raw = [container.block(record, block).encoded.raw for block in range(record.blocks)]
            assert raw == other["raw"]


def test_golden_files_have_coded_and_raw_blocks_of_every_word_size():
    kinds = set()
    for name in GOLDEN:
        with Container(FOLDER / name) as container:
            for record in container.tensors:
                raw = container.blocks(record).raw
                kinds |= {(record.word_bytes, piece_width(record.table), bool(one)) for one in raw}
    assert kinds >= {(2, 16, True), (4, 32, False), (8, 16, False), (8, 16, True)}
    assert {(4, 16, False), (4, 16, True)} <= kinds, "those of the example"


def test_format_page_shows_the_example_file():
    example_text = FORMAT.read_text(encoding="utf-8").split("## 8. Example")[1]
    rows = re.findall(r"^    ((?:[0-9A-F]{2} )*[0-9A-F]{2})  ", example_text, re.MULTILINE)
    assert bytes.fromhex(" ".join(rows)) == (FOLDER / "example.apack").read_bytes()


@given(
    tables_and_values(max_count_w=16),
    st.integers(1, 120),
    st.sampled_from([2, 4, 8]),
    st.sampled_from(STREAM_COUNTS),
    st.integers(1, 5),
    st.integers(0, 14),
)
@settings(max_examples=60)
def test_round_trip_and_stranger_agree(
    tmp_path_factory, case, block_values, word_bytes, streams, tile_blocks, slack
):
    table, values = case
    code_w = table.count_w + 2 + slack
    word_bytes = max(word_bytes, piece_width(table) // 8)
    packed = pack(
        as_tensor(values, table), table, block_values, code_w, streams, word_bytes, tile_blocks
    )
    path = written(tmp_path_factory.mktemp("c"), [packed])
    with Container(path) as container:
        (record,) = container.tensors
        np.testing.assert_array_equal(container.read(record).values, values)
        assert container.tiles(record).tolist() == packed_tiles(packed)
        for block in range(record.blocks):
            part = values[block * block_values : (block + 1) * block_values]
            np.testing.assert_array_equal(container.values_of_block(record, block), part)
            stored = container.block(record, block)
            assert stored.crc == zlib.crc32(part.tobytes())
            assert stored.encoded == encode_block(part, table, streams, code_w, word_bytes)
    assert stranger.decode_file(path.read_bytes())["t"]["values"] == values.tolist()


def packed_tiles(packed: PackedTensor) -> list[int]:
    """Where tiles start, by walking the payload's headers."""
    places, at = [], 0
    for block in range(packed.record.blocks):
        if block % packed.record.tile_blocks == 0:
            places.append(at)
        at += packed.record.block_bytes(BlockHeader.from_bytes(packed.payload[at:]).pieces)
    assert at == len(packed.payload)
    return places


@given(tables_and_values(), st.integers(1, 50), st.sampled_from([2, 4, 8]))
@settings(max_examples=60)
def test_no_block_is_larger_than_raw_and_its_header(case, block_values, word_bytes):
    table, values = case
    packed = pack(as_tensor(values, table), table, block_values, 16, word_bytes=word_bytes)
    most = 0
    for start in range(0, len(values), block_values):
        pieces = -(-len(values[start : start + block_values]) * table.value_w // 16)
        most += 8 + -(-2 * pieces // word_bytes) * word_bytes
    assert len(packed.payload) <= most
    assert len(packed.tile_table) == 8 * -(-packed.record.blocks // 16)


@pytest.mark.parametrize("block_values", [1, 2**20 - 1, 2**20])
def test_blocks_of_any_size(tmp_path, block_values):
    table = SymbolTable(2, 10, (0, 1), (0, 1000, 1024))
    values = np.zeros(min(block_values * 3, 2**20 + 5), dtype=np.uint8)
    values[::97] = 3
    path = written(tmp_path, [pack(as_tensor(values, table), table, block_values)])
    with Container(path) as container:
        (record,) = container.tensors
        np.testing.assert_array_equal(container.read(record).values, values)
        np.testing.assert_array_equal(
            container.values_of_block(record, record.blocks - 1),
            values[(record.blocks - 1) * block_values :],
        )


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


@pytest.fixture
def tiled(tmp_path):
    """A file of 100 blocks of 1,000 values in tiles of 16, and its values."""
    values = np.random.default_rng(2).laplace(0, 9, 100_000).clip(-128, 127).astype(np.int8)
    values = values.view(np.uint8)
    table = SymbolTable(8, 10, (0, 16, 128, 240), (0, 500, 520, 540, 1024))
    packed = pack(as_tensor(values, table), table, 1000)
    return written(tmp_path, [packed]), values


def starts_of(path: Path) -> tuple[TensorRecord, list[int]]:
    """The record of a file's only tensor, and where in the file its blocks start."""
    with Container(path) as container:
        (record,) = container.tensors
        return record, (record.payload_start + container.blocks(record).starts).tolist()


def spoil(path: Path, first: int, last: int, fill: int = 0x55) -> None:
    """Overwrites some bytes of a file."""
    data = bytearray(path.read_bytes())
    data[first:last] = bytes([fill]) * (last - first)
    path.write_bytes(data)


def test_one_block_is_read_by_the_tile_table_and_hops_only_within_its_tile(tiled):
    path, values = tiled
    record, starts = starts_of(path)
    # Block 53 is the sixth of the tile that starts with block 48: all before and behind is noise.
    spoil(path, starts[0], starts[48])
    spoil(path, starts[54], starts[-1])
    for block in range(48, 53):
        spoil(path, starts[block] + 8, starts[block + 1])
    with Container(path) as container:
        found = container.values_of_block(record, 53)
        np.testing.assert_array_equal(found, values[53_000:54_000])
        assert container.block(record, 53).encoded == encode_block(found, record.table)
        for block, reason in (
            (52, "block 52: "),
            (47, "block 32: .* CRC-7"),
            (54, "block 54: .* CRC-7"),
        ):
            with pytest.raises(CorruptStream, match=rf"file\.apack: tensor 't': {reason}"):
                container.values_of_block(record, block)
        with pytest.raises(CorruptStream, match=r"tensor 't': block 0: .* CRC-7"):
            container.read(record)


def test_a_tile_with_broken_headers_does_not_harm_the_others(tiled):
    path, values = tiled
    record, starts = starts_of(path)
    for block in range(16, 32):
        spoil(path, starts[block], starts[block] + 8)
    with Container(path) as container:
        for block in (0, 15, 32, 33, 99):
            part = values[block * 1000 : (block + 1) * 1000]
            np.testing.assert_array_equal(container.values_of_block(record, block), part)
        for block in range(16, 32):
            with pytest.raises(CorruptStream, match=r"tensor 't': block 16: .* CRC-7"):
                container.block(record, block)


def test_a_header_cannot_lead_out_of_its_tile(tiled):
    path, _ = tiled
    record, starts = starts_of(path)
    data = bytearray(path.read_bytes())
    # A larger, still plausible, number of pieces in the last block of a tile.
    data[starts[15] : starts[15] + 8] = BlockHeader(495, False, 0).to_bytes()
    path.write_bytes(data)
    with Container(path) as container:
        with pytest.raises(CorruptStream, match="block 15: it cannot have 495 pieces"):
            container.block(record, 15)
        assert container.block(record, 16).encoded.count == 1000


@pytest.mark.parametrize(("pieces", "raw"), [(3, False), (501, False), (0, True), (499, True)])
def test_no_way_leads_through_an_impossible_block(tiled, pieces, raw):
    """Of 4 streams and 500 pieces of raw values, also where its header matches its CRC-7."""
    path, _ = tiled
    record, starts = starts_of(path)
    data = bytearray(path.read_bytes())
    data[starts[0] : starts[0] + 8] = BlockHeader(pieces, raw, 0).to_bytes()
    path.write_bytes(data)
    with (
        Container(path) as container,
        pytest.raises(CorruptStream, match=f"block 0: it cannot have {pieces} pieces"),
    ):
        container.block(record, 1)


def test_reading_a_block_reads_little(tiled, monkeypatch):
    path, _ = tiled
    record, starts = starts_of(path)
    with Container(path) as container:
        container.tiles(record)
        reads = []
        whole = container._read_at
        monkeypatch.setattr(container, "_read_at", lambda at, n: reads.append(n) or whole(at, n))
        container.block(record, 53)
    assert reads == [8] * 6 + [starts[54] - starts[53]]


def test_opening_reads_neither_tile_tables_nor_blocks(tmp_path):
    path = written(tmp_path, mixed())
    whole = path.read_bytes()
    with Container(path) as container:
        start = container.tensors[0].start
    path.write_bytes(whole[:start] + bytes(len(whole) - start))
    with Container(path) as container:
        assert len(container.tensors) == 6
        with pytest.raises(CorruptStream, match="tensor 'skewed': the tile table does not match"):
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
        ({"block_values": 0}, "block_values is 0; 1 to 1048576 are legal"),
        ({"block_values": 2**20 + 1}, "block_values is 1048577"),
        ({"word_bytes": 1}, "words of 1 bytes"),
        ({"streams": 3}, "3 streams; 1, 2, 4, 8, 16, 32, 64 are legal"),
        ({"tile_blocks": 0}, "tile_blocks is 0; 1 to 65536 are legal"),
        ({"tile_blocks": 65_537}, "tile_blocks is 65537"),
        (
            {"table": SymbolTable.uniform(8, 16, 15), "code_w": 17, "word_bytes": 2},
            "a piece of 32 bits",
        ),
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
        (b"\x89APACK\r\n\x01" + bytes(40), "container version 1; this program reads version 2"),
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


def test_every_bit_flip_of_the_example_is_reported(tmp_path):
    """Of the header, directory, gap, tile table, headers of blocks, pieces and padding alike."""
    data = (FOLDER / "example.apack").read_bytes()
    path = tmp_path / "flipped.apack"
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 0x80 >> (bit % 8)
        path.write_bytes(flipped)
        with pytest.raises(ApackError) as caught:
            read_everything(path)
        assert "\n" not in str(caught.value), f"bit {bit}"


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
    with pytest.raises(CorruptStream, match="a directory of 4294967295 bytes in a file of 108"):
        Container(path)


def crafted(
    tmp_path: Path, header: bytes = b"", directory=lambda fields: None, tiles=b"", payload=None
) -> Path:
    """The example file with a field changed behind checksums that are right again.

    `tiles` is the start of another tile table; `payload` are bytes to put in at a place.
    """
    (packed,) = example()
    table = tiles + packed.tile_table[len(tiles) :]
    fields = FieldWriter()
    write_record(fields, replace(packed.record, tile_crc=zlib.crc32(table)))
    directory(fields)
    start = bytearray(build_header(1, bytes(fields.data)))
    start[8 : 8 + len(header)] = header
    blocks = bytearray(packed.payload)
    for place, data in (payload or {}).items():
        blocks[place : place + len(data)] = data
    data = bytes(start) + bytes(fields.data)
    path = tmp_path / "crafted.apack"
    path.write_bytes(with_right_crc(data + bytes(-len(data) % 8) + table + blocks))
    return path


def longer(fields: FieldWriter) -> None:
    fields.data.append(0)


def nine_bits(fields: FieldWriter) -> None:
    """One group of 2**9 values and 2**4 counts."""
    fields.data[10:22] = b"\x09\x04\x01\x01\x80\x04\x10"


def wide_counts(fields: FieldWriter) -> None:
    """One group and counts of 15 bits, which take pieces of 32 bits."""
    fields.data[10:26] = b"\x08\x0f\x01\x01\x80\x02\x80\x80\x02\x11\x02\x10\x02"


def field_set(at: int, value: int):
    """Sets the byte at a position of the example's directory."""

    def change(fields: FieldWriter) -> None:
        fields.data[at] = value

    return change


def block_header(pieces: int, raw: bool = False) -> bytes:
    """A header with a right CRC-7, and the CRC-32 of the example's first block."""
    return BlockHeader(pieces, raw, 0xD5FE2A37).to_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"header": b"\2\0\1\0"}, "the reserved field is 1, not 0"),
        ({"header": b"\2\0\0\0\2"}, "bytes wanted, 0 left"),
        ({"directory": longer}, "1 bytes left over"),
        ({"directory": field_set(1, 0xFF)}, "the name of a tensor is not UTF-8"),
        ({"directory": field_set(2, 4)}, "tensor 'x': directory: stored type is 4"),
        ({"directory": field_set(4, 33)}, "number of dimensions is 33; 0 to 32"),
        ({"directory": field_set(6, 4)}, "tensor 'x': its 16 values cannot take 36 bytes"),
        ({"directory": nine_bits}, "values of 9 bits stored as int8"),
        ({"directory": wide_counts}, "words of 2 bytes do not hold a piece of 32 bits"),
        ({"directory": field_set(10, 17)}, "value_w is 17"),
        ({"directory": field_set(10, 7)}, "size of group 2 is 125|cover"),
        ({"directory": field_set(11, 3)}, "the counts sum to 16, not 8"),
        ({"directory": field_set(12, 2)}, "number of tables is 2; 1 to 1 are legal"),
        ({"directory": field_set(14, 0)}, "size of group 0 is 0"),
        ({"directory": field_set(14, 2)}, "the groups cover 257 of 256 values"),
        ({"directory": field_set(15, 7)}, "the counts sum to 17, not 16"),
        ({"directory": field_set(22, 5)}, "count_w 4 needs code_w >= 6"),
        ({"directory": field_set(22, 33)}, "code_w is 33; 1 to 32"),
        ({"directory": field_set(23, 3)}, "3 streams; 1, 2, 4"),
        ({"directory": field_set(23, 65)}, "streams is 65"),
        ({"directory": field_set(24, 0)}, "block_values is 0"),
        ({"directory": field_set(25, 3)}, "words of 3 bytes"),
        ({"directory": field_set(25, 1)}, "words of 1 bytes"),
        ({"directory": field_set(26, 0)}, "tile_blocks is 0"),
        ({"directory": field_set(31, 32)}, "after the last tensor"),
        ({"directory": field_set(31, 40)}, "cut short: tensor 'x' ends"),
        ({"tiles": b"\1"}, "tensor 'x': tile 0 cannot start at byte 1 of the blocks"),
        ({"tiles": bytes(16)}, "tile 1 cannot start at byte 0"),
        ({"tiles": bytes(8) + b"\x24"}, "tile 1 cannot start at byte 36"),
        ({"tiles": bytes(8) + b"\xff" * 8}, "tile 1 cannot start at byte 18446744073709551615"),
        ({"tiles": bytes(8) + b"\x14"}, "tile 1 does not start at byte 20"),
        ({"payload": {0: block_header(0)}}, "block 0: .*pieces"),
        ({"payload": {0: block_header(1)}}, "block 0: .*pieces"),
        ({"payload": {0: block_header(9)}}, "block 0: .*pieces"),
        ({"payload": {0: block_header(7, raw=True)}}, "block 0: .*pieces"),
        ({"payload": {0: block_header(6)}}, "block 1: .* CRC-7"),
        ({"payload": {0: block_header(8)}}, "block 0: pieces left over"),
        ({"payload": {24: block_header(2)}}, "block 1: "),
        ({"payload": {24: block_header(1, raw=True)}}, "block 1: .*pieces"),
        ({"payload": {4: b"\xd4"}}, "block 0: .* CRC-32"),
        ({"payload": {3: b"\x7f"}}, "block 0: .* CRC-7"),
        ({"payload": {23: b"\1"}}, "block 0: .* not zero"),
        ({"payload": {21: b"\1"}}, "block 0: .* not zero"),
        ({"payload": {32: b"\3"}}, "block 1: .* CRC-32"),
    ],
)
def test_each_broken_rule_is_named(tmp_path, change, message):
    path = crafted(tmp_path, **change)
    with pytest.raises(CorruptStream, match=message):
        read_everything(path)


def test_a_gap_in_front_of_the_tile_table_is_zero(tmp_path):
    packed = replace(example()[0], record=replace(example()[0].record, name="xy"))
    path = written(tmp_path, [packed])
    with Container(path) as container:
        (record,) = container.tensors
        assert record.table_start - record.start == 7
    spoil(path, record.table_start - 1, record.table_start)
    with pytest.raises(CorruptStream, match="tensor 'xy': the bytes in front of the tile table"):
        read_everything(path)


def test_every_bit_of_a_block_header_is_checked_when_it_is_read_alone(tmp_path):
    data = (FOLDER / "example.apack").read_bytes()
    path = tmp_path / "flipped.apack"
    for bit in range(64):
        flipped = bytearray(data)
        flipped[72 + bit // 8] ^= 0x80 >> (bit % 8)
        path.write_bytes(flipped)
        with Container(path) as container:
            (record,) = container.tensors
            with pytest.raises(CorruptStream, match=r"tensor 'x': block 0: .* CRC-(7|32)"):
                container.values_of_block(record, 0)
            assert container.values_of_block(record, 1).tolist() == [2, 253, 100, 156]


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
    for at in range(HEADER_BYTES, 56):
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
        decoded = decode_block(block.encoded, record.table, record.streams, record.code_w)
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


def test_memory_follows_the_file(tmp_path):
    """A directory that claims 2**40 values in a small file is refused; a real one is read."""
    table = SymbolTable(2, 16, (0, 1), (0, 65535, 65536))
    values = np.zeros(2**20, dtype=np.uint8)
    packed = pack(as_tensor(values, table), table, 2**20, 18, tile_blocks=65_536)
    assert len(packed.payload) < 100
    record = replace(packed.record, shape=(2**40,))
    claimed = replace(packed, record=record, tile_table=bytes(8 * 16))
    path = written(tmp_path, [claimed])
    tracemalloc.start()
    with pytest.raises(CorruptStream, match="its 1099511627776 values cannot take"):
        Container(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
    np.testing.assert_array_equal(read_everything(written(tmp_path, [packed]))[0], values)


def test_damage_ends_the_reading_of_a_large_tensor_early(tmp_path, monkeypatch):
    """100 blocks of 2**18 values in a small file, of which the second is damaged."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    table, size = SymbolTable(2, 16, (0, 1), (0, 65535, 65536)), 1 << 18
    packed = pack(as_tensor(np.zeros(size, dtype=np.uint8), table), table, size, 18)
    payload = bytearray(packed.payload * 100)
    payload[len(packed.payload) + 8] ^= 1
    tiles = (np.arange(0, 100, 16, dtype="<u8") * len(packed.payload)).tobytes()
    changes = {"payload_bytes": len(payload), "tile_crc": zlib.crc32(tiles)}
    record = replace(packed.record, shape=(100 * size,), **changes)
    path = written(tmp_path, [PackedTensor(record, tiles, bytes(payload))])
    steps: list[int] = []
    with (
        Container(path) as container,
        pytest.raises(CorruptStream, match="tensor 't': block 1: "),
    ):
        container.read(container.tensors[0], steps.append)
    assert sum(steps) < 50 * size
