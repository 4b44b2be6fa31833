# SPDX-License-Identifier: Apache-2.0
"""A container decoder written from docs/apack/format.md alone: plain Python, nothing of ours.

It is slow and stops at the first thing the page does not allow, with an assertion.
"""

from __future__ import annotations

import struct
import zlib


class Bytes:
    """Takes varints, texts and packed fields from a byte string."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, size: int) -> bytes:
        taken, self.data = self.data[:size], self.data[size:]
        assert len(taken) == size
        return taken

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value += (byte % 128) << shift
            shift += 7
            if byte < 128:
                return value

    def text(self) -> str:
        return self.take(self.varint()).decode("utf-8")

    def packed(self, layout: str) -> tuple:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))


class BitString:
    """The bits of a padded stream; zeros past the end, and how many were read."""

    def __init__(self, stream: bytes, bits: int) -> None:
        text = "".join(f"{byte:08b}" for byte in stream)
        assert set(text[bits:]) <= {"0"}
        self.text, self.read = text[:bits], 0

    def next(self, width: int) -> int:
        field = self.text[self.read : self.read + width].ljust(width, "0")
        self.read += width
        return int(field, 2) if width else 0


def decode_file(data: bytes) -> dict[str, dict]:
    """Every tensor by name: its record's fields, and `values`, a list of unsigned patterns."""
    magic, version, reserved, tensors, directory_bytes, crc = struct.unpack("<8sHHIII", data[:24])
    assert magic == bytes.fromhex("89 41 50 41 43 4B 0D 0A")
    assert (version, reserved) == (1, 0)
    assert zlib.crc32(data[:20] + data[24 : 24 + directory_bytes]) == crc
    directory = Bytes(data[24 : 24 + directory_bytes])
    records = [read_record(directory) for _ in range(tensors)]
    assert not directory.data
    position = 24 + directory_bytes
    for record in records:
        position = decode_tensor(record, data, position)
    assert position == len(data)
    return {record["name"]: record for record in records}


def read_record(source: Bytes) -> dict:
    record: dict = {"name": source.text()}
    record["stored"] = ("uint8", "int8", "uint16", "int16")[source.varint()]
    record["source"] = source.text() or record["stored"]
    record["shape"] = tuple(source.varint() for _ in range(source.varint()))
    scales = source.varint()
    layout = {4: "f", 8: "d"}[source.varint()] if scales else ""
    record["scale"] = source.packed(f"{scales}{layout}") if scales else ()
    record["zero_point"] = source.packed(f"{source.varint()}i")
    record["axis"] = source.varint() - 1
    record["value_w"], record["count_w"] = source.varint(), source.varint()
    groups = [(source.varint(), source.varint()) for _ in range(source.varint())]
    record["sizes"] = [size for size, _ in groups]
    record["base"] = [sum(record["sizes"][:row]) for row in range(len(groups))]
    record["cum"] = [sum(count for _, count in groups[:row]) for row in range(len(groups) + 1)]
    assert sum(record["sizes"]) == 2 ** record["value_w"]
    assert record["cum"][-1] == 2 ** record["count_w"]
    record["code_w"], record["block_values"] = source.varint(), source.varint()
    record["word_bytes"] = source.varint()
    (record["index_crc"],) = source.packed("I")
    record["payload_bytes"] = source.varint()
    return record


def decode_tensor(record: dict, data: bytes, position: int) -> int:
    count = 1
    for length in record["shape"]:
        count *= length
    sizes = [record["block_values"]] * (count // record["block_values"])
    sizes += [count % record["block_values"]] if count % record["block_values"] else []
    layout = "<HHI" if record["block_values"] * record["value_w"] < 65536 else "<III"
    end = position + len(sizes) * struct.calcsize(layout)
    assert zlib.crc32(data[position:end]) == record["index_crc"]
    entries = list(struct.iter_unpack(layout, data[position:end]))
    word = record["word_bytes"]
    start = -(-end // word) * word
    assert not any(data[end:start])
    record["values"], record["raw"] = [], []
    position = start
    for size, (code_bits, offset_bits, crc) in zip(sizes, entries, strict=True):
        middle = position + -(-code_bits // (8 * word)) * word
        after = middle + -(-offset_bits // (8 * word)) * word
        code = BitString(data[position:middle], code_bits)
        offsets = BitString(data[middle:after], offset_bits)
        values = decode_block(record, size, code, offsets)
        width = 1 if record["value_w"] <= 8 else 2
        assert zlib.crc32(b"".join(value.to_bytes(width, "little") for value in values)) == crc
        record["values"] += values
        record["raw"].append(code_bits == 0)
        position = after
    assert position - start == record["payload_bytes"]
    return position


def decode_block(record: dict, count: int, code_bits: BitString, offset_bits: BitString) -> list:
    if not code_bits.text:
        assert len(offset_bits.text) == count * record["value_w"]
        return [offset_bits.next(record["value_w"]) for _ in range(count)]
    base, cum, count_w = record["base"], record["cum"], record["count_w"]
    half, quarter = 2 ** (record["code_w"] - 1), 2 ** (record["code_w"] - 2)
    low, high, values, steps = 0, 2 * half - 1, [], 0
    code = code_bits.next(record["code_w"])
    for _ in range(count):
        size = high - low + 1
        cuts = [(size * c) >> count_w for c in cum]
        s = next(i for i in range(len(base)) if cuts[i] <= code - low < cuts[i + 1])
        width = next(w for w in range(17) if 2**w >= record["sizes"][s])
        offset = offset_bits.next(width)
        assert offset < record["sizes"][s]
        values.append(base[s] + offset)
        low, high = low + cuts[s], low + cuts[s + 1] - 1
        while True:
            if high < half:
                t = 0
            elif low >= half:
                t = half
            elif low >= quarter and high < 3 * quarter:
                t = quarter
            else:
                break
            low, high = 2 * (low - t), 2 * (high - t) + 1
            code = 2 * (code - t) + code_bits.next(1)
            steps += 1
    assert len(code_bits.text) == steps + 2
    assert len(offset_bits.text) == offset_bits.read
    return values
