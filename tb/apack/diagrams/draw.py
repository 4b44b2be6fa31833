# SPDX-License-Identifier: Apache-2.0
"""The timing diagrams of the architecture page: which signals of which run, in which cycles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from model.apack.blocks import HEADER_BYTES, BlockHeader
from tb.apack.env.register_map import register_map
from tb.sim.waveform import Condition, Sample, Wave
from tb.sim.wavejson import Box, Group, Row, always, bit, wave_json, write_diagram

SMALL = {"STREAMS": 2, "WORD_W": 32, "LANES": 4, "BLOCK_VALUES": 32}
BLOCK, LANES, WORD_W = SMALL["BLOCK_VALUES"], SMALL["LANES"], SMALL["WORD_W"]
PIECE_W = 16
VALUES = 2 * BLOCK + 6  # of the tensor in the diagrams of both tops
COLOURS = "3457689"
ENGINE = "g_channel[0].channel_inst.engine_inst"
STREAMS = 4  # of the engines in the diagrams of slots
KINDS = ("-", "first", "value", "raw")
IDLE, FIRST, VALUE = range(3)

Text = Callable[[Sample], str]
Content = tuple[list[int], list[Group]]  # cycles, rows


@dataclass(frozen=True)
class Diagram:
    """A timing diagram: the run it shows, and how to find its cycles and rows in the waveform."""

    name: str
    title: str
    top: str
    testcase: str
    content: Callable[[Wave], Content]
    parameters: dict[str, int] = field(default_factory=dict)


def draw(diagram: Diagram, waves: Path, path: Path) -> None:
    """Write the diagram of a waveform to `path`.json and `path`.svg."""
    wave = Wave(waves)
    cycles, groups = diagram.content(wave)
    write_diagram(wave_json(diagram.title, wave, cycles, groups), path)


# ---- streams


def passes(sample: Sample, port: str) -> bool:
    """Whether a beat of a stream port is taken in this cycle."""
    return bool(sample(f"{port}_tvalid") and sample(f"{port}_tready"))


def beats(wave: Wave, port: str) -> dict[int, int]:
    """Number of the beat that stands on a port, by cycle."""
    found, number = {}, 0
    for cycle in range(wave.cycles):
        sample = wave.sample(cycle)
        if sample(f"{port}_tvalid"):
            found[cycle] = number
        number += passes(sample, port)
    return found


def stream(wave: Wave, port: str, box: Callable[[int], Box], *flags: str) -> Group:
    """Handshake, content and flags of a stream port; `box` shows a beat by its number."""
    numbers = beats(wave, port)

    def content(sample: Sample) -> Box | None:
        return box(numbers[sample.cycle]) if sample.cycle in numbers else None

    def flag(name: str) -> Row:
        def level(sample: Sample) -> int | None:
            return sample(f"{port}_{name}") if sample.cycle in numbers else None

        return Row(name, level)

    rows = [bit("tvalid", f"{port}_tvalid"), bit("tready", f"{port}_tready")]
    rows += [Row("tdata", content, lambda sample: passes(sample, port))]
    return port.split("_")[-1], [*rows, *(flag(name) for name in flags)]


def of_block(text: str, block: int) -> Box:
    """A box in the colour of a block."""
    return Box(text, COLOURS[block])


def value_box(beat: int) -> Box:
    """A beat of values by the numbers of its values."""
    first = beat * LANES
    return of_block(f"{first}-{min(first + LANES, VALUES) - 1}", first // BLOCK)


def word_boxes(wave: Wave, port: str) -> list[Box]:
    """The memory words of a tensor: headers, which say how many words of pieces follow."""
    words = words_of(wave, port)
    size, boxes = WORD_W // 8, []
    while len(boxes) < len(words):
        header = b"".join(words[len(boxes) : len(boxes) + HEADER_BYTES // size])
        block = sum(box.text == "CRC" for box in boxes)
        found = BlockHeader.from_bytes(header)
        boxes += [of_block("head", block), of_block("CRC", block)]
        kind = "raw" if found.raw else "code"
        boxes += [of_block(kind, block)] * -(-found.pieces * PIECE_W // WORD_W)
    return boxes


def words_of(wave: Wave, port: str) -> list[bytes]:
    """The words that pass a port, as bytes in memory."""
    samples = map(wave.sample, range(wave.cycles))
    found = [sample(f"{port}_tdata") for sample in samples if passes(sample, port)]
    return [word.to_bytes(WORD_W // 8, "little") for word in found]


def event(name: str) -> Row:
    """A bit of EVENTS as a level."""
    return bit(name, "registers_inst.events", register_map()["EVENTS"].fields[name].low)


BUSY = bit("BUSY", "registers_inst.busy_reg")


# ---- what the diagrams show


def registers(wave: Wave) -> Content:
    """A table of two rows and a START on the register bus."""
    begin = wave.first(lambda sample: sample("s_axil_awvalid"))
    end = wave.first(lambda sample: sample("registers_inst.busy_reg"))
    bus = [
        Row(
            "awaddr",
            lambda sample: (
                Box(_register(sample).removeprefix("TABLE_")) if sample("s_axil_awvalid") else None
            ),
        ),
        bit("awvalid, wvalid", "s_axil_awvalid"),
        bit("awready, wready", "s_axil_awready"),
        Row("wdata", _write_data),
        bit("bvalid", "s_axil_bvalid"),
        bit("bready", "s_axil_bready"),
    ]
    unit = [bit("TABLE0_VALID", "table_valid"), bit("QUEUED", "registers_inst.queued_reg"), BUSY]

    def shown(sample: Sample) -> bool:
        return bool(sample("s_axil_awvalid") or sample("s_axil_bvalid")) or sample.cycle == end

    return wave.active(range(begin, end + 1), shown), [("write", bus), ("STATUS", unit)]


def _register(sample: Sample) -> str:
    """Name of the register that is written."""
    address = sample("s_axil_awaddr")
    return next(name for name, one in register_map().items() if one.address == address)


def _write_data(sample: Sample) -> Box | None:
    if not sample("s_axil_wvalid"):
        return None
    data, name = sample("s_axil_wdata"), _register(sample)
    if name == "CONTROL":
        return Box(" ".join(register_map()[name].names(data)))
    if name == "TABLE_CUM":
        fields = register_map()[name].fields
        return Box(f"{fields['CUM'].of(data)}{', LAST' * fields['LAST'].of(data)}")
    return Box(str(data))


def compressing(wave: Wave) -> Content:
    """Three blocks through the compressor."""
    words = word_boxes(wave, "m_axis_memory")
    groups = [
        stream(wave, "s_axis_values", value_box, "tlast"),
        stream(wave, "m_axis_memory", words.__getitem__, "tlast"),
        ("registers", [BUSY, event("DONE")]),
    ]
    return _while_running(wave, ("s_axis_values", "m_axis_memory")), groups


def decompressing(wave: Wave) -> Content:
    """Three blocks through the decompressor, the middle one damaged."""
    words = word_boxes(wave, "s_axis_memory")
    groups = [
        stream(wave, "s_axis_memory", words.__getitem__, "tlast"),
        stream(wave, "m_axis_values", value_box, "tuser", "tlast"),
        ("registers", [BUSY, event("BLOCK_BAD"), event("DONE")]),
    ]
    return _while_running(wave, ("s_axis_memory", "m_axis_values")), groups


def _while_running(wave: Wave, ports: tuple[str, ...]) -> list[int]:
    begin = wave.first(lambda sample: passes(sample, ports[0]))
    end = wave.first(lambda sample: not sample("registers_inst.busy_reg"), begin)
    return wave.active(
        range(begin, end + 1),
        lambda sample: any(passes(sample, port) for port in ports) or sample.cycle == end,
    )


Stream = Callable[[Sample], int]


def by_stream(name: str, stream: Stream, text: Text, valid: Condition = always) -> Row:
    """A row with a box a cycle, in the colour of its stream."""

    def box(sample: Sample) -> Box | None:
        return Box(text(sample), COLOURS[stream(sample) % STREAMS]) if valid(sample) else None

    return Row(name, box, always)


def engine(sample: Sample, name: str) -> int:
    """A signal of the engine."""
    return sample(f"{ENGINE}.{name}")


def number(name: str, style: str = "d") -> Text:
    """The value of a signal of the engine, in a format."""
    return lambda sample: format(engine(sample, name), style)


def is_high(name: str) -> Condition:
    """Whether a signal of the engine is."""
    return lambda sample: bool(engine(sample, name))


def encoding(wave: Wave) -> Content:
    """The stages of an encoder engine of four streams, slot by slot."""
    begin = wave.first(lambda sample: bool(engine(sample, "s_valid") and engine(sample, "s_ready")))
    last = wave.first(is_high("m_end"), begin)
    loop = "interval_loop_inst"

    def behind(slots: int) -> Stream:
        return lambda sample: engine(sample, "turn_reg") - slots

    def since(cycles: int) -> Condition:
        return lambda sample: sample.cycle >= begin + cycles

    def slot(sample: Sample) -> str:
        if engine(sample, "s_valid"):
            return number("s_value", "02X")(sample)
        return "end" if engine(sample, "s_end") else "-"

    def taken(sample: Sample) -> str:
        code, offset = engine(sample, "m_code_take"), engine(sample, "m_offset_take")
        number_of = f"{engine(sample, 'm_take_number')}" if code else ""
        return " ".join(part for part in (number_of, "offs" * offset) if part)

    def used(sample: Sample) -> str:
        return str(engine(sample, "used") + 1)

    def takes(sample: Sample) -> bool:
        return bool(engine(sample, "m_code_take") or engine(sample, "m_offset_take"))

    def out(name: str) -> Stream:
        return lambda sample: engine(sample, name)

    stages = [
        by_stream("slot: value", out("s_stream"), slot),
        by_stream("symbol", behind(1), number("symbol"), is_high("slot_valid_reg")),
        by_stream("offset bits", behind(2), number("symbol_offset_w_reg"), since(2)),
        by_stream("shifts", behind(5), number("shift_count"), since(5)),
        by_stream("bits used of piece", behind(5), used, since(5)),
        by_stream("LO at next slot", behind(2), number(f"{loop}.back_low", "04X"), since(6)),
        by_stream("code bits", out("m_stream"), number("chunk_count_reg"), since(7)),
    ]
    rows = [
        by_stream("taken", out("m_stream"), taken, takes),
        by_stream(
            "code piece", out("m_stream"), number("m_code_data", "04X"), is_high("m_code_valid")
        ),
        by_stream("its number", out("m_stream"), number("m_code_number"), is_high("m_code_valid")),
        Row(
            "offset piece",
            lambda sample: (
                Box(number("m_offset_data", "04X")(sample))
                if engine(sample, "m_offset_valid")
                else None
            ),
            always,
        ),
    ]
    cycles = {*range(begin - 1, begin + 16), *range(last - 5, last + 2)}
    for name in ("m_code_take", "m_code_valid"):
        first = wave.first(is_high(name), begin)
        cycles |= {*range(first - 1, first + 5)}
    return sorted(cycles), [("stages", stages), ("pieces", rows)]


def decoding(wave: Wave) -> Content:
    """The stages of a decoder engine of four streams, slot by slot."""
    begin = wave.first(lambda sample: engine(sample, "s_kind") == FIRST)
    end = wave.first(is_high("m_last"), begin)

    def behind(slots: int) -> Stream:
        return lambda sample: sample.cycle - begin - slots

    def kind(name: str, *kinds: int) -> Condition:
        return lambda sample: engine(sample, name) in kinds

    def symbol(sample: Sample) -> str:
        return str(engine(sample, "hit").bit_length() - 1)

    def next_piece(sample: Sample) -> Box:
        return Box(format(engine(sample, "s_pieces") >> PIECE_W, "04X"))

    slots = [
        by_stream("slot", behind(0), lambda sample: KINDS[engine(sample, "s_kind")]),
        by_stream("LO", behind(0), number("search_loop_inst.low", "04X"), kind("s_kind", VALUE)),
        by_stream("symbol", behind(2), symbol, kind("hit_kind", VALUE)),
    ]
    take = [
        by_stream("shifts", behind(3), number("shift_count"), kind("kind", VALUE)),
        by_stream("bits held", behind(3), number("had"), kind("kind", FIRST, VALUE)),
        by_stream("offset bits", behind(3), number("take_offset_w"), kind("kind", VALUE)),
        by_stream("pieces taken", behind(3), number("m_take"), kind("kind", FIRST, VALUE)),
        Row("next piece", next_piece),
    ]
    out = [by_stream("value", behind(5), number("m_value", "02X"), is_high("m_valid"))]
    cycles = [*range(begin - 1, begin + 18), *range(end - 4, end + 7)]
    return cycles, [("slots", slots), ("take stage", take), ("out", out)]


DIAGRAMS = (
    Diagram(
        "registers",
        "A table of two rows for bank 0, then START",
        "apack_compressor",
        "loads_a_table_and_starts",
        registers,
        SMALL,
    ),
    Diagram(
        "compressor",
        f"{VALUES} values in blocks of {BLOCK}: values in, blocks with their headers out",
        "apack_compressor",
        "compresses_two_blocks_and_a_rest",
        compressing,
        SMALL,
    ),
    Diagram(
        "decompressor",
        "The same tensor with a bit of block 1 inverted: blocks in, values out",
        "apack_decompressor",
        "marks_a_damaged_block",
        decompressing,
        SMALL,
    ),
    Diagram(
        "encoder-slots",
        "Encoder engine, STREAMS 4: a colour is a stream, and goes down one row a cycle",
        "apack_compressor",
        "encodes_streams_in_turn",
        encoding,
    ),
    Diagram(
        "decoder-slots",
        "Decoder engine, STREAMS 4: a colour is a stream, and goes down one row a cycle",
        "apack_decompressor",
        "decodes_streams_in_turn",
        decoding,
    ),
)
