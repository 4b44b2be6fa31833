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


class Stream:
    """A stream of a block: its pieces are given to it, its bits are read from it."""

    def __init__(self) -> None:
        self.text, self.read = "", 0

    @property
    def left(self) -> int:
        """Bits that were given and not read."""
        return len(self.text) - self.read

    def next(self, width: int) -> int:
        field = self.text[self.read : self.read + width]
        assert len(field) == width
        self.read += width
        return int(field, 2) if width else 0

    def check_rest(self) -> None:
        """What was given and not read is zero."""
        assert set(self.text[self.read :]) <= {"0"}


class Pieces:
    """The pieces of a block, in order."""

    def __init__(self, data: bytes, piece_w: int) -> None:
        self.texts = [
            "".join(f"{byte:08b}" for byte in data[at : at + piece_w // 8])
            for at in range(0, len(data), piece_w // 8)
        ]

    def take_for(self, stream: Stream) -> None:
        assert self.texts
        stream.text += self.texts.pop(0)


def decode_file(data: bytes) -> dict[str, dict]:
    """Every tensor by name: its record's fields, and `values`, a list of unsigned patterns."""
    magic, version, reserved, tensors, directory_bytes, crc = struct.unpack("<8sHHIII", data[:24])
    assert magic == bytes.fromhex("89 41 50 41 43 4B 0D 0A")
    assert (version, reserved) == (2, 0)
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
    assert source.varint() == 1
    groups = [(source.varint(), source.varint()) for _ in range(source.varint())]
    record["sizes"] = [size for size, _ in groups]
    record["base"] = [sum(record["sizes"][:row]) for row in range(len(groups))]
    record["cum"] = [sum(count for _, count in groups[:row]) for row in range(len(groups) + 1)]
    assert sum(record["sizes"]) == 2 ** record["value_w"]
    assert record["cum"][-1] == 2 ** record["count_w"]
    for field in ("code_w", "streams", "block_values", "word_bytes", "tile_blocks"):
        record[field] = source.varint()
    (record["tile_crc"],) = source.packed("I")
    record["payload_bytes"] = source.varint()
    record["piece_w"] = 32 if max(record["count_w"] + 2, record["value_w"]) > 16 else 16
    assert record["streams"] in (1, 2, 4, 8, 16, 32, 64)
    assert record["word_bytes"] in (2, 4, 8) and 8 * record["word_bytes"] >= record["piece_w"]
    return record


def decode_tensor(record: dict, data: bytes, position: int) -> int:
    count = 1
    for length in record["shape"]:
        count *= length
    sizes = [record["block_values"]] * (count // record["block_values"])
    sizes += [count % record["block_values"]] if count % record["block_values"] else []
    start = -(-position // 8) * 8
    assert not any(data[position:start])
    tiles = -(-len(sizes) // record["tile_blocks"])
    payload = start + 8 * tiles
    assert zlib.crc32(data[start:payload]) == record["tile_crc"]
    table = [place for (place,) in struct.iter_unpack("<Q", data[start:payload])]
    record["values"], record["raw"] = [], []
    position, places = payload, []
    for block, size in enumerate(sizes):
        if block % record["tile_blocks"] == 0:
            places.append(position - payload)
        position = decode_block(record, size, data, position)
    assert places == table
    assert position - payload == record["payload_bytes"]
    return position


def decode_block(record: dict, count: int, data: bytes, position: int) -> int:
    header = int.from_bytes(data[position : position + 8], "big")
    pieces, raw, crc = header >> 40, header >> 39 & 1, header & 0xFFFFFFFF
    assert remainder(header >> 39) == header >> 32 & 0x7F
    piece_w, word_w = record["piece_w"], 8 * record["word_bytes"]
    most = -(-count * record["value_w"] // piece_w)
    least = record["streams"] * -(-record["code_w"] // piece_w)
    if raw:
        assert pieces == most
    else:
        assert least <= pieces
        assert -(-pieces * piece_w // word_w) <= -(-most * piece_w // word_w)
    start, end = position + 8, position + 8 + pieces * piece_w // 8
    after = position + 8 + -(-pieces * piece_w // word_w) * record["word_bytes"]
    assert after <= len(data) and not any(data[end:after])
    decode = raw_values if raw else coded_values
    values = decode(record, count, Pieces(data[start:end], piece_w))
    width = 1 if record["value_w"] <= 8 else 2
    assert zlib.crc32(b"".join(value.to_bytes(width, "little") for value in values)) == crc
    record["values"] += values
    record["raw"].append(bool(raw))
    return after


def remainder(bits: int) -> int:
    """Of 25 bits times x^7, divided by x^7 + x^3 + 1."""
    rest = 0
    for place in range(24, -1, -1):
        rest = rest * 2 ^ (bits >> place & 1) * 0b10000000
        if rest & 0b10000000:
            rest ^= 0b10001001
    return rest


def raw_values(record: dict, count: int, pieces: Pieces) -> list[int]:
    stream = Stream()
    while pieces.texts:
        pieces.take_for(stream)
    values = [stream.next(record["value_w"]) for _ in range(count)]
    stream.check_rest()
    return values


def coded_values(record: dict, count: int, pieces: Pieces) -> list[int]:
    base, cum, count_w = record["base"], record["cum"], record["count_w"]
    streams, code_w = record["streams"], record["code_w"]
    half, quarter = 2 ** (code_w - 1), 2 ** (code_w - 2)
    low, high = [0] * streams, [2 * half - 1] * streams
    offsets, codes, code = Stream(), [Stream() for _ in range(streams)], []
    for stream in codes:
        while stream.left < code_w:
            pieces.take_for(stream)
        code.append(stream.next(code_w))
    values = []
    for i in range(count):
        k = i % streams
        size = high[k] - low[k] + 1
        cuts = [(size * c) >> count_w for c in cum]
        s = next(g for g in range(len(base)) if cuts[g] <= code[k] - low[k] < cuts[g + 1])
        low[k], high[k] = low[k] + cuts[s], low[k] + cuts[s + 1] - 1
        steps = []
        while True:
            if high[k] < half:
                t = 0
            elif low[k] >= half:
                t = half
            elif low[k] >= quarter and high[k] < 3 * quarter:
                t = quarter
            else:
                break
            low[k], high[k] = 2 * (low[k] - t), 2 * (high[k] - t) + 1
            steps.append(t)
        if codes[k].left < len(steps):
            pieces.take_for(codes[k])
        for t in steps:
            code[k] = 2 * (code[k] - t) + codes[k].next(1)
        width = next(w for w in range(17) if 2**w >= record["sizes"][s])
        if offsets.left < width:
            pieces.take_for(offsets)
        offset = offsets.next(width)
        assert offset < record["sizes"][s]
        values.append(base[s] + offset)
    assert not pieces.texts
    for k in range(streams):
        assert code[k] == (quarter if low[k] < quarter else half)
        codes[k].check_rest()
    offsets.check_rest()
    return values
